//! The ledger page by page, the newest run first.

use kindred_model::{Instant, Job, RunStatus};
use uuid::Uuid;

use super::{Run, RunRow, run_columns};
use crate::{Warehouse, WarehouseError};

/// Which runs are wanted; nothing set: all of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFilter {
    /// Of this job.
    pub job: Option<Job>,
    /// In this state.
    pub status: Option<RunStatus>,
    /// Requested at this instant or later.
    pub from: Option<Instant>,
    /// Requested before this instant.
    pub to: Option<Instant>,
    /// Those that come after this place of the list.
    pub after: Option<RunPosition>,
}

/// A run's place in the list, which stays where it is while newer runs come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPosition {
    /// When the run was requested.
    pub requested_at: Instant,
    /// Its id, for runs that were requested at one instant.
    pub id: Uuid,
}

/// Some runs of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPage {
    /// The newest first.
    pub runs: Vec<Run>,
    /// Where to go on; none when there are no more.
    pub next: Option<RunPosition>,
}

impl Warehouse {
    /// At most `limit` runs that pass the filter, of the jobs that this program knows.
    ///
    /// # Errors
    /// When the warehouse does not answer, or a row is a newer program's.
    pub async fn runs(&self, filter: &RunFilter, limit: u32) -> Result<RunPage, WarehouseError> {
        let (after, after_id) = filter.after.map(|place| (place.requested_at, place.id)).unzip();
        let rows: Vec<RunRow> = sqlx::query_as(concat!(
            "select ",
            run_columns!(),
            " from etl_job_runs
             where job_name = any($1)
               and ($2::text is null or status = $2)
               and ($3::timestamptz is null or requested_at >= $3)
               and ($4::timestamptz is null or requested_at < $4)
               and ($5::timestamptz is null or (requested_at, id) < ($5, $6))
             order by requested_at desc, id desc limit $7"
        ))
        .bind(names(filter.job.as_slice()))
        .bind(filter.status.map(RunStatus::as_str))
        .bind(filter.from)
        .bind(filter.to)
        .bind(after)
        .bind(after_id)
        .bind(i64::from(limit) + 1)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("list runs"))?;

        let more = rows.len() > limit as usize;
        let runs = rows.into_iter().take(limit as usize).map(Run::try_from);
        let runs = runs.collect::<Result<Vec<_>, _>>()?;
        let next = runs.last().filter(|_| more).map(|run| RunPosition {
            requested_at: run.requested_at,
            id: run.id,
        });
        Ok(RunPage { runs, next })
    }

    /// The runs of a backfill, its pieces, the oldest first.
    ///
    /// # Errors
    /// When the warehouse does not answer, or a row is a newer program's.
    pub async fn pieces(&self, backfill: Uuid) -> Result<Vec<Run>, WarehouseError> {
        let rows: Vec<RunRow> = sqlx::query_as(concat!(
            "select ",
            run_columns!(),
            " from etl_job_runs where parent_id = $1 order by requested_at, id"
        ))
        .bind(backfill)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("list the runs of a backfill"))?;
        rows.into_iter().map(Run::try_from).collect()
    }

    /// The last run of each job that was not skipped; backfills count by their pieces.
    ///
    /// # Errors
    /// When the warehouse does not answer, or a row is a newer program's.
    pub async fn last_runs(&self) -> Result<Vec<Run>, WarehouseError> {
        let rows: Vec<RunRow> = sqlx::query_as(concat!(
            "select last.* from unnest($1::text[]) as job(name), lateral (
                 select ",
            run_columns!(),
            "    from etl_job_runs
                 where job_name = job.name and backfill_mode is null and status <> 'skipped'
                 order by requested_at desc, id desc limit 1
             ) as last"
        ))
        .bind(names(Job::ALL))
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read the last run of each job"))?;
        rows.into_iter().map(Run::try_from).collect()
    }
}

/// The jobs' names; of all known ones when none is given, since a newer program's cannot be told.
pub(super) fn names(jobs: &[Job]) -> Vec<&'static str> {
    let jobs = if jobs.is_empty() { Job::ALL } else { jobs };
    jobs.iter().map(|job| job.as_str()).collect()
}
