//! Holding a run: its heartbeat, its steps, its end, and the end of runs whose owner died.

use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{Instant, Job};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::retry::waits;
use super::{FORGOTTEN_AFTER, RunOutcome, StepRecord};
use crate::{Warehouse, WarehouseError};

impl Warehouse {
    /// Gives a sign of life. False when the run is not the owner's any more: it was taken for dead, or cancelled.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn heartbeat(&self, run_id: Uuid, owner: Uuid, at: Instant) -> Result<bool, WarehouseError> {
        let beaten = sqlx::query(
            "update etl_job_runs set heartbeat_at = $3 where id = $1 and owner = $2 and status = 'running'",
        )
        .bind(run_id)
        .bind(owner)
        .bind(at)
        .execute(self.pool())
        .await
        .map_err(WarehouseError::query("keep a run's heartbeat"))?;
        Ok(beaten.rows_affected() == 1)
    }

    /// Writes the steps done so far, in place of those written before. False when the run is not the owner's any more.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn record_steps(&self, run_id: Uuid, owner: Uuid, steps: &[StepRecord]) -> Result<bool, WarehouseError> {
        let recorded =
            sqlx::query("update etl_job_runs set steps = $3 where id = $1 and owner = $2 and status = 'running'")
                .bind(run_id)
                .bind(owner)
                .bind(Json(steps))
                .execute(self.pool())
                .await
                .map_err(WarehouseError::query("record a run's steps"))?;
        Ok(recorded.rows_affected() == 1)
    }

    /// Ends a run that published nothing: failed, cancelled, or dry. False when it is not the owner's any more.
    ///
    /// It is tried again when its outcome is transient, or when its process was stopped in a run that nobody asked for
    /// in person: whoever cancels a run in person takes it from its owner.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn finish(
        &self,
        run_id: Uuid,
        owner: Uuid,
        at: Instant,
        outcome: RunOutcome,
    ) -> Result<bool, WarehouseError> {
        let mut connection = self
            .pool()
            .acquire()
            .await
            .map_err(WarehouseError::query("end a run"))?;
        finish(&mut connection, run_id, owner, at, &outcome).await
    }

    /// The runs that processes work on now.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn live_runs(&self) -> Result<Vec<Uuid>, WarehouseError> {
        sqlx::query_scalar("select id from etl_job_runs where status = 'running'")
            .fetch_all(self.pool())
            .await
            .map_err(WarehouseError::query("list the runs under way"))
    }

    /// Ends the runs whose process gave no sign of life for `stale_after`, as failed, those too that it only waited for;
    /// and those that stayed queued for an hour in which nobody worked, as cancelled. Those that can be are tried again.
    /// Returns their ids.
    ///
    /// A run that is being published holds its row, and is left alone. A sign of life from the future, of a clock that was
    /// ahead, counts from now on.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn reap(&self, at: Instant, stale_after: Duration) -> Result<Vec<Uuid>, WarehouseError> {
        sqlx::query(
            "update etl_job_runs set heartbeat_at = $1 where id in (
                 select id from etl_job_runs where status in ('queued', 'running') and heartbeat_at > $2
                 for update skip locked)",
        )
        .bind(at)
        .bind(after(at, stale_after))
        .execute(self.pool())
        .await
        .map_err(WarehouseError::query("doubt signs of life from the future"))?;
        let ended = sqlx::query_scalar(
            "update etl_job_runs
             set status = case when heartbeat_at is null then 'cancelled' else 'failed' end,
                 end_time = $1,
                 execution_time_ms = (extract(epoch from greatest($1, start_time) - start_time) * 1000)::bigint,
                 error_message = case
                     when heartbeat_at is null
                         then 'nobody took it up for an hour: no process runs the jobs of this warehouse'
                     else 'its process died: no heartbeat since '
                         || to_char(heartbeat_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
                 end,
                 retry_at = case
                     when dry_run or parent_id is not null or backfill_mode is not null then null
                     when heartbeat_at is not null then $1 + make_interval(secs => ($4::float8[])[attempt])
                     when trigger in ('schedule', 'catch_up', 'retry') then $1
                 end
             where id in (
                 select id from etl_job_runs
                 where status in ('queued', 'running') and heartbeat_at < $2
                    or status = 'queued' and heartbeat_at is null and requested_at < $3
                       and not exists (select from etl_job_runs as sign where sign.heartbeat_at >= $3)
                 for update skip locked)
             returning id",
        )
        .bind(at)
        .bind(before(at, stale_after))
        .bind(at - FORGOTTEN_AFTER)
        .bind(waits())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("end dead runs"))?;
        for run_id in &ended {
            tracing::warn!(%run_id, "ended a run whose process died or that nobody took up");
        }
        Ok(ended)
    }

    /// Ends the runs of a job that have been running for longer than `deadline`, as failed, and returns their ids.
    /// Their owners learn of it by their next heartbeat. Backfills may take as long as they like, their pieces may not.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn end_overdue(&self, job: Job, at: Instant, deadline: Duration) -> Result<Vec<Uuid>, WarehouseError> {
        let ended = sqlx::query_scalar(
            "update etl_job_runs
             set status = 'failed', end_time = $2,
                 execution_time_ms = (extract(epoch from greatest($2, start_time) - start_time) * 1000)::bigint,
                 error_message = 'it took longer than its deadline of ' || $4 || ' minutes'
             where id in (
                 select id from etl_job_runs
                 where status = 'running' and backfill_mode is null and job_name = $1 and start_time < $3
                 for update skip locked)
             returning id",
        )
        .bind(job.as_str())
        .bind(at)
        .bind(before(at, deadline))
        .bind((deadline.as_secs() / 60).to_string())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("end overdue runs"))?;
        for run_id in &ended {
            tracing::warn!(%run_id, %job, "ended a run that took longer than its deadline");
        }
        Ok(ended)
    }
}

fn before(at: Instant, length: Duration) -> Instant {
    let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
    at.checked_sub_signed(length).unwrap_or(Instant::MIN_UTC)
}

fn after(at: Instant, length: Duration) -> Instant {
    let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
    at.checked_add_signed(length).unwrap_or(Instant::MAX_UTC)
}

/// Ends a run, if it is still the owner's, on a connection that may be in the publishing transaction.
pub(crate) async fn finish(
    connection: &mut PgConnection,
    run_id: Uuid,
    owner: Uuid,
    at: Instant,
    outcome: &RunOutcome,
) -> Result<bool, WarehouseError> {
    let finished = sqlx::query(
        "update etl_job_runs
         set status = $4, end_time = $3, records_read = $5, records_processed = $6, error_message = $7,
             execution_time_ms = (extract(epoch from greatest($3, start_time) - start_time) * 1000)::bigint,
             data_quality_checks = $8, steps = $9,
             retry_at = case
                 when dry_run or parent_id is not null or backfill_mode is not null then null
                 when $4 = 'failed' and $10 then $3 + make_interval(secs => ($11::float8[])[attempt])
                 when $4 = 'cancelled' and trigger in ('schedule', 'catch_up', 'retry') then $3
             end
         where id = $1 and owner = $2 and status = 'running'",
    )
    .bind(run_id)
    .bind(owner)
    .bind(at)
    .bind(outcome.status.as_str())
    .bind(outcome.records_read)
    .bind(outcome.records_processed)
    .bind(&outcome.error_message)
    .bind(Json(&outcome.checks))
    .bind(Json(&outcome.steps))
    .bind(outcome.transient)
    .bind(waits())
    .execute(connection)
    .await
    .map_err(WarehouseError::query("end a run"))?;
    Ok(finished.rows_affected() == 1)
}
