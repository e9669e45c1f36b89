//! The days behind `GET /kpis/overview`.

use chrono::NaiveDate;
use kindred_model::Instant;
use rust_decimal::Decimal;

use crate::{Warehouse, WarehouseError};

/// The rows behind an overview.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The latest day, partial or not; none in an empty warehouse.
    pub latest: Option<KpiDay>,
    /// The computed days, oldest first: of the days asked for, which end with the latest complete one, and the day before
    /// these. Empty when no day is complete.
    pub days: Vec<KpiDay>,
    /// The watermark.
    pub as_of: Option<Instant>,
}

/// What an overview needs of a day.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct KpiDay {
    /// The day.
    pub date: NaiveDate,
    /// Users active on it.
    pub total_active_users: i64,
    /// Accounts made on it.
    pub new_registrations: i64,
    /// Matches made on it.
    pub total_matches: i64,
    /// Messages sent on it.
    pub total_messages: i64,
    /// Revenue less refunds.
    pub total_revenue: Decimal,
    /// Mean length of its ended sessions, in seconds.
    pub avg_session_duration: Option<f64>,
    /// Active users without a subscription at its start.
    pub active_non_subscribers: i64,
    /// Of them, those who bought their first subscription on it.
    pub converted_non_subscribers: i64,
    /// Users who registered a day before.
    pub retention_day1_cohort: i64,
    /// Of them, those active on it.
    pub retention_day1_returned: i64,
    /// Users who registered 7 days before.
    pub retention_day7_cohort: i64,
    /// Of them, those active on it.
    pub retention_day7_returned: i64,
    /// Users who registered 30 days before.
    pub retention_day30_cohort: i64,
    /// Of them, those active on it.
    pub retention_day30_returned: i64,
    /// Whether it was not over when it was computed.
    pub is_partial: bool,
}

/// The columns of a [`KpiDay`].
macro_rules! day_columns {
    () => {
        "date, total_active_users, new_registrations, total_matches, total_messages, total_revenue, \
         avg_session_duration, active_non_subscribers, converted_non_subscribers, retention_day1_cohort, \
         retention_day1_returned, retention_day7_cohort, retention_day7_returned, retention_day30_cohort, \
         retention_day30_returned, is_partial"
    };
}

impl Warehouse {
    /// The rows behind an overview: as many days as are asked for, the latest complete one the last of them.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn overview(&self, days: u16) -> Result<Overview, WarehouseError> {
        let mut days: Vec<KpiDay> = sqlx::query_as(concat!(
            "select ",
            day_columns!(),
            " from daily_kpi_summaries
             where date >= (select max(date) from daily_kpi_summaries where not is_partial) - $1::integer
                or date = (select max(date) from daily_kpi_summaries)
             order by date"
        ))
        .bind(i32::from(days))
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read the last days' figures"))?;
        let latest = days.last().cloned();
        let last_complete = days.iter().rposition(|day| !day.is_partial);
        days.truncate(last_complete.map_or(0, |position| position + 1));
        Ok(Overview {
            latest,
            days,
            as_of: self.watermark().await?,
        })
    }
}
