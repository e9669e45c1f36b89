//! The days behind `GET /kpis/lifecycle`.

use chrono::NaiveDate;
use kindred_model::DayWindow;

use crate::{Warehouse, WarehouseError};

/// The users of a day by what they did the day before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct LifecycleDay {
    /// The day.
    pub date: NaiveDate,
    /// Active users who registered on it.
    pub new_active: i64,
    /// Other active users who were active the day before.
    pub returning: i64,
    /// Other active users who were not.
    pub resurrected: i64,
    /// Users active the day before, and not on it.
    pub dormant: i64,
    /// Whether it was not over when it was computed.
    pub is_partial: bool,
}

impl Warehouse {
    /// The computed days of a window, oldest first.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn lifecycle_days(&self, days: DayWindow) -> Result<Vec<LifecycleDay>, WarehouseError> {
        sqlx::query_as(
            "select date, new_active, \"returning\", resurrected, dormant, is_partial
             from lifecycle_daily where date >= $1 and date < $2 order by date",
        )
        .bind(days.from())
        .bind(days.to())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read days of the lifecycle"))
    }

    /// Whether no day of the lifecycle was ever computed.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn has_no_lifecycle(&self) -> Result<bool, WarehouseError> {
        sqlx::query_scalar("select not exists (select from lifecycle_daily)")
            .fetch_one(self.pool())
            .await
            .map_err(WarehouseError::query("see whether there are days of the lifecycle"))
    }
}
