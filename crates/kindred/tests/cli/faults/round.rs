//! One meeting with a fault: the binary, its warehouse, its lake, and the run that it is asked for.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use kindred_lake::Lake;
use kindred_testkit::TestDatabase;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::outcome::{Outcome, files_below, outcome};
use crate::support::{Answer, Kindred};

/// Longer than anything takes that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a fault meets.
pub(crate) struct Round {
    pub(crate) kindred: Kindred,
    /// Connections of the test to the warehouse.
    pub(crate) pool: PgPool,
    pub(crate) lake: PathBuf,
    /// The warehouse's address.
    pub(crate) url: String,
    /// The day that the run is for.
    pub(crate) day: String,
    /// Dropped with the round.
    _database: Option<TestDatabase>,
}

impl Round {
    pub(crate) fn new(kindred: Kindred, warehouse: TestDatabase, lake: PathBuf, day: &str) -> Self {
        let pool = warehouse.pool().clone();
        let round = Self::on(kindred, &warehouse.url(), pool, lake, day);
        Self {
            _database: Some(warehouse),
            ..round
        }
    }

    /// On a warehouse that somebody else keeps.
    pub(crate) fn on(kindred: Kindred, url: &str, pool: PgPool, lake: PathBuf, day: &str) -> Self {
        let kindred = kindred
            .with("DATABASE_URL", url)
            .with("LAKE_URL", lake.to_str().unwrap());
        Self {
            kindred,
            pool,
            lake,
            url: url.to_owned(),
            day: day.to_owned(),
            _database: None,
        }
    }

    /// The same with new connections, when those of before were cut.
    pub(crate) fn reconnected(self, url: &str) -> Self {
        let pool = PgPool::connect_lazy(url).unwrap();
        Self { pool, ..self }
    }

    /// Begins the day's run.
    pub(crate) fn start(&self, kindred: &Kindred) -> Child {
        let mut command = kindred.command(&["run", "daily", "--date", &self.day]);
        let log = File::create(self.lake.with_extension("log")).unwrap();
        // Of a group of its own: a stopped process would be woken when the shell that began the tests ends.
        command.process_group(0);
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// What the run that was begun last has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.lake.with_extension("log")).unwrap()
    }

    /// The day's run, to its end, with settings of its own.
    pub(crate) fn run(&self, kindred: &Kindred) -> impl Future<Output = Answer> + Send + use<> {
        let (kindred, day) = (kindred.clone(), self.day.clone());
        async move { kindred.run(&["run", "daily", "--date", &day]).await }
    }

    /// Runs the day to its end.
    pub(crate) async fn finish(&self) {
        let answer = self.run(&self.kindred).await.expect(0);
        answer.says(&["status    completed"]);
    }

    /// Kills a process, and waits until its statements have ended.
    pub(crate) async fn kill(&self, mut process: Child) {
        process.kill().await.unwrap();
        self.is_left().await;
    }

    /// Waits until the server does nothing any more for processes that are gone.
    pub(crate) async fn is_left(&self) {
        // Connections of the test bear no name.
        let served = "select count(*) from pg_stat_activity where datname = current_database()
            and backend_type = 'client backend' and application_name <> ''";
        self.until(served, 0).await;
    }

    /// Waits until no transaction is open any more, which takes a minute when the process behind it sleeps.
    pub(crate) async fn is_left_by_publications(&self) {
        let began = Instant::now();
        let open = "select count(*) from pg_stat_activity where datname = current_database()
            and state like 'idle in transaction%'";
        while self.count(open).await > 0 {
            assert!(began.elapsed() < 2 * PATIENCE, "the server keeps a transaction open");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Lets so much time pass that a run whose process is gone counts as dead: a minute, or an hour when nobody had taken
    /// it up yet.
    pub(crate) async fn time_passes(&self) {
        self.alter(
            "update etl_job_runs set heartbeat_at = heartbeat_at - interval '2 hours',
                 requested_at = requested_at - interval '2 hours'",
        )
        .await;
    }

    /// Lets so much time pass that a run which is to be tried again is due.
    pub(crate) async fn time_passes_for_retries(&self) {
        self.alter("update etl_job_runs set retry_at = retry_at - interval '2 hours'")
            .await;
    }

    /// How the day's last run stands in the ledger.
    pub(crate) async fn status(&self) -> Option<String> {
        let status = "select status from etl_job_runs where interval_start = $1::timestamptz and backfill_mode is null
            order by requested_at desc, id desc limit 1";
        let status = sqlx::query_scalar(status).bind(format!("{}T00:00:00Z", self.day));
        status.fetch_optional(&self.pool).await.unwrap()
    }

    /// The runs that published the day.
    pub(crate) async fn published(&self) -> i64 {
        self.count(&format!(
            "select count(*) from etl_job_runs where interval_start = '{}T00:00:00Z' and parent_id is null and not dry_run
                 and status in ('completed', 'partial')",
            self.day
        ))
        .await
    }

    /// The one number that a statement on the warehouse answers.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let answer = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&self.pool)
            .await;
        answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Waits until a statement answers a number.
    pub(crate) async fn until(&self, sql: &str, number: i64) {
        let began = Instant::now();
        while self.count(sql).await != number {
            assert!(began.elapsed() < PATIENCE, "it never comes to {number}: {sql}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Changes the warehouse.
    pub(crate) async fn alter(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.pool).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The lake's files, relative to it.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        files_below(&self.lake)
    }

    /// Tables and lake, and that no run is queued or under way.
    pub(crate) async fn outcome(&self) -> Outcome {
        let lake = Lake::open(self.lake.to_str().unwrap(), []).unwrap();
        outcome(&self.pool, &lake, &self.files()).await
    }
}
