//! The entry dates, steps and percentiles behind `GET /kpis/funnel`.

use chrono::NaiveDate;
use kindred_model::DayWindow;

use crate::{Warehouse, WarehouseError};

/// A computed date on which people may have entered a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct EntryDate {
    /// The date.
    pub date: NaiveDate,
    /// Whether everyone who entered on it has had the whole of the funnel's time.
    pub is_mature: bool,
}

/// A step of a funnel over several entry dates.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct StepSums {
    /// Its place, from 1 on.
    pub step_order: i64,
    /// Its name, on the latest of the dates.
    pub funnel_step: String,
    /// Persons who reached it.
    pub users: i64,
    /// Of them, those who reached the next; none for the last step.
    pub converted: Option<i64>,
    /// How long those took together, in seconds; none when there are none.
    pub seconds: Option<f64>,
}

/// How long it took from a step to the next, in seconds, of those who went on; none when nobody did.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
pub struct StepPercentiles {
    /// The step's place, from 1 on.
    pub step_order: i64,
    /// For half of them no longer than this.
    pub median_time_to_convert: Option<f64>,
    /// For 9 of 10 no longer than this.
    pub p90_time_to_convert: Option<f64>,
}

impl Warehouse {
    /// The computed entry dates of a window, oldest first.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn funnel_dates(&self, funnel: &str, window: DayWindow) -> Result<Vec<EntryDate>, WarehouseError> {
        sqlx::query_as(
            "select date, is_mature from conversion_funnels
             where funnel_name = $1 and step_order = 1 and date >= $2 and date < $3 order by date",
        )
        .bind(funnel)
        .bind(window.from())
        .bind(window.to())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read a funnel's entry dates"))
    }

    /// The steps of a funnel over these entry dates, in their order; none without a date.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn funnel_steps(&self, funnel: &str, dates: &[NaiveDate]) -> Result<Vec<StepSums>, WarehouseError> {
        sqlx::query_as(
            "select
                 f.step_order,
                 (select latest.funnel_step from conversion_funnels latest
                  where latest.date = max(f.date) and latest.funnel_name = $1 and latest.step_order = f.step_order)
                     as funnel_step,
                 sum(f.total_users)::bigint as users,
                 sum(f.converted_users)::bigint as converted,
                 sum(f.avg_time_to_convert * f.converted_users) as seconds
             from conversion_funnels f
             where f.funnel_name = $1 and f.date = any($2)
             group by f.step_order order by f.step_order",
        )
        .bind(funnel)
        .bind(dates)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read a funnel's steps"))
    }

    /// The percentiles of a funnel's steps over the window of entry dates; none where they were not computed. They are
    /// for windows of 7, 30 and 90 dates.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn funnel_percentiles(
        &self,
        funnel: &str,
        window: DayWindow,
    ) -> Result<Vec<StepPercentiles>, WarehouseError> {
        sqlx::query_as(
            "select step_order, median_time_to_convert, p90_time_to_convert from funnel_windows
             where funnel_name = $1 and as_of = $2 and timeframe = $3 order by step_order",
        )
        .bind(funnel)
        .bind(window.days().next_back())
        .bind(format!("{}d", window.len()))
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read how long a funnel's steps took"))
    }

    /// The funnels that were ever computed, by name.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn funnel_names(&self) -> Result<Vec<String>, WarehouseError> {
        sqlx::query_scalar("select distinct funnel_name from conversion_funnels order by funnel_name")
            .fetch_all(self.pool())
            .await
            .map_err(WarehouseError::query("list the funnels"))
    }
}
