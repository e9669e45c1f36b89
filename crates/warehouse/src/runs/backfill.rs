//! Backfills: a run of the ledger whose work is done by others, its pieces, one after the other.
//!
//! It is held by a lease like any run, and beside the runs: its pieces take turns with those of other jobs. Its steps
//! are the plan and then the pieces, from which [`Run::progress`] reads how far it has come.

use chrono::NaiveDate;
use kindred_model::{BackfillMode, DayWindow, Instant, Job, RunStatus, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Attended, RequestError, Run, RunRequest, RunRow, STALE_AFTER, StepRecord, in_the_way, insert_queued, run_columns,
};
use crate::{Warehouse, WarehouseError};

/// Days that somebody wants computed, in pieces.
#[derive(Debug, Clone, Copy)]
pub struct BackfillRequest {
    /// By which job.
    pub job: Job,
    /// Among these days.
    pub window: DayWindow,
    /// Which of them.
    pub mode: BackfillMode,
    /// Whether to compute and check only, and publish nothing.
    pub dry_run: bool,
    /// When it is asked for.
    pub at: Instant,
}

/// How far a backfill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillProgress {
    /// Days to compute in all.
    pub days: u64,
    /// Days that are done.
    pub done: u64,
    /// The days that are computed now; none before the first piece and after the last.
    pub next: Option<DayWindow>,
}

/// What the step of a backfill's plan says.
#[derive(Serialize, Deserialize)]
struct Plan {
    days: u64,
    runs: usize,
}

/// What the step of a backfill's piece says.
#[derive(Serialize, Deserialize)]
struct Piece {
    from: NaiveDate,
    to: NaiveDate,
    #[serde(rename = "runId")]
    run_id: Option<Uuid>,
}

/// What a backfill's first step says, once it has chosen its days: how many, in how many runs.
#[must_use]
pub fn plan_detail(days: u64, runs: usize) -> Value {
    json!(Plan { days, runs })
}

/// What a backfill's further steps say, each of the days of one piece; its run, once it is over.
#[must_use]
pub fn piece_detail(days: DayWindow, run_id: Option<Uuid>) -> Value {
    let (from, to) = (days.from(), days.to());
    json!(Piece { from, to, run_id })
}

impl Run {
    /// How far it has come, when it is a backfill that has chosen its days.
    #[must_use]
    pub fn progress(&self) -> Option<BackfillProgress> {
        self.backfill_mode?;
        let steps = Vec::<StepRecord>::deserialize(&self.steps).ok()?;
        let (plan, pieces) = steps.split_first()?;
        let Plan { days, .. } = Plan::deserialize(&plan.detail).ok()?;
        let mut progress = BackfillProgress {
            days,
            done: 0,
            next: None,
        };
        for step in pieces {
            let piece = Piece::deserialize(&step.detail).ok()?;
            let window = DayWindow::new(piece.from, piece.to).ok()?;
            match step.ended_at {
                Some(_) => progress.done += window.len(),
                None if self.status.is_final() => {}
                None => progress.next = Some(window),
            }
        }
        Some(progress)
    }
}

impl Warehouse {
    /// Queues a backfill, for a worker to take up by [`Warehouse::next_backfill`] and [`Warehouse::claim`].
    ///
    /// # Errors
    /// [`RequestError::AlreadyRunning`] while another backfill of the job is queued or running.
    pub async fn request_backfill(&self, request: &BackfillRequest) -> Result<Run, RequestError> {
        self.write_backfill(request, None).await
    }

    /// Writes a backfill that `owner` carries out itself: it is running from the start.
    ///
    /// # Errors
    /// [`RequestError::AlreadyRunning`] while another backfill of the job is queued or running.
    pub async fn begin_backfill(&self, request: &BackfillRequest, owner: Uuid) -> Result<Run, RequestError> {
        self.write_backfill(request, Some(owner)).await
    }

