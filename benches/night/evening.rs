//! What every round begins with: sources in which the day is over, and a warehouse and a lake that were filled before
//! it began.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, process};

use anyhow::{Context, ensure};
use kindred_benches::figures::folder;
use kindred_benches::{evening, timed};
use kindred_testkit::{Template, TestDatabase};
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;

use crate::dates::Day;

/// The length of the history.
pub(crate) const DAYS: u32 = 90;

/// Days that the warehouse has figures of: enough for the funnels that a night restates.
const FILLED: u64 = 15;

const SOURCES: [&str; 4] = [
    "USER_SERVICE_DATABASE_URL",
    "INTERACTION_SERVICE_DATABASE_URL",
    "COMMUNICATION_SERVICE_DATABASE_URL",
    "MODERATION_SERVICE_DATABASE_URL",
];

/// The evening before the night, in copies of which it is computed.
pub(crate) struct Evening {
    /// All four sources.
    pub(crate) sources: TestDatabase,
    /// The day that the night computes.
    pub(crate) day: Day,
    /// The warehouse.
    pub(crate) warehouse: Template,
    /// Holds the lake, and what the rounds write.
    pub(crate) home: TempDir,
}

impl Evening {
    /// Simulates the sources, and fills warehouse and lake.
    pub(crate) async fn prepare(users: u32) -> anyhow::Result<Self> {
        let sources = TestDatabase::create("bench_night").await;
        let day = Day::last(sources.pool()).await?;
        let home = tempfile::Builder::new().prefix("night-").tempdir_in(folder()?)?;
        println!("simulating {users} users");
        let until = format!("{}T00:00:00Z", day.next());
        let (users, days) = (users.to_string(), DAYS.to_string());
        let history = [
            "simulate", "--seed", "7", "--users", &users, "--days", &days, "--until", &until,
        ];
        // The warehouse is not looked at; its address keeps a server of its own from being started.
        run(kindred(home.path(), &sources, &sources.url(), &home.path().join("none"))?.args(history))?;
        sql(sources.pool(), include_str!("../peers/night/indexes.sql")).await?;
        sql(sources.pool(), &day.put_into(include_str!("evening.sql"))).await?;
        sql(sources.pool(), "vacuum analyze").await?;

        println!("filling warehouse and lake");
        let lake = home.path().join("evening");
        let name = format!("bench_night_{}", process::id());
        let warehouse = Template::once(&name, async |url: String| {
            let filled = fill(home.path(), &sources, &url, &lake, day).await;
            filled.map_err(|error| format!("{error:#}"))
        })
        .await;
        sql(sources.pool(), include_str!("night.sql")).await?;
        sql(sources.pool(), "vacuum analyze").await?;
        Ok(Self {
            sources,
            day,
            warehouse,
            home,
        })
    }

    /// Where the evening's lake lies.
    pub(crate) fn lake(&self) -> PathBuf {
        self.home.path().join("evening")
    }
}

async fn fill(home: &Path, sources: &TestDatabase, url: &str, lake: &Path, day: Day) -> anyhow::Result<()> {
    run(kindred(home, sources, url, lake)?.arg("migrate"))?;
    let (from, to) = (day.before(FILLED).to_string(), day.to_string());
    run(kindred(home, sources, url, lake)?.args(["backfill", "daily", "--from", &from, "--to", &to]))?;
    let pool = PgPool::connect(url).await?;
    // The sources were read when the day began, not now.
    evening::was_read_to(&format!("{day}T00:00:00Z"), sources.pool(), &pool).await?;
    pool.close().await;
    Ok(())
}

/// The release binary beside this one, with its settings.
pub(crate) fn kindred(home: &Path, sources: &TestDatabase, warehouse: &str, lake: &Path) -> anyhow::Result<Command> {
    let binary = env::current_exe()?.with_file_name("kindred");
    ensure!(
        binary.exists(),
        "there is no {}: build the release binary",
        binary.display()
    );
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs(SOURCES.map(|setting| (setting, sources.url())))
        .env("DATABASE_URL", warehouse)
        .env("LAKE_URL", lake)
        .env("STATE_DIR", home.join("state"))
        .env("USER_KEY_SECRET", "the secret of a benchmark's user keys")
        .env("LOG_LEVEL", "error")
        .current_dir(home);
    Ok(command)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let (took, _) = timed(command, Stdio::piped())?;
    println!("  {:.1} s", took.as_secs_f64());
    Ok(())
}

/// Runs statements.
pub(crate) async fn sql(pool: &PgPool, sql: &str) -> anyhow::Result<()> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await;
    done.with_context(|| sql.chars().take(200).collect::<String>())?;
    Ok(())
}

/// Copies a folder; `-al` by links, since files of a lake are replaced and never changed.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to.parent().context("a folder in another")?)?;
    let copied = Command::new("cp").arg("-al").arg(from).arg(to).status()?;
    ensure!(copied.success(), "{} cannot be copied", from.display());
    Ok(())
}
