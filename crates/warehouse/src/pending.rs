//! What runs of several jobs leave to each other: days of facts that changed in the lake.
//!
//! A fact is read by whichever run comes first. Whoever else computes from it, another job or a state of the lake, finds
//! here which days it has not looked at since.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kindred_model::{Fact, UnknownWord};
use uuid::Uuid;

use crate::{Warehouse, WarehouseError};

/// A day of a fact that changed, and that a consumer has not looked at since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingChange {
    /// A job, or a state of the lake.
    pub consumer: String,
    /// The fact.
    pub fact: Fact,
    /// The UTC day of one of the changed rows' instants.
    pub day: NaiveDate,
    /// The run that saw the change last.
    pub noted_by: Uuid,
}

impl Warehouse {
    /// Every change that a consumer has not looked at.
    ///
    /// # Errors
    /// When the warehouse does not answer, or a row is a newer program's.
    pub async fn pending_changes(&self) -> Result<Vec<PendingChange>, WarehouseError> {
        let rows: Vec<(String, String, NaiveDate, Uuid)> =
            sqlx::query_as("select consumer, fact, day, noted_by from pending_changes order by consumer, fact, day")
                .fetch_all(self.pool())
                .await
                .map_err(WarehouseError::query("read the pending changes"))?;
        let changes = rows.into_iter().map(|(consumer, fact, day, noted_by)| {
            let fact = fact.parse().map_err(|source: UnknownWord| WarehouseError::Ledger {
                run_id: noted_by,
                source,
            })?;
            Ok(PendingChange {
                consumer,
                fact,
                day,
                noted_by,
            })
        });
        changes.collect()
    }

    /// The files of events that were read, with the ETag of the version that was.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn event_files(&self) -> Result<BTreeMap<String, String>, WarehouseError> {
        let rows: Vec<(String, String)> = sqlx::query_as("select path, etag from event_files")
            .fetch_all(self.pool())
            .await
            .map_err(WarehouseError::query("read the files of events"))?;
        Ok(rows.into_iter().collect())
    }
}
