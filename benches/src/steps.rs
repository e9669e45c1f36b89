//! The steps of a run, as the warehouse's ledger tells.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// A step of a run.
#[derive(Debug, sqlx::FromRow)]
pub struct Step {
    /// Its name, as operators see it.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// Rows that it read from the sources.
    pub rows_read: i64,
}

/// The steps of the run that was asked for last.
///
/// # Errors
/// The warehouse cannot be asked.
pub async fn of_last_run(warehouse: &PgPool) -> anyhow::Result<Vec<Step>> {
    let sql = "select step ->> 'name' as name, (step ->> 'rowsRead')::bigint as rows_read,
            (step ->> 'endedAt')::timestamptz as ended,
            extract(epoch from (step ->> 'endedAt')::timestamptz - (step ->> 'startedAt')::timestamptz)::float8 as seconds
        from (select steps from etl_job_runs order by requested_at desc limit 1) as last, jsonb_array_elements(steps) as step
        where step ->> 'endedAt' is not null";
    Ok(sqlx::query_as(sql).fetch_all(warehouse).await?)
}

/// Steps for people: "pull 0.21 s, state 0.10 s".
#[must_use]
pub fn told(steps: &[Step]) -> String {
    let told = steps.iter().map(|step| format!("{} {:.2} s", step.name, step.seconds));
    told.collect::<Vec<_>>().join(", ")
}
