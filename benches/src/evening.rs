//! The evening before a run: what a backfill has read counts as read then, not now.

use anyhow::ensure;
use sqlx::PgPool;

/// Lets a warehouse believe that it has read its sources at an instant, and what there was before it.
///
/// # Errors
/// Either database cannot be asked, or the events' table was not read before.
pub async fn was_read_to(instant: &str, sources: &PgPool, warehouse: &PgPool) -> anyhow::Result<()> {
    // A day of arrival is held against the number of its rows that were old enough then to be all there, and read
    // again whole when it has another.
    let counted = "select 'behavior_events/' || (at at time zone 'UTC')::date, count(e.event_id)::text
        from (select $1::timestamptz - interval '10 minutes' as at) as read
        left join behavior_events e on e.received_at < at and e.received_at >= date_trunc('day', at, 'UTC')
        group by 1";
    let (day, rows): (String, String) = sqlx::query_as(counted).bind(instant).fetch_one(sources).await?;
    sqlx::query("update source_watermarks set extracted_to = $1::timestamptz")
        .bind(instant)
        .execute(warehouse)
        .await?;
    let remembered = sqlx::query("update event_files set etag = $2 where path = $1")
        .bind(day)
        .bind(rows);
    ensure!(
        remembered.execute(warehouse).await?.rows_affected() == 1,
        "events of {instant} were not read"
    );
    Ok(())
}
