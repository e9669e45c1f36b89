//! Source databases of a platform whose every day is like the next.

use anyhow::Context;
use kindred_testkit::TestDatabase;
use sqlx::{AssertSqlSafe, PgPool};

use crate::calendar::Calendar;

/// How large a platform is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Days of history before yesterday.
    pub(crate) days: u64,
    /// People, all there from the first day on but for the newcomers of the last 39 days.
    pub(crate) users: u64,
    /// Rows a day, of all facts together.
    pub(crate) volume: u64,
}

/// All sources in one database.
pub(crate) struct Sources {
    database: TestDatabase,
    size: Size,
    calendar: Calendar,
}

impl Sources {
    /// Tables without rows.
    pub(crate) async fn create(calendar: &Calendar, size: Size) -> anyhow::Result<Self> {
        let database = TestDatabase::create("bench_growth").await;
        for ddl in [
            include_str!("../../migrations/sources/users.sql"),
            include_str!("../../migrations/sources/interactions.sql"),
            include_str!("../../migrations/sources/communications.sql"),
            include_str!("../../migrations/sources/moderation.sql"),
            include_str!("schema.sql"),
        ] {
            sqlx::raw_sql(ddl).execute(database.pool()).await?;
        }
        Ok(Self {
            database,
            size,
            calendar: calendar.clone(),
        })
    }

    /// The address of them all.
    pub(crate) fn url(&self) -> String {
        self.database.url()
    }

    /// Their database.
    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// Lets them live from one instant to another, `volume` rows a day.
    pub(crate) async fn live(&self, from: &str, until: &str, volume: u64) -> anyhow::Result<()> {
        let midnight = |day: chrono::NaiveDate| format!("{day}T00:00:00Z");
        let sql = include_str!("fill.sql")
            .replace("{from}", from)
            .replace("{until}", until)
            .replace("{first}", &midnight(self.calendar.first(self.size.days)))
            .replace("{day}", &midnight(self.calendar.yesterday()))
            .replace("{users}", &self.size.users.to_string())
            .replace("{volume}", &volume.to_string());
        for sql in [&sql, "vacuum analyze"] {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                .execute(self.database.pool())
                .await
                .context("the sources cannot be filled")?;
        }
        Ok(())
    }
}
