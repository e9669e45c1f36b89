//! Looking back at runs: one by its id, the latest of each job, and which days were computed.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;
use kindred_model::{DayWindow, Instant, Job, RunStatus};
use uuid::Uuid;

use super::list::names;
use super::{Run, RunRow, run_columns};
use crate::{Warehouse, WarehouseError};

/// Between two looks at a run that somebody waits for: short for a person, long for the database.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What each run of a job ($1) covered of the days from $2 to $3, as far as it was over when the run began.
macro_rules! covered {
    () => {
        "covered as (
             select id, end_time, status <> 'failed' as published, tsrange(
                 interval_start at time zone 'UTC',
                 greatest(interval_start, least(interval_end, start_time)) at time zone 'UTC') as span
             from etl_job_runs
             where job_name = $1 and status in ('completed', 'partial', 'failed')
               and not dry_run and backfill_mode is null
               and interval_start < $3 at time zone 'UTC' and interval_end > $2 at time zone 'UTC'
         )"
    };
}

impl Warehouse {
    /// The run of this id.
    ///
    /// # Errors
    /// When the warehouse does not answer, or the row is a newer program's.
    pub async fn run(&self, run_id: Uuid) -> Result<Option<Run>, WarehouseError> {
        let row: Option<RunRow> = sqlx::query_as(concat!(
            "select ",
            run_columns!(),
            " from etl_job_runs where id = $1 and job_name = any($2)"
        ))
        .bind(run_id)
        .bind(names(&[]))
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("read a run"))?;
        row.map(Run::try_from).transpose()
    }

    /// The state of whatever has this place in the ledger: a run, or an erasure.
    ///
    /// # Errors
    /// When the warehouse does not answer, or the state is a newer program's.
    pub async fn run_status(&self, run_id: Uuid) -> Result<Option<RunStatus>, WarehouseError> {
        let status: Option<String> = sqlx::query_scalar("select status from etl_job_runs where id = $1")
            .bind(run_id)
            .fetch_optional(self.pool())
            .await
            .map_err(WarehouseError::query("read a run's state"))?;
        let unread = |source| WarehouseError::Ledger { run_id, source };
        status.map(|status| status.parse().map_err(unread)).transpose()
    }

    /// Waits until the run is over or the deadline has come, and returns it as it is then: see its status.
    ///
    /// # Errors
    /// When there is no such run, or the warehouse does not answer.
    pub async fn wait_until_final(&self, run_id: Uuid, deadline: tokio::time::Instant) -> Result<Run, WarehouseError> {
        loop {
            let run = self.run(run_id).await?.ok_or(WarehouseError::NoSuchRun(run_id))?;
            if run.status.is_final() || tokio::time::Instant::now() >= deadline {
                return Ok(run);
            }
            tokio::time::sleep_until(deadline.min(tokio::time::Instant::now() + LOOK_EVERY)).await;
        }
    }

    /// The run of a job that was requested last.
    ///
    /// # Errors
    /// When the warehouse does not answer, or the row is a newer program's.
    pub async fn latest_run(&self, job: Job) -> Result<Option<Run>, WarehouseError> {
        let row: Option<RunRow> = sqlx::query_as(concat!(
            "select ",
            run_columns!(),
            " from etl_job_runs where job_name = $1 order by requested_at desc, id desc limit 1"
        ))
        .bind(job.as_str())
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("read a job's latest run"))?;
        row.map(Run::try_from).transpose()
    }

    /// When the ticker will start the job next; none when nothing is scheduled.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn next_tick(&self, job: Job) -> Result<Option<Instant>, WarehouseError> {
        let next: Option<Option<Instant>> =
            sqlx::query_scalar("select next_tick from job_ticks where job_name = $1 and not paused")
                .bind(job.as_str())
                .fetch_optional(self.pool())
                .await
                .map_err(WarehouseError::query("read a job's next tick"))?;
        Ok(next.flatten())
    }

    /// The days of the window that runs have published whole, each hour by one that began when the hour was over.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn completed_days(&self, job: Job, window: DayWindow) -> Result<BTreeSet<NaiveDate>, WarehouseError> {
        let days = sqlx::query_scalar(concat!(
            "with ",
            covered!(),
            " select day::date from generate_series($2, $3 - interval '1 day', interval '1 day') as day
             where (select range_agg(span) from covered where published) @> tsrange(day, day + interval '1 day')"
        ));
        self.days(days, job, window).await
    }

    /// The days of the window with a part that a run has failed to publish and none has published since.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn failed_days(&self, job: Job, window: DayWindow) -> Result<BTreeSet<NaiveDate>, WarehouseError> {
        let days = sqlx::query_scalar(concat!(
            "with ",
            covered!(),
            ", left_open as (
                 select tsmultirange(failed.span) - coalesce((
                     select range_agg(later.span) from covered as later
                     where later.published and (later.end_time, later.id) > (failed.end_time, failed.id)
                 ), '{}') as spans
                 from covered as failed where not failed.published
             )
             select day::date from generate_series($2, $3 - interval '1 day', interval '1 day') as day
             where exists (select from left_open where spans && tsrange(day, day + interval '1 day'))"
        ));
        self.days(days, job, window).await
    }

    async fn days<'q>(
        &self,
        days: sqlx::query::QueryScalar<'q, sqlx::Postgres, NaiveDate, sqlx::postgres::PgArguments>,
        job: Job,
        window: DayWindow,
    ) -> Result<BTreeSet<NaiveDate>, WarehouseError> {
        let days = days
            .bind(job.as_str())
            .bind(window.start().naive_utc())
            .bind(window.end().naive_utc())
            .fetch_all(self.pool())
            .await
            .map_err(WarehouseError::query("list the days of a job's runs"))?;
        Ok(days.into_iter().collect())
    }
}
