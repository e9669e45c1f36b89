//! The ticker's memory, `job_ticks`: up to which tick each job is dealt with, when its next is, and whether it is paused.
//!
//! A tick is dealt with in one transaction under its job's row, by whichever process comes first: the others find it
//! passed. `last_tick` never goes back.

use std::collections::BTreeMap;

use kindred_model::{Instant, Interval, Job, Trigger};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::runs::{Attended, RunRequest, in_the_way, insert_queued};
use crate::{Warehouse, WarehouseError};

/// An instant at which a job is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The job.
    pub job: Job,
    /// When it is due, by its schedule.
    pub at: Instant,
    /// What its run covers.
    pub interval: Interval,
    /// [`Trigger::Schedule`], or [`Trigger::CatchUp`] for what downtime has delayed.
    pub trigger: Trigger,
    /// Whether a run is made up for that cannot be started because another of the job is under way.
    pub made_up: bool,
    /// What ticks before it would have covered that were missed too long ago.
    pub given_up: Option<Interval>,
}

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticked {
    /// Its run is queued.
    Started(Uuid),
    /// It fell into a run of the same job, which the ledger notes by this run that never ran.
    Skipped(Uuid),
    /// A run of the job that was requested since is under way, of an earlier tick: it waits for its turn.
    Waits,
    /// A catch-up that a published run has made needless.
    Done,
    /// Somebody dealt with it, or the job is paused.
    Passed,
}

/// How the ticks of a job stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobState {
    /// The last tick that was dealt with.
    pub last_tick: Option<Instant>,
    /// The next tick.
    pub next_tick: Option<Instant>,
    /// Whether ticks wait for [`Warehouse::resume`].
    pub paused: bool,
    /// When a ticker first saw the job. Ticks before it are nobody's.
    pub watched_since: Option<Instant>,
}

impl Warehouse {
    /// How the ticks of every job stand that a ticker has seen, or that was paused.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn job_states(&self) -> Result<BTreeMap<Job, JobState>, WarehouseError> {
        type Row = (String, Option<Instant>, Option<Instant>, bool, Option<Instant>);
        let rows: Vec<Row> =
            sqlx::query_as("select job_name, last_tick, next_tick, paused, watched_since from job_ticks")
                .fetch_all(self.pool())
                .await
                .map_err(WarehouseError::query("read the jobs' ticks"))?;
        // A job that this program does not know is a newer one's.
        let states = rows
            .into_iter()
            .filter_map(|(job, last_tick, next_tick, paused, watched_since)| {
                let state = JobState {
                    last_tick,
                    next_tick,
                    paused,
                    watched_since,
                };
                Some((job.parse().ok()?, state))
            });
        Ok(states.collect())
    }

    /// Keeps the job's ticks from starting anything, until it is resumed. Runs under way go on.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn pause(&self, job: Job) -> Result<(), WarehouseError> {
        self.set_paused(job, true).await
    }

    /// Lets the job's ticks start runs again. Those of the pause are caught up like those of downtime.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn resume(&self, job: Job) -> Result<(), WarehouseError> {
        self.set_paused(job, false).await
    }

    /// Notes when the job ticks next, and at its first call since when it is watched: `at`.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn expect_tick(&self, job: Job, next: Option<Instant>, at: Instant) -> Result<(), WarehouseError> {
        sqlx::query(
            "insert into job_ticks (job_name, next_tick, watched_since) values ($1, $2, $3)
             on conflict (job_name) do update set next_tick = excluded.next_tick,
                 watched_since = coalesce(job_ticks.watched_since, excluded.watched_since)",
        )
        .bind(job.as_str())
        .bind(next)
        .bind(at)
        .execute(self.pool())
        .await
        .map_err(WarehouseError::query("note a job's next tick"))?;
        Ok(())
    }

    /// Deals with a tick of a job that is watched: queues its run, or notes why there is none.
    ///
    /// # Errors
    /// When the warehouse does not answer; the tick is then not dealt with.
    pub async fn tick(&self, tick: &Tick, at: Instant) -> Result<Ticked, WarehouseError> {
        let failed = || WarehouseError::query("deal with a tick");
        let mut transaction = self.pool().begin().await.map_err(failed())?;
        let open: Option<bool> = sqlx::query_scalar(
            "select not paused and (last_tick is null or last_tick < $2) from job_ticks where job_name = $1 for update",
        )
        .bind(tick.job.as_str())
        .bind(tick.at)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed())?;
        if open != Some(true) {
            return Ok(Ticked::Passed);
        }
        let ticked = start(&mut transaction, tick, at).await?;
        if ticked == Ticked::Waits {
            return Ok(ticked);
        }
        if let Some(interval) = tick.given_up {
            let why = format!(
                "{interval} was missed too long ago to be caught up; `kindred backfill {}` computes it",
                tick.job
            );
            insert_skipped(&mut transaction, &Tick { interval, ..*tick }, at, &why, false).await?;
        }
        sqlx::query("update job_ticks set last_tick = $2 where job_name = $1")
            .bind(tick.job.as_str())
            .bind(tick.at)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(ticked)
    }

    async fn set_paused(&self, job: Job, paused: bool) -> Result<(), WarehouseError> {
        sqlx::query(
            "insert into job_ticks (job_name, paused) values ($1, $2)
             on conflict (job_name) do update set paused = excluded.paused",
        )
        .bind(job.as_str())
        .bind(paused)
        .execute(self.pool())
        .await
        .map_err(WarehouseError::query("pause or resume a job"))?;
        Ok(())
    }
}