    /// The oldest queued backfill of a job that this program knows.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn next_backfill(&self) -> Result<Option<Uuid>, WarehouseError> {
        let known: Vec<_> = Job::ALL.iter().map(|job| job.as_str()).collect();
        sqlx::query_scalar(
            "select id from etl_job_runs
             where status = 'queued' and backfill_mode is not null and job_name = any($1)
             order by requested_at, id limit 1",
        )
        .bind(known)
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("find the next queued backfill"))
    }

    /// Queues a piece of a backfill, which its owner attends. None when the backfill is not the owner's any more.
    ///
    /// # Errors
    /// [`RequestError::AlreadyRunning`] while another run of the job is queued or running.
    pub async fn request_piece(
        &self,
        backfill: &Run,
        owner: Uuid,
        piece: DayWindow,
        at: Instant,
    ) -> Result<Option<Uuid>, RequestError> {
        self.reap(at, STALE_AFTER).await?;
        let request = RunRequest {
            job: backfill.job,
            interval: piece.into(),
            trigger: Trigger::Backfill,
            dry_run: backfill.dry_run,
            at,
        };
        let doing = WarehouseError::query;
        let mut transaction = self.pool().begin().await.map_err(doing("begin to request a piece"))?;
        // Held until the piece is written: whoever cancels the backfill meanwhile finds the piece.
        let held: Option<bool> =
            sqlx::query_scalar("select status = $3 from etl_job_runs where id = $1 and owner = $2 for update")
                .bind(backfill.id)
                .bind(owner)
                .bind(RunStatus::Running.as_str())
                .fetch_optional(&mut *transaction)
                .await
                .map_err(doing("hold a backfill's lease"))?;
        if held != Some(true) {
            return Ok(None);
        }
        let run_id = loop {
            if let Some(run_id) = insert_queued(&mut transaction, &request, Attended::Yes).await? {
                break run_id;
            }
            if let Some((run_id, _)) = in_the_way(&mut transaction, request.job).await? {
                let job = request.job;
                return Err(RequestError::AlreadyRunning { job, run_id });
            }
            // The run that stood in the way ended between the two statements: its place is free.
        };
        sqlx::query("update etl_job_runs set parent_id = $2 where id = $1")
            .bind(run_id)
            .bind(backfill.id)
            .execute(&mut *transaction)
            .await
            .map_err(doing("note whose piece a run is"))?;
        transaction.commit().await.map_err(doing("request a piece"))?;
        Ok(Some(run_id))
    }

    async fn write_backfill(&self, request: &BackfillRequest, owner: Option<Uuid>) -> Result<Run, RequestError> {
        self.reap(request.at, STALE_AFTER).await?;
        loop {
            let written: Option<RunRow> = sqlx::query_as(concat!(
                "insert into etl_job_runs
                     (id, job_name, interval_start, interval_end, trigger, status, dry_run, requested_at, backfill_mode,
                      owner, start_time, heartbeat_at)
                 select $1, $2, $3, $4, $5, case when $9::uuid is null then 'queued' else 'running' end, $6, $7, $8,
                     $9, case when $9 is not null then $7 end, case when $9 is not null then $7 end
                 on conflict (job_name) where status in ('queued', 'running') and backfill_mode is not null do nothing
                 returning ",
                run_columns!()
            ))
            .bind(Uuid::now_v7())
            .bind(request.job.as_str())
            .bind(request.window.start())
            .bind(request.window.end())
            .bind(Trigger::Backfill.as_str())
            .bind(request.dry_run)
            .bind(request.at)
            .bind(request.mode.as_str())
            .bind(owner)
            .fetch_optional(self.pool())
            .await
            .map_err(WarehouseError::query("request a backfill"))?;
            if let Some(row) = written {
                return Ok(Run::try_from(row)?);
            }
            if let Some(run_id) = self.active_backfill(request.job).await? {
                let job = request.job;
                return Err(RequestError::AlreadyRunning { job, run_id });
            }
            // The backfill that stood in the way ended between the two statements: its place is free.
        }
    }

    async fn active_backfill(&self, job: Job) -> Result<Option<Uuid>, WarehouseError> {
        sqlx::query_scalar(
            "select id from etl_job_runs
             where job_name = $1 and status in ('queued', 'running') and backfill_mode is not null",
        )
        .bind(job.as_str())
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("find the backfill under way"))
    }
}
