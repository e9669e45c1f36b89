//! Source databases of a simulated platform, and an empty warehouse and lake beside them.

use std::path::Path;

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
        let template = Template::once(&name, async |url: String| Self::simulate(&url, &options).await).await;
        Self::of(&template).await
    }

    /// The sources of a template.
    pub(crate) async fn of(sources: &Template) -> Self {
        Self {
            sources: TestDatabase::from_template(sources, "sources").await,
            warehouse: TestDatabase::create("warehouse").await,
            home: home(),
        }
    }

    /// The binary, set to this platform.
    pub(crate) fn kindred(&self) -> Kindred {
        Self::kindred_of(self.home.path(), &self.sources.url(), &self.warehouse.url())
    }

    /// The binary, set to a platform at these addresses, with its state below `home`.
    pub(crate) fn kindred_of(home: &Path, sources: &str, warehouse: &str) -> Kindred {
        let kindred = Kindred::new(home)
            .with("DATABASE_URL", warehouse)
            .with("USER_KEY_SECRET", "the secret of a test's user keys");
        Self::sources_at(kindred, sources)
    }

    /// The binary, set to sources that are all at this address.
    pub(crate) fn sources_at(kindred: Kindred, address: &str) -> Kindred {
        SETTINGS
            .into_iter()
            .fold(kindred, |kindred, setting| kindred.with(setting, address))
    }

    /// Fills a database with a history of the simulator's options.
    pub(crate) async fn simulate(address: &str, options: &[&str]) -> Result<(), String> {
        let home = home();
        // The warehouse is not looked at; its address keeps the embedded server from being started.
        let kindred = Self::kindred_of(home.path(), address, address);
        let answer = kindred.run(&[&["simulate", "--seed", "7"], options].concat()).await;
        match answer.code {
            Some(0) => Ok(()),
            _ => Err(answer.to_string()),
        }
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