async fn start(connection: &mut PgConnection, tick: &Tick, at: Instant) -> Result<Ticked, WarehouseError> {
    if tick.trigger == Trigger::CatchUp && is_published(connection, tick).await? {
        return Ok(Ticked::Done);
    }
    let request = RunRequest {
        job: tick.job,
        interval: tick.interval,
        trigger: tick.trigger,
        dry_run: false,
        at,
    };
    loop {
        if let Some(run_id) = insert_queued(connection, &request, Attended::No).await? {
            return Ok(Ticked::Started(run_id));
        }
        if let Some((run_id, requested_at)) = in_the_way(connection, tick.job).await? {
            if requested_at >= tick.at {
                return Ok(Ticked::Waits);
            }
            let why = format!("run {run_id} of the job was queued or running");
            let skipped = insert_skipped(connection, tick, at, &why, tick.made_up).await?;
            return Ok(Ticked::Skipped(skipped));
        }
        // The run that stood in the way ended between the two statements: its place is free.
    }
}

/// Whether a run that began when the tick's interval was over has published it.
async fn is_published(connection: &mut PgConnection, tick: &Tick) -> Result<bool, WarehouseError> {
    sqlx::query_scalar(
        "select exists (
             select from etl_job_runs
             where job_name = $1 and status in ('completed', 'partial') and not dry_run and backfill_mode is null
               and interval_start <= $2 and interval_end >= $3 and start_time >= $3)",
    )
    .bind(tick.job.as_str())
    .bind(tick.interval.start())
    .bind(tick.interval.end())
    .fetch_one(connection)
    .await
    .map_err(WarehouseError::query("look for a run that has published a tick"))
}

async fn insert_skipped(
    connection: &mut PgConnection,
    tick: &Tick,
    at: Instant,
    why: &str,
    made_up: bool,
) -> Result<Uuid, WarehouseError> {
    sqlx::query_scalar(
        "insert into etl_job_runs
             (id, job_name, interval_start, interval_end, trigger, status, requested_at, end_time, error_message, retry_at)
         values ($1, $2, $3, $4, $5, 'skipped', $6, $6, $7, case when $8 then $6 end)
         returning id",
    )
    .bind(Uuid::now_v7())
    .bind(tick.job.as_str())
    .bind(tick.interval.start())
    .bind(tick.interval.end())
    .bind(tick.trigger.as_str())
    .bind(at)
    .bind(why)
    .bind(made_up)
    .fetch_one(connection)
    .await
    .map_err(WarehouseError::query("note a skipped tick"))
}
