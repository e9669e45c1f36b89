//! Removing a person from the warehouse, in one transaction while the lease is held.

use std::convert::Infallible;

use chrono::NaiveDate;
use kindred_model::{Fact, Instant};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{Traces, USER_ID, tables_of_persons};
use crate::publish::{bookkeeping, hold_lease, limit_idle_time};
use crate::{PartitionChange, PendingChange, PublishError, Warehouse, WarehouseError};

/// What is to be removed of a person.
#[derive(Debug, Clone)]
pub struct ErasurePublication {
    /// The erasure's place among the runs.
    pub run_id: Uuid,
    /// Who holds it.
    pub owner: Uuid,
    /// When.
    pub at: Instant,
    /// The person.
    pub user_key: i64,
    /// The lake's files without the person.
    pub partitions: Vec<PartitionChange>,
    /// Rows that those files lack now.
    pub rows_in_lake: u64,
    /// The ids of events of the devices that nobody was known by.
    pub anonymous_events: Vec<String>,
    /// Events of others that mention the person, as they shall be.
    pub rewritten: Vec<RewrittenEvent>,
    /// Days of facts that states of the lake must be built from again: consumer, fact and day.
    pub stale: Vec<(&'static str, Fact, NaiveDate)>,
    /// What was found and removed in the lake.
    pub report: Value,
}

/// The properties that an event of somebody else shall have.
#[derive(Debug, Clone, PartialEq)]
pub struct RewrittenEvent {
    /// When the event happened.
    pub event_time: Instant,
    /// Its id.
    pub event_id: String,
    /// Its properties without the person.
    pub properties: Value,
}

impl Warehouse {
    /// Removes a person from the warehouse, and notes what the lake's files will hold. Returns the rows removed by table.
    ///
    /// The files are swapped in afterwards: whoever is stopped in between has removed what only the warehouse knows, and
    /// the next try finds the files as they were.
    ///
    /// # Errors
    /// When the lease is lost, or the warehouse refuses.
    pub async fn publish_erasure(&self, erasure: &ErasurePublication) -> Result<Traces, PublishError<Infallible>> {
        let ErasurePublication { run_id, owner, .. } = *erasure;
        let begun = self.pool().begin().await;
        let mut transaction = begun.map_err(WarehouseError::query("begin to erase a person"))?;
        limit_idle_time(&mut transaction).await?;
        if !hold_lease(&mut transaction, run_id, owner).await? {
            return Err(PublishError::LostLease { run_id });
        }
        let removed = remove(&mut transaction, erasure).await?;
        bookkeeping::partitions(&mut transaction, &erasure.partitions, run_id, erasure.at).await?;
        let stale: Vec<_> = erasure.stale.iter().map(|stale| noted(stale, run_id)).collect();
        bookkeeping::note(&mut transaction, &stale, run_id).await?;
        let in_warehouse: u64 = removed.iter().map(|(_, rows)| rows).sum();
        sqlx::query("update erased_users set rows_erased = rows_erased + $2, report = $3 where user_key = $1")
            .bind(erasure.user_key)
            .bind(i64::try_from(in_warehouse + erasure.rows_in_lake).unwrap_or(i64::MAX))
            .bind(Json(&erasure.report))
            .execute(&mut *transaction)
            .await
            .map_err(WarehouseError::query("note an erasure"))?;
        let committed = transaction.commit().await;
        committed.map_err(WarehouseError::query("commit an erasure"))?;
        Ok(removed)
    }
}

fn noted(&(consumer, fact, day): &(&'static str, Fact, NaiveDate), run_id: Uuid) -> PendingChange {
    PendingChange {
        consumer: consumer.to_owned(),
        fact,
        day,
        noted_by: run_id,
    }
}

async fn remove(connection: &mut PgConnection, erasure: &ErasurePublication) -> Result<Traces, WarehouseError> {
    let failed = || WarehouseError::query("remove the rows of a person");
    let mut removed = Traces::new();
    for table in tables_of_persons() {
        // Of one static list.
        let sql = format!("delete from {} where {USER_ID} = $1", table.name);
        let deleted = sqlx::query(AssertSqlSafe(sql)).bind(erasure.user_key);
        let deleted = deleted.execute(&mut *connection).await.map_err(failed())?;
        removed.push((table.name, deleted.rows_affected()));
    }
    let anonymous = sqlx::query("delete from user_behavior_events where user_id is null and event_id = any($1)")
        .bind(&erasure.anonymous_events)
        .execute(&mut *connection)
        .await
        .map_err(failed())?;
    let events = removed
        .iter_mut()
        .find(|(table, _)| *table == crate::USER_BEHAVIOR_EVENTS.name);
    if let Some((_, rows)) = events {
        *rows += anonymous.rows_affected();
    }
    for event in &erasure.rewritten {
        sqlx::query("update user_behavior_events set event_properties = $3 where event_time = $1 and event_id = $2")
            .bind(event.event_time)
            .bind(&event.event_id)
            .bind(Json(&event.properties))
            .execute(&mut *connection)
            .await
            .map_err(failed())?;
    }
    Ok(removed)
}
