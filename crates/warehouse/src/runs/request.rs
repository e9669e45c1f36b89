//! Asking for a run, and handing requested runs out.

use kindred_model::{Instant, Job};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Run, RunRequest, RunRow, STALE_AFTER, run_columns};
use crate::{Warehouse, WarehouseError};

/// Why a run could not be requested.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Runs of one job do not overlap.
    #[error("run {run_id} of the {job} job is queued or running; wait for it to end")]
    AlreadyRunning {
        /// The job.
        job: Job,
        /// The run that stands in the way.
        run_id: Uuid,
    },
    /// The ledger could not be asked.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

impl Warehouse {
    /// Writes a run that somebody wants into the ledger, for a worker to take up, and returns its id. Dead runs are
    /// ended first, so that none stands in the way.
    ///
    /// # Errors
    /// [`RequestError::AlreadyRunning`] while another run of the job is queued or running.
    pub async fn request(&self, request: &RunRequest) -> Result<Uuid, RequestError> {
        self.write_request(request, Attended::No).await
    }

    /// The same for a process that waits for the run's turn itself, and gives signs of life by [`Warehouse::attend`]:
    /// when they cease, the run is ended like one whose owner died, and does not stand in the way of others.
    ///
    /// # Errors
    /// [`RequestError::AlreadyRunning`] while another run of the job is queued or running.
    pub async fn request_attended(&self, request: &RunRequest) -> Result<Uuid, RequestError> {
        self.write_request(request, Attended::Yes).await
    }

    /// Gives a sign of life for a queued run that this process waits for. It does nothing to one that is not queued.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn attend(&self, run_id: Uuid, at: Instant) -> Result<(), WarehouseError> {
        sqlx::query("update etl_job_runs set heartbeat_at = $2 where id = $1 and status = 'queued'")
            .bind(run_id)
            .bind(at)
            .execute(self.pool())
            .await
            .map_err(WarehouseError::query("attend a queued run"))?;
        Ok(())
    }

    async fn write_request(&self, request: &RunRequest, attended: Attended) -> Result<Uuid, RequestError> {
        self.reap(request.at, STALE_AFTER).await?;
        loop {
            let mut connection = self
                .pool()
                .acquire()
                .await
                .map_err(WarehouseError::query("request a run"))?;
            if let Some(id) = insert_queued(&mut connection, request, attended).await? {
                return Ok(id);
            }
            if let Some((run_id, _)) = in_the_way(&mut connection, request.job).await? {
                return Err(RequestError::AlreadyRunning {
                    job: request.job,
                    run_id,
                });
            }
            // The run that stood in the way ended between the two statements: its place is free.
        }
    }

    /// The oldest queued run of a job that this program knows; none while a run is under way, since one runs at a time.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn next_queued(&self) -> Result<Option<Uuid>, WarehouseError> {
        let known: Vec<_> = Job::ALL.iter().map(|job| job.as_str()).collect();
        sqlx::query_scalar(
            "select id from etl_job_runs
             where status = 'queued' and backfill_mode is null and job_name = any($1)
               and not exists (select from etl_job_runs where status = 'running' and backfill_mode is null)
             order by requested_at, id limit 1",
        )
        .bind(known)
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("find the next queued run"))
    }

    /// Takes a queued run for `owner`, who must end it, and give a sign of life by [`Warehouse::heartbeat`] meanwhile.
    /// None when somebody else took it, when it is not queued any more, or while another run is under way: it is then
    /// still queued. Only backfills run beside others.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn claim(&self, run_id: Uuid, owner: Uuid, at: Instant) -> Result<Option<Run>, WarehouseError> {
        let claimed: Result<Option<RunRow>, _> = sqlx::query_as(concat!(
            "update etl_job_runs set status = 'running', owner = $2, start_time = $3, heartbeat_at = $3
             where id = $1 and status = 'queued' and (
                 backfill_mode is not null
                 or not exists (select from etl_job_runs where status = 'running' and backfill_mode is null))
             returning ",
            run_columns!()
        ))
        .bind(run_id)
        .bind(owner)
        .bind(at)
        .fetch_optional(self.pool())
        .await;
        match claimed {
            Ok(claimed) => claimed.map(Run::try_from).transpose(),
            // Another run was claimed at the same instant.
            Err(error) if is_unique_violation(&error) => Ok(None),
            Err(error) => Err(WarehouseError::query("claim a run")(error)),
        }
    }
}

fn is_unique_violation(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether a process waits for a queued run itself, so that the run shall not outlive it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attended {
    Yes,
    No,
}

/// Queues a run, unless one of the job is queued or running, on a connection that may be in a transaction.
pub(crate) async fn insert_queued(
    connection: &mut PgConnection,
    request: &RunRequest,
    attended: Attended,
) -> Result<Option<Uuid>, WarehouseError> {
    sqlx::query_scalar(
        "insert into etl_job_runs
             (id, job_name, interval_start, interval_end, trigger, status, dry_run, requested_at, heartbeat_at)
         values ($1, $2, $3, $4, $5, 'queued', $6, $7, case when $8 then $7 end)
         on conflict (job_name) where status in ('queued', 'running') and backfill_mode is null do nothing
         returning id",
    )
    .bind(Uuid::now_v7())
    .bind(request.job.as_str())
    .bind(request.interval.start())
    .bind(request.interval.end())
    .bind(request.trigger.as_str())
    .bind(request.dry_run)
    .bind(request.at)
    .bind(attended == Attended::Yes)
    .fetch_optional(connection)
    .await
    .map_err(WarehouseError::query("request a run"))
}

/// The run of a job that is queued or running, and when it was requested.
pub(crate) async fn in_the_way(
    connection: &mut PgConnection,
    job: Job,
) -> Result<Option<(Uuid, Instant)>, WarehouseError> {
    sqlx::query_as(
        "select id, requested_at from etl_job_runs
         where job_name = $1 and status in ('queued', 'running') and backfill_mode is null",
    )
    .bind(job.as_str())
    .fetch_optional(connection)
    .await
    .map_err(WarehouseError::query("find the run under way"))
}
