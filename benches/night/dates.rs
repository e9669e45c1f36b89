//! The day that is computed: the last one that is over, by the database's calendar, and its two midnights in SQL.

use chrono::{Days, NaiveDate};
use sqlx::PgPool;

/// The day of the night's run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day(NaiveDate);

impl Day {
    /// Yesterday.
    pub(crate) async fn last(pool: &PgPool) -> anyhow::Result<Self> {
        let yesterday = "select (now() at time zone 'UTC')::date - 1";
        Ok(Self(sqlx::query_scalar(yesterday).fetch_one(pool).await?))
    }

    /// So many days earlier.
    pub(crate) fn before(self, days: u64) -> Self {
        Self(self.0 - Days::new(days))
    }

    /// The day after it.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + Days::new(1))
    }

    /// SQL of this benchmark, where `{day}` is the date, and `{start}`, `{end}` its midnights.
    pub(crate) fn put_into(self, sql: &str) -> String {
        sql.replace("{day}", &format!("date '{self}'"))
            .replace("{start}", &format!("timestamptz '{self}T00:00:00Z'"))
            .replace("{end}", &format!("timestamptz '{}T00:00:00Z'", self.next()))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
