//! What a publication says about the lake and the sources: which file stands for a partition, how far was read, and
//! what later runs have to look at.

use chrono::NaiveDate;
use kindred_model::Instant;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PartitionChange, WatermarkChange};
use crate::{PendingChange, WarehouseError};

/// Writes the files of the partitions, and forgets those that are gone.
pub(crate) async fn partitions(
    connection: &mut PgConnection,
    changes: &[PartitionChange],
    run_id: Uuid,
    at: Instant,
) -> Result<(), WarehouseError> {
    let (removed, replaced): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.removed);
    sqlx::query(
        "delete from lake_partitions as known using unnest($1::text[], $2::text[]) as gone (dataset, partition)
         where known.dataset = gone.dataset and known.partition = gone.partition",
    )
    .bind(column(&removed, |change| change.dataset.as_str()))
    .bind(column(&removed, |change| change.partition.as_str()))
    .execute(&mut *connection)
    .await
    .map_err(WarehouseError::query("forget removed lake partitions"))?;
    sqlx::query(
        "insert into lake_partitions
             (dataset, partition, path, rows, bytes, etag, content_hash, left_out, run_id, published_at)
         select *, $9, $10 from unnest(
             $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[])
         on conflict (dataset, partition) do update set
             path = excluded.path, rows = excluded.rows, bytes = excluded.bytes, etag = excluded.etag,
             content_hash = excluded.content_hash, left_out = excluded.left_out, run_id = excluded.run_id,
             published_at = excluded.published_at",
    )
    .bind(column(&replaced, |change| change.dataset.as_str()))
    .bind(column(&replaced, |change| change.partition.as_str()))
    .bind(column(&replaced, |change| change.path.as_str()))
    .bind(column(&replaced, |change| change.rows))
    .bind(column(&replaced, |change| change.bytes))
    .bind(column(&replaced, |change| change.etag.as_deref()))
    .bind(column(&replaced, |change| change.content_hash.as_str()))
    .bind(column(&replaced, |change| change.left_out))
    .bind(run_id)
    .bind(at)
    .execute(connection)
    .await
    .map_err(WarehouseError::query("record lake partitions"))?;
    Ok(())
}

/// Writes how far the sources were read; a watermark never goes back.
pub(super) async fn watermarks(
    connection: &mut PgConnection,
    changes: &[WatermarkChange],
    run_id: Uuid,
) -> Result<(), WarehouseError> {
    for change in changes {
        sqlx::query(
            "insert into source_watermarks as known
                 (source, dataset, extracted_to, last_row_at, rows, schema_fingerprint, run_id)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (source, dataset) do update set
                 extracted_to = greatest(known.extracted_to, excluded.extracted_to),
                 last_row_at = greatest(known.last_row_at, excluded.last_row_at),
                 rows = excluded.rows, schema_fingerprint = excluded.schema_fingerprint, run_id = excluded.run_id",
        )
        .bind(change.source.as_str())
        .bind(&change.dataset)
        .bind(change.extracted_to)
        .bind(change.last_row_at)
        .bind(change.rows)
        .bind(&change.schema_fingerprint)
        .bind(run_id)
        .execute(&mut *connection)
        .await
        .map_err(WarehouseError::query("record the sources' watermarks"))?;
    }
    Ok(())
}

/// Remembers the files of events that were read, each in the version that was.
pub(super) async fn event_files(
    connection: &mut PgConnection,
    files: &[(String, String)],
    run_id: Uuid,
) -> Result<(), WarehouseError> {
    let (paths, etags): (Vec<_>, Vec<_>) = files.iter().map(|(path, etag)| (path.as_str(), etag.as_str())).unzip();
    sqlx::query(
        "insert into event_files (path, etag, run_id) select *, $3 from unnest($1::text[], $2::text[])
         on conflict (path) do update set etag = excluded.etag, run_id = excluded.run_id",
    )
    .bind(paths)
    .bind(etags)
    .bind(run_id)
    .execute(connection)
    .await
    .map_err(WarehouseError::query("remember the files of events"))?;
    Ok(())
}

/// Forgets changes that were served, unless a run has seen the same day change again meanwhile.
pub(super) async fn settle(connection: &mut PgConnection, served: &[PendingChange]) -> Result<(), WarehouseError> {
    let noted_by: Vec<_> = served.iter().map(|change| change.noted_by).collect();
    let (consumers, facts, days) = columns(served);
    sqlx::query(
        "delete from pending_changes as pending
         using unnest($1::text[], $2::text[], $3::date[], $4::uuid[]) as served (consumer, fact, day, noted_by)
         where (pending.consumer, pending.fact, pending.day, pending.noted_by)
             = (served.consumer, served.fact, served.day, served.noted_by)",
    )
    .bind(consumers)
    .bind(facts)
    .bind(days)
    .bind(noted_by)
    .execute(connection)
    .await
    .map_err(WarehouseError::query("forget the changes that were served"))?;
    Ok(())
}

/// Leaves changes to their consumers.
pub(crate) async fn note(
    connection: &mut PgConnection,
    changes: &[PendingChange],
    run_id: Uuid,
) -> Result<(), WarehouseError> {
    let (consumers, facts, days) = columns(changes);
    sqlx::query(
        "insert into pending_changes (consumer, fact, day, noted_by)
         select *, $4 from unnest($1::text[], $2::text[], $3::date[])
         on conflict (consumer, fact, day) do update set noted_by = excluded.noted_by",
    )
    .bind(consumers)
    .bind(facts)
    .bind(days)
    .bind(run_id)
    .execute(connection)
    .await
    .map_err(WarehouseError::query("leave changes to their consumers"))?;
    Ok(())
}

fn columns(changes: &[PendingChange]) -> (Vec<&str>, Vec<&str>, Vec<NaiveDate>) {
    let consumers = changes.iter().map(|change| change.consumer.as_str());
    let facts = changes.iter().map(|change| change.fact.as_str());
    (
        consumers.collect(),
        facts.collect(),
        changes.iter().map(|change| change.day).collect(),
    )
}

/// One field of all changes, as the array that `unnest` takes.
fn column<'a, T>(changes: &[&'a PartitionChange], field: impl Fn(&'a PartitionChange) -> T) -> Vec<T> {
    changes.iter().map(|change| field(change)).collect()
}
