//! What the warehouse still has of a person.

use kindred_model::Instant;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;

use super::{USER_ID, tables_of_persons};
use crate::{Warehouse, WarehouseError};

/// Rows of persons, by table.
pub type Traces = Vec<(&'static str, u64)>;

/// A stored event whose properties hold the digits of a key, be it as a key or by chance.
#[derive(Debug, Clone, PartialEq)]
pub struct EventMention {
    /// When the event happened.
    pub event_time: Instant,
    /// Its id.
    pub event_id: String,
    /// Its properties: an object.
    pub properties: Value,
}

impl Warehouse {
    /// How many rows each table has of these persons.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn traces(&self, keys: &[i64]) -> Result<Traces, WarehouseError> {
        let mut traces = Traces::new();
        for table in tables_of_persons() {
            // Of one static list.
            let sql = format!("select count(*) from {} where {USER_ID} = any($1)", table.name);
            let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(keys)
                .fetch_one(self.pool())
                .await
                .map_err(WarehouseError::query("count what is left of a person"))?;
            traces.push((table.name, rows.unsigned_abs()));
        }
        Ok(traces)
    }

    /// The stored events of whomever whose properties hold the digits of one of these keys.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn events_mentioning(&self, keys: &[i64]) -> Result<Vec<EventMention>, WarehouseError> {
        let patterns: Vec<_> = keys.iter().map(|key| format!("%{key}%")).collect();
        let rows: Vec<(Instant, String, Json<Value>)> = sqlx::query_as(
            "select event_time, event_id, event_properties from user_behavior_events
             where event_properties::text like any($1)",
        )
        .bind(patterns)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("look for mentions of a person"))?;
        let mentions = rows
            .into_iter()
            .map(|(event_time, event_id, Json(properties))| EventMention {
                event_time,
                event_id,
                properties,
            });
        Ok(mentions.collect())
    }
}
