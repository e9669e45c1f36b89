//! The weekly cohorts behind `GET /kpis/retention`.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

use crate::{Warehouse, WarehouseError};

/// What the users who registered in one week did in one week since.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct CohortCell {
    /// The week of registration, by its Monday.
    pub cohort_week: NaiveDate,
    /// How many weeks later, 0 to 12.
    pub period_number: i64,
    /// Users who registered in the week.
    pub cohort_size: i64,
    /// Of them, those active in the later one, so far when it is open.
    pub users_returned: i64,
    /// Sessions that they began in it, by the size of the cohort.
    pub avg_sessions_per_user: Option<f64>,
    /// Matches that they took part in, by the size of the cohort.
    pub avg_matches_per_user: Option<f64>,
    /// Payments less refunds, by the size of the cohort.
    pub avg_revenue_per_user: Option<Decimal>,
    /// Those who had bought a subscription by its end, in per cent of the cohort.
    pub subscription_conversion_rate: Option<Decimal>,
    /// Whether the week was not over when it was computed.
    pub is_partial: bool,
}

impl CohortCell {
    /// The calendar week that the cell is about, by its Monday.
    #[must_use]
    pub fn week(&self) -> NaiveDate {
        self.cohort_week + Days::new(7 * self.period_number.unsigned_abs())
    }
}

impl Warehouse {
    /// The cells of the cohorts from one week to another, both included: the newest cohort first, then by period.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn cohort_cells(&self, first: NaiveDate, last: NaiveDate) -> Result<Vec<CohortCell>, WarehouseError> {
        sqlx::query_as(
            "select cohort_week, period_number, cohort_size, users_returned, avg_sessions_per_user,
                 avg_matches_per_user, avg_revenue_per_user, subscription_conversion_rate, is_partial
             from retention_cohorts
             where cohort_week between $1 and $2 order by cohort_week desc, period_number",
        )
        .bind(first)
        .bind(last)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read weekly cohorts"))
    }

    /// Whether no cohort was ever computed.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn has_no_cohorts(&self) -> Result<bool, WarehouseError> {
        sqlx::query_scalar("select not exists (select from retention_cohorts)")
            .fetch_one(self.pool())
            .await
            .map_err(WarehouseError::query("see whether there are cohorts"))
    }
}
