//! Trying again: how long a run that ended without publishing waits, and the runs that take its place.
//!
//! A run to be tried again has `retry_at`. It has none when it publishes nothing anyway (dry), or is a backfill or a piece
//! of one: those are resumed as a whole.

use std::time::Duration;

use kindred_model::{Instant, Job, Trigger};
use rand::TryRng;
use rand::rngs::SysRng;
use uuid::Uuid;

use crate::{Warehouse, WarehouseError};

/// How often a run is tried in all, the first time included.
pub const ATTEMPTS: u32 = 5;

/// The wait after the first failure; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// How far a wait may be from its mean, so that what failed together is not tried again together.
const JITTER: f64 = 0.2;

/// How long to wait when the try of this number, from 1, has failed. `random`, from 0 to 1, chooses within the jitter.
#[must_use]
pub fn backoff(attempt: u32, random: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    // Capped on both sides of the jitter: the first cap keeps the product representable.
    let mean = doubled.min(2 * LONGEST_WAIT);
    mean.mul_f64(1.0 + JITTER * (2.0 * random.clamp(0.0, 1.0) - 1.0))
        .min(LONGEST_WAIT)
}

/// The waits in seconds, one for each try after which there is another: indexed by `attempt` in SQL, where there is no
/// element and so no retry after the last.
pub(super) fn waits() -> Vec<f64> {
    // Without randomness there is no jitter, and nothing worse.
    let random = || {
        SysRng
            .try_next_u32()
            .map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
    };
    (1..ATTEMPTS)
        .map(|attempt| backoff(attempt, random()).as_secs_f64())
        .collect()
}

impl Warehouse {
    /// Queues the retries that are due, at most one of each job that has nothing queued or running and is not paused.
    /// Returns their ids. What a later run of the job has published meanwhile is not tried again.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn start_retries(&self, at: Instant) -> Result<Vec<Uuid>, WarehouseError> {
        self.drop_needless_retries().await?;
        let mut started = Vec::new();
        for job in Job::ALL {
            // A run that has failed counts as a try; one that was stopped or had no chance to begin does not.
            let retry: Option<Uuid> = sqlx::query_scalar(
                "with due as (
                     select id, interval_start, interval_end, attempt + (status = 'failed')::int as attempt
                     from etl_job_runs
                     where job_name = $1 and retry_at <= $2
                       and not exists (select from job_ticks where job_name = $1 and paused)
                     order by retry_at, id limit 1
                     for update skip locked
                 ), started as (
                     insert into etl_job_runs
                         (id, job_name, interval_start, interval_end, trigger, status, attempt, requested_at)
                     select $3, $1, interval_start, interval_end, $4, 'queued', attempt, $2 from due
                     on conflict (job_name) where status in ('queued', 'running') and backfill_mode is null do nothing
                     returning id
                 )
                 update etl_job_runs as ended set retry_at = null from due, started where ended.id = due.id
                 returning started.id",
            )
            .bind(job.as_str())
            .bind(at)
            .bind(Uuid::now_v7())
            .bind(Trigger::Retry.as_str())
            .fetch_optional(self.pool())
            .await
            .map_err(WarehouseError::query("start a run again"))?;
            started.extend(retry);
        }
        Ok(started)
    }

    /// When the next retry is due that is not due yet.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn next_retry(&self, at: Instant) -> Result<Option<Instant>, WarehouseError> {
        sqlx::query_scalar("select min(retry_at) from etl_job_runs where retry_at > $1")
            .bind(at)
            .fetch_one(self.pool())
            .await
            .map_err(WarehouseError::query("find the next run to try again"))
    }

    async fn drop_needless_retries(&self) -> Result<(), WarehouseError> {
        sqlx::query(
            "update etl_job_runs as ended set retry_at = null
             where retry_at is not null and exists (
                 select from etl_job_runs as later
                 where later.job_name = ended.job_name and later.status in ('completed', 'partial')
                   and not later.dry_run and later.backfill_mode is null
                   and later.start_time >= coalesce(ended.start_time, ended.requested_at)
                   and later.interval_start <= ended.interval_start and later.interval_end >= ended.interval_end)",
        )
        .execute(self.pool())
        .await
        .map_err(WarehouseError::query("drop needless retries"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_within_its_jitter_up_to_a_quarter_of_an_hour() {
        let seconds = |attempt, random| backoff(attempt, random).as_secs_f64();
        for (attempt, mean) in [(1, 30.0), (2, 60.0), (3, 120.0), (4, 240.0), (5, 480.0)] {
            assert!((seconds(attempt, 0.5) - mean).abs() < 1e-9);
            assert!((seconds(attempt, 0.0) - 0.8 * mean).abs() < 1e-9);
            assert!((seconds(attempt, 1.0) - 1.2 * mean).abs() < 1e-9);
        }
        assert!((seconds(6, 1.0) - 900.0).abs() < 1e-9);
        assert!((seconds(u32::MAX, 0.0) - 900.0).abs() < 1e-9);
    }

    #[test]
    fn there_is_a_wait_after_every_try_but_the_last() {
        let waits = waits();
        assert_eq!(waits.len(), 4);
        assert!(
            (24.0..=36.0).contains(&waits[0]) && (192.0..=288.0).contains(&waits[3]),
            "{waits:?}"
        );
    }
}
