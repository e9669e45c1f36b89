//! The night that every fault meets: sources that have moved on since a backfill filled the warehouse and the lake.
//!
//! After the backfill, the sources are changed once: a day more, refunds and sessions that ended late. All of it is
//! prepared once for all tests, as are the tables and the lake of an undisturbed run; a round works on copies.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kindred_testkit::{Template, TestDatabase, TestServer};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::Instant;

use super::outcome::{Outcome, assert_same};
use super::round::Round;
use crate::support::Platform;

/// Files of an older checkout's tests are of no use to anybody.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The evening before, and what must come of the night.
pub(crate) struct Night {
    platform: Platform,
    warehouse: Template,
    stage: PathBuf,
    /// The day that the run is for.
    pub(crate) day: String,
    /// What an undisturbed run leaves.
    pub(crate) expected: Outcome,
    /// How long it took.
    pub(crate) length: Duration,
}

impl Night {
    pub(crate) async fn prepared() -> Self {
        Box::pin(Self::prepared_once()).await
    }

    async fn prepared_once() -> Self {
        let asked = TestDatabase::create("calendar").await;
        let days = Days::now(asked.pool()).await;
        // What a binary makes of the evening, another one need not.
        let name = format!("night_{}_{:08x}", days.today.replace('-', "_"), binary());
        let folder = TestServer::get().await.files().join(&name);
        let prepare = async |url: String| Box::pin(prepare(&url, &name, &folder, &days)).await;
        let sources = Template::once(&format!("of_{name}"), prepare).await;
        let warehouse = Template::once(&name, async |_| Err("it is made with the sources")).await;
        let (expected, seconds): (Outcome, f64) =
            serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
        Self {
            platform: Platform::of(&sources).await,
            warehouse,
            stage: folder.join("lake"),
            day: days.yesterday,
            expected,
            length: Duration::from_secs_f64(seconds),
        }
    }

    /// The sources.
    pub(crate) fn sources(&self) -> &TestDatabase {
        &self.platform.sources
    }

    /// Copies of warehouse and lake as they were in the evening. Files of a lake are replaced and never changed, so that
    /// links will do.
    pub(crate) async fn round(&self, name: &str) -> Round {
        let lake = self.platform.home.path().join(name);
        copy(&self.stage, &lake, "-al");
        self.round_in(lake).await
    }

    /// A round whose lake lies on another file system.
    pub(crate) async fn round_on(&self, disk: &Path) -> Round {
        let lake = disk.join("lake");
        copy(&self.stage, &lake, "-a");
        self.round_in(lake).await
    }

    /// A round whose warehouse is a copy on another server, in an empty database at `url`.
    pub(crate) async fn round_at(&self, url: &str) -> Round {
        let lake = self.platform.home.path().join("elsewhere");
        copy(&self.stage, &lake, "-al");
        let warehouse = TestDatabase::from_template(&self.warehouse, "moved").await;
        let dump = self.platform.home.path().join("dump.sql");
        let programs = TestServer::get().await.bin_dir();
        let dumped = Command::new(programs.join("pg_dump"))
            .args(["--dbname", &warehouse.url(), "--file"])
            .arg(&dump)
            .status();
        assert!(dumped.unwrap().success());
        let loaded = Command::new(programs.join("psql"))
            .args([
                "--dbname",
                url,
                "--quiet",
                "--no-psqlrc",
                "--set",
                "ON_ERROR_STOP=1",
                "--file",
            ])
            .arg(&dump)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(loaded.unwrap().success());
        let pool = PgPool::connect_lazy(url).unwrap();
        Round::on(self.platform.kindred(), url, pool, lake, &self.day)
    }

    async fn round_in(&self, lake: PathBuf) -> Round {
        let warehouse = TestDatabase::from_template(&self.warehouse, "night").await;
        Round::new(self.platform.kindred(), warehouse, lake, &self.day)
    }

    /// Runs the day once more, undisturbed: afterwards everything must be as if there had been no fault.
    pub(crate) async fn ends_well(&self, round: &Round, at: &str) {
        round.finish().await;
        self.is_as_undisturbed(round, at).await;
    }

