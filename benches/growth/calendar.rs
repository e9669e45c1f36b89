//! The days that the binary, which has the clock of the machine, will call yesterday and today.

use anyhow::Context;
use chrono::{DateTime, Days, DurationRound, NaiveDate, TimeDelta, Utc};
use kindred_testkit::TestDatabase;

/// A moment, and the days around it.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    now: DateTime<Utc>,
}

impl Calendar {
    /// As the database's clock says.
    pub(crate) async fn now() -> anyhow::Result<Self> {
        let asked = TestDatabase::create("calendar").await;
        let now = sqlx::query_scalar("select now()").fetch_one(asked.pool()).await?;
        Ok(Self { now })
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    pub(crate) fn yesterday(&self) -> NaiveDate {
        self.today() - Days::new(1)
    }

    /// The first day of a history of so many days before yesterday.
    pub(crate) fn first(&self, days: u64) -> NaiveDate {
        self.yesterday() - Days::new(days)
    }

    /// The beginning of the hour that was closed last.
    pub(crate) fn last_hour(&self) -> anyhow::Result<DateTime<Utc>> {
        Ok(self.this_hour()? - TimeDelta::hours(1))
    }

    /// Its end.
    pub(crate) fn this_hour(&self) -> anyhow::Result<DateTime<Utc>> {
        self.now
            .duration_trunc(TimeDelta::hours(1))
            .context("a clock of our era")
    }

    /// The day after the last that a backfill is asked for: daily figures are left to the run that is measured, and hours
    /// are known up to that of the run.
    pub(crate) fn backfill_to(&self, job: &str) -> String {
        let to = match job {
            "hourly" => self.today() + Days::new(1),
            _ => self.yesterday(),
        };
        to.to_string()
    }
}
