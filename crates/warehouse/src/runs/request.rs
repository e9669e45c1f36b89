//! Asking for a run, and handing requested runs out.

use kindred_model::{Instant, Job};
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
    /// Writes a run that somebody wants into the ledger, and returns its id. Dead runs are ended first, so that none
    /// stands in the way.
    ///
    /// # Errors
    /// [`RequestError::AlreadyRunning`] while another run of the job is queued or running.
    pub async fn request(&self, request: &RunRequest) -> Result<Uuid, RequestError> {
        self.reap(request.at, STALE_AFTER).await?;
        loop {
            if let Some(id) = self.insert_queued(request).await? {
                return Ok(id);
            }
            if let Some(run_id) = self.active_run(request.job).await? {
                return Err(RequestError::AlreadyRunning {
                    job: request.job,
                    run_id,
                });
            }
            // The run that stood in the way ended between the two statements: its place is free.
        }
    }

    /// The oldest queued run of a job that this program knows.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn next_queued(&self) -> Result<Option<Uuid>, WarehouseError> {
        let known: Vec<_> = Job::ALL.iter().map(|job| job.as_str()).collect();
        sqlx::query_scalar(
            "select id from etl_job_runs where status = 'queued' and job_name = any($1) order by requested_at, id limit 1",
        )
        .bind(known)
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("find the next queued run"))
    }

    /// Takes a queued run for `owner`, who must end it, and give a sign of life by [`Warehouse::heartbeat`] meanwhile.
    /// None when somebody else took it, or it is not queued any more.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn claim(&self, run_id: Uuid, owner: Uuid, at: Instant) -> Result<Option<Run>, WarehouseError> {
        let claimed: Option<RunRow> = sqlx::query_as(concat!(
            "update etl_job_runs set status = 'running', owner = $2, start_time = $3, heartbeat_at = $3
             where id = $1 and status = 'queued' returning ",
            run_columns!()
        ))
        .bind(run_id)
        .bind(owner)
        .bind(at)
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("claim a run"))?;
        claimed.map(Run::try_from).transpose()
    }

    async fn insert_queued(&self, request: &RunRequest) -> Result<Option<Uuid>, WarehouseError> {
        sqlx::query_scalar(
            "insert into etl_job_runs
                 (id, job_name, interval_start, interval_end, trigger, status, dry_run, requested_at)
             values ($1, $2, $3, $4, $5, 'queued', $6, $7)
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
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("request a run"))
    }

    async fn active_run(&self, job: Job) -> Result<Option<Uuid>, WarehouseError> {
        sqlx::query_scalar("select id from etl_job_runs where job_name = $1 and status in ('queued', 'running')")
            .bind(job.as_str())
            .fetch_optional(self.pool())
            .await
            .map_err(WarehouseError::query("find the run under way"))
    }
}
