//! How sources, jobs and checks stand, for monitoring.

use kindred_model::{Instant, Job, RunStatus};

use crate::{Warehouse, WarehouseError};

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Each source, and the instant at which all of its datasets were last read to the end.
    pub watermarks: Vec<(String, Instant)>,
    /// Every job.
    pub jobs: Vec<JobStanding>,
    /// Severities, and how many alerts of each are not resolved; those without one are left out.
    pub open_alerts: Vec<(String, i64)>,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobStanding {
    /// The job.
    pub job: Job,
    /// Whether a run of it is under way.
    pub is_running: bool,
    /// The state of the run that was requested last, skipped ones left out; none when there is none, or when a newer
    /// program has written it.
    pub last_status: Option<RunStatus>,
    /// When the last run ended that has published.
    pub last_success: Option<Instant>,
}

impl Warehouse {
    /// How things stand, by three queries that cost the same however long the history is.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn standing(&self) -> Result<Standing, WarehouseError> {
        let failed = || WarehouseError::query("read how sources, jobs and checks stand");
        let watermarks =
            sqlx::query_as("select source, min(extracted_to) from source_watermarks group by source order by source")
                .fetch_all(self.pool())
                .await
                .map_err(failed())?;
        let names: Vec<_> = Job::ALL.iter().map(|job| job.as_str()).collect();
        type Row = (bool, Option<String>, Option<Instant>);
        // A backfill counts by its pieces.
        let rows: Vec<Row> = sqlx::query_as(
            "select exists (
                        select from etl_job_runs
                        where job_name = job.name and status = 'running' and backfill_mode is null),
                    (select status from etl_job_runs
                     where job_name = job.name and status <> 'skipped' and backfill_mode is null
                     order by requested_at desc, id desc limit 1),
                    (select end_time from etl_job_runs
                     where job_name = job.name and status in ('completed', 'partial')
                       and not dry_run and backfill_mode is null
                     order by requested_at desc, id desc limit 1)
             from unnest($1::text[]) with ordinality as job(name, place) order by place",
        )
        .bind(names)
        .fetch_all(self.pool())
        .await
        .map_err(failed())?;
        let jobs = Job::ALL.iter().zip(rows);
        let open_alerts = sqlx::query_as(
            "select severity, count(*) from data_quality_alerts where not is_resolved group by severity",
        )
        .fetch_all(self.pool())
        .await
        .map_err(failed())?;
        Ok(Standing {
            watermarks,
            jobs: jobs.map(|(job, row)| told(*job, row)).collect(),
            open_alerts,
        })
    }
}

fn told(job: Job, (is_running, last_status, last_success): (bool, Option<String>, Option<Instant>)) -> JobStanding {
    JobStanding {
        job,
        is_running,
        last_status: last_status.and_then(|word| word.parse().ok()),
        last_success,
    }
}
