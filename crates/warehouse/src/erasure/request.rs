//! `erased_users`: who is to be erased, and who has been.

use kindred_model::Instant;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::runs::{RunOutcome, finish};
use crate::{Warehouse, WarehouseError};

/// What an erasure's place among the runs is called. It is no job: nobody triggers, schedules or lists it as one.
const RUN_NAME: &str = "erasure";

/// The erasure of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose, by the key that stands for the person everywhere.
    pub user_key: i64,
    /// When it was asked for.
    pub requested_at: Instant,
    /// Since when nothing is left; none while it is under way.
    pub completed_at: Option<Instant>,
    /// Rows that were removed, in the warehouse and the lake.
    pub rows_erased: i64,
    /// What was removed where, and what the scan afterwards looked at; or why it has failed so far.
    pub report: Value,
}

/// A row of the table.
type Row = (i64, Instant, Option<Instant>, i64, Json<Value>);

impl From<Row> for Erasure {
    fn from((user_key, requested_at, completed_at, rows_erased, report): Row) -> Self {
        Self {
            user_key,
            requested_at,
            completed_at,
            rows_erased,
            report: report.0,
        }
    }
}

impl Warehouse {
    /// Asks for the erasure of a person. From then on nothing of theirs is taken in. One that is under way goes on; one
    /// that is over is done again.
    ///
    /// # Errors
    /// When the warehouse refuses.
    pub async fn request_erasure(&self, user_key: i64, at: Instant) -> Result<Erasure, WarehouseError> {
        let row: Row = sqlx::query_as(
            "insert into erased_users as known (user_key, requested_at) values ($1, $2)
             on conflict (user_key) do update set
                 requested_at = case when known.completed_at is null then known.requested_at else $2 end,
                 rows_erased = case when known.completed_at is null then known.rows_erased else 0 end,
                 report = case when known.completed_at is null then known.report else '{}' end,
                 completed_at = null, retry_at = null
             returning user_key, requested_at, completed_at, rows_erased, report",
        )
        .bind(user_key)
        .bind(at)
        .fetch_one(self.pool())
        .await
        .map_err(WarehouseError::query("ask for an erasure"))?;
        Ok(row.into())
    }

    /// The erasure of a person, if somebody asked for it.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn erasure(&self, user_key: i64) -> Result<Option<Erasure>, WarehouseError> {
        let row: Option<Row> = sqlx::query_as(
            "select user_key, requested_at, completed_at, rows_erased, report from erased_users where user_key = $1",
        )
        .bind(user_key)
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("look up an erasure"))?;
        Ok(row.map(Erasure::from))
    }

    /// Whose erasure is to be carried out next, the oldest request first.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn next_erasure(&self, at: Instant) -> Result<Option<i64>, WarehouseError> {
        sqlx::query_scalar(
            "select user_key from erased_users
             where completed_at is null and (retry_at is null or retry_at <= $1)
             order by requested_at, user_key limit 1",
        )
        .bind(at)
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("find the next erasure"))
    }

    /// The keys of everybody whose erasure was asked for, and of their devices: nothing of theirs is taken in.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn erased_keys(&self) -> Result<Vec<i64>, WarehouseError> {
        sqlx::query_scalar("select user_key from erased_users")
            .fetch_all(self.pool())
            .await
            .map_err(WarehouseError::query("list the erased persons"))
    }

    /// Takes the place of the one run that may be under way, so that no other replaces a file meanwhile. Its owner keeps
    /// it by heartbeats, like a run. None while a run is under way, or when the erasure is over already.
    ///
    /// # Errors
    /// When the warehouse refuses.
    pub async fn begin_erasure(&self, user_key: i64, owner: Uuid, at: Instant) -> Result<Option<Uuid>, WarehouseError> {
        let begun = sqlx::query_scalar(
            "insert into etl_job_runs
                 (id, job_name, interval_start, interval_end, trigger, status, owner, requested_at, start_time, heartbeat_at)
             select $1, $2, $3, $3 + interval '1 microsecond', 'manual', 'running', $4, $3, $3, $3
             where exists (select from erased_users where user_key = $5 and completed_at is null)
             on conflict do nothing
             returning id",
        )
        .bind(Uuid::now_v7())
        .bind(RUN_NAME)
        .bind(at)
        .bind(owner)
        .bind(user_key)
        .fetch_optional(self.pool())
        .await;
        begun.map_err(WarehouseError::query("begin an erasure"))
    }

    /// Keeps the devices of a person out, too, and returns all that were found so far: what is found by one try is not
    /// there any more for the next.
    ///
    /// # Errors
    /// When the warehouse refuses.
    pub async fn remember_devices(
        &self,
        user_key: i64,
        devices: &[i64],
        at: Instant,
    ) -> Result<Vec<i64>, WarehouseError> {
        let failed = || WarehouseError::query("remember the devices of a person");
        sqlx::query(
            "insert into erased_users as known (user_key, requested_at, completed_at, report)
             select device, $3, $3, jsonb_build_object('device', true, 'of', $2::bigint)
             from unnest($1::bigint[]) as device
             on conflict (user_key) do update set report = excluded.report where known.report ? 'device'",
        )
        .bind(devices)
        .bind(user_key)
        .bind(at)
        .execute(self.pool())
        .await
        .map_err(failed())?;
        sqlx::query_scalar("select user_key from erased_users where (report->>'of')::bigint = $1 order by user_key")
            .bind(user_key)
            .fetch_all(self.pool())
            .await
            .map_err(failed())
    }

    /// Notes that nothing is left of a person, and ends the erasure's place among the runs. False when that is not the
    /// owner's any more: then nothing is noted.
    ///
    /// # Errors
    /// When the warehouse refuses.
    pub async fn complete_erasure(
        &self,
        erased: &Erasure,
        run_id: Uuid,
        owner: Uuid,
        at: Instant,
        outcome: &RunOutcome,
    ) -> Result<bool, WarehouseError> {
        let failed = || WarehouseError::query("complete an erasure");
        let mut transaction = self.pool().begin().await.map_err(failed())?;
        if !finish(&mut transaction, run_id, owner, at, outcome).await? {
            return Ok(false);
        }
        sqlx::query("update erased_users set completed_at = $2, retry_at = null, report = $3 where user_key = $1")
            .bind(erased.user_key)
            .bind(at)
            .bind(Json(&erased.report))
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        // Whose a device was is not needed any more.
        sqlx::query("update erased_users set report = report - 'of' where (report->>'of')::bigint = $1")
            .bind(erased.user_key)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(true)
    }

    /// Notes why an erasure failed, and when it is tried again.
    ///
    /// # Errors
    /// When the warehouse refuses.
    pub async fn defer_erasure(&self, user_key: i64, error: &str, retry_at: Instant) -> Result<(), WarehouseError> {
        sqlx::query(
            "update erased_users set retry_at = $3, report = report || jsonb_build_object('error', $2::text)
             where user_key = $1 and completed_at is null",
        )
        .bind(user_key)
        .bind(error)
        .bind(retry_at)
        .execute(self.pool())
        .await
        .map_err(WarehouseError::query("put an erasure off"))?;
        Ok(())
    }
}
