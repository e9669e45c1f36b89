//! The buckets behind `GET /kpis/active-users`.

use kindred_model::{Granularity, Instant};

use crate::{Warehouse, WarehouseError};

/// A bucket as it was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Bucket {
    /// Its first instant.
    pub bucket_start: Instant,
    /// Users with a session that meets it.
    pub active_users: i64,
    /// Accounts made in it.
    pub new_registrations: i64,
    /// Sessions begun in it.
    pub total_sessions: i64,
    /// Whether it was not over when it was computed.
    pub is_partial: bool,
}

impl Warehouse {
    /// The buckets that start in `[from, to)`, oldest first; those never computed are left out.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn active_user_buckets(
        &self,
        granularity: Granularity,
        from: Instant,
        to: Instant,
    ) -> Result<Vec<Bucket>, WarehouseError> {
        sqlx::query_as(
            "select bucket_start, active_users, new_registrations, total_sessions, is_partial
             from active_user_buckets
             where granularity = $1 and bucket_start >= $2 and bucket_start < $3 order by bucket_start",
        )
        .bind(granularity.as_str())
        .bind(from)
        .bind(to)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read active users"))
    }

    /// The start of the latest complete bucket; none before the first.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn latest_complete_bucket(&self, granularity: Granularity) -> Result<Option<Instant>, WarehouseError> {
        sqlx::query_scalar(
            "select bucket_start from active_user_buckets
             where granularity = $1 and not is_partial order by bucket_start desc limit 1",
        )
        .bind(granularity.as_str())
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("find the latest complete bucket"))
    }

    /// Whether no bucket of any granularity was ever computed.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn has_no_buckets(&self) -> Result<bool, WarehouseError> {
        sqlx::query_scalar("select not exists (select from active_user_buckets)")
            .fetch_one(self.pool())
            .await
            .map_err(WarehouseError::query("see whether it is empty"))
    }
}
