//! Source databases of a simulated platform, and an empty warehouse and lake beside them.

use kindred_testkit::{Template, TestDatabase};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::{Kindred, home};

/// The name says what is in it, since the test server may outlive a run.
const TEMPLATE: &str = "cli_100_users_20_days";

/// A day within the history.
pub(crate) const DAY: &str = "2026-03-10";

/// An address at which nobody listens.
pub(crate) const UNREACHABLE: &str = "postgresql://someone@127.0.0.1:1/nowhere";

const SETTINGS: [&str; 4] = [
    "USER_SERVICE_DATABASE_URL",
    "INTERACTION_SERVICE_DATABASE_URL",
    "COMMUNICATION_SERVICE_DATABASE_URL",
    "MODERATION_SERVICE_DATABASE_URL",
];

/// A platform of one test: all four sources in one database, and a warehouse.
pub(crate) struct Platform {
    pub(crate) sources: TestDatabase,
    pub(crate) warehouse: TestDatabase,
    pub(crate) home: TempDir,
}

impl Platform {
    /// 100 people and 20 days, which end on 2026-03-15.
    pub(crate) async fn simulated() -> Self {
        Self::with_history(
            TEMPLATE,
            ["--users", "100", "--days", "20", "--until", "2026-03-15T10:30:00Z"],
        )
        .await
    }

    /// A history of the simulator's options; the name says which.
    pub(crate) async fn with_history(name: &str, options: [&str; 6]) -> Self {
        let name = format!("{name}_{}", kindred_simulator::MODEL);
        let template = Template::once(&name, async |url| simulate(url, &options).await).await;
        Self {
            sources: TestDatabase::from_template(&template, "sources").await,
            warehouse: TestDatabase::create("warehouse").await,
            home: home(),
        }
    }

    /// The binary, set to this platform.
    pub(crate) fn kindred(&self) -> Kindred {
        let kindred = Kindred::new(self.home.path())
            .with("DATABASE_URL", self.warehouse.url())
            .with("USER_KEY_SECRET", "the secret of a test's user keys");
        SETTINGS
            .into_iter()
            .fold(kindred, |kindred, setting| kindred.with(setting, self.sources.url()))
    }

    /// The statuses of all runs, with what they say about errors, oldest first.
    pub(crate) async fn ledger(&self) -> Vec<(String, Option<String>)> {
        sqlx::query_as("select status, error_message from etl_job_runs order by requested_at, id")
            .fetch_all(self.warehouse.pool())
            .await
            .unwrap()
    }

    /// The one number that a statement on the warehouse answers.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let answer = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(self.warehouse.pool())
            .await;
        answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Changes the sources.
    pub(crate) async fn alter(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.sources.pool()).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

async fn simulate(address: String, options: &[&str]) -> Result<(), String> {
    let home = home();
    let kindred = SETTINGS
        .into_iter()
        .fold(Kindred::new(home.path()), |kindred, setting| {
            kindred.with(setting, address.as_str())
        });
    // The warehouse is not looked at; its address keeps the embedded server from being started.
    let kindred = kindred
        .with("DATABASE_URL", address.as_str())
        .with("USER_KEY_SECRET", "the secret of a test's user keys");
    let answer = kindred.run(&[&["simulate", "--seed", "7"], options].concat()).await;
    match answer.code {
        Some(0) => Ok(()),
        _ => Err(answer.to_string()),
    }
}