    /// Demands tables and lake of an undisturbed run, and that no run is queued or under way.
    pub(crate) async fn is_as_undisturbed(&self, round: &Round, at: &str) {
        assert_same(at, &round.outcome().await, &self.expected);
    }

    /// Whether some file of the round's lake is another one than in the evening.
    pub(crate) fn is_ahead(&self, round: &Round) -> bool {
        let inode = |path: PathBuf| fs::metadata(path).ok().map(|file| file.ino());
        let mut files = round.files().into_iter();
        files
            .any(|file| !file.starts_with(".staging") && inode(round.lake.join(&file)) != inode(self.stage.join(&file)))
    }
}

/// Leaves the sources of the night at `url`, the warehouse of the evening in the template `name`, and below `folder` its
/// lake and what an undisturbed run makes of them.
async fn prepare(url: &str, name: &str, folder: &Path, days: &Days) -> Result<(), String> {
    forget_old(folder.parent().unwrap());
    let until = format!("{}T00:00:00Z", days.today);
    let options = ["--users", "40", "--days", "20", "--until", &until];
    Platform::simulate(url, &options).await?;
    alter(url, include_str!("evening.sql")).await;

    let lake = folder.join("lake");
    let warehouse = Template::once(name, async |warehouse: String| {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        let home = crate::support::home();
        let kindred = Platform::kindred_of(home.path(), url, &warehouse);
        let kindred = kindred.with("LAKE_URL", lake.to_str().unwrap());
        let backfill = ["backfill", "daily", "--from", &days.first, "--to", &days.yesterday];
        let answer = kindred.run(&backfill).await;
        if answer.code != Some(0) {
            return Err(answer.to_string());
        }
        // The backfill read what there was in the evening, not now.
        let then = "update source_watermarks set extracted_to = date_trunc('day', now(), 'UTC') - interval '1 day'";
        alter(&warehouse, then).await;
        Ok(())
    })
    .await;
    alter(url, include_str!("night.sql")).await;

    let home = crate::support::home();
    let database = TestDatabase::from_template(&warehouse, "undisturbed").await;
    let kindred = Platform::kindred_of(home.path(), url, &database.url());
    let undisturbed = home.path().join("lake");
    copy(&lake, &undisturbed, "-al");
    let round = Round::new(kindred, database, undisturbed, &days.yesterday);
    let began = Instant::now();
    round.finish().await;
    let length = began.elapsed().as_secs_f64();
    let outcome = round.outcome().await;
    assert!(outcome["kpi_revisions"].len() > 3, "the night restates what was closed");
    let written = serde_json::to_vec(&(outcome, length)).unwrap();
    fs::write(folder.join("expected.json"), written).map_err(|error| error.to_string())
}

/// Runs statements on a database.
pub(crate) async fn alter(url: &str, sql: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&pool).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    pool.close().await;
}

fn copy(from: &Path, to: &Path, how: &str) {
    let copied = Command::new("cp").arg(how).arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

fn forget_old(files: &Path) {
    for entry in fs::read_dir(files).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|found| found.modified());
        if age.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > KEPT)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Tells this binary from others.
fn binary() -> u32 {
    let found = fs::metadata(env!("CARGO_BIN_EXE_kindred")).unwrap();
    let mut hasher = DefaultHasher::new();
    (found.len(), found.modified().unwrap()).hash(&mut hasher);
    hasher.finish() as u32
}

/// The days of the night, of the database's calendar.
struct Days {
    today: String,
    yesterday: String,
    first: String,
}

impl Days {
    async fn now(pool: &PgPool) -> Self {
        let sql =
            "select (date_trunc('day', now(), 'UTC') at time zone 'UTC')::date - n from unnest(array[0, 1, 15]) n";
        let days: Vec<chrono::NaiveDate> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
        let [today, yesterday, first] = [0, 1, 2].map(|n: usize| days[n].to_string());
        Self {
            today,
            yesterday,
            first,
        }
    }
}
