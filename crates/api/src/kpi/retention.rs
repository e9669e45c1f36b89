//! `GET /kpis/retention`: of the users who registered in each week, how many came back in the 12 weeks after it.

use std::collections::BTreeSet;
use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use chrono::{NaiveDate, TimeDelta};
use kindred_model::{Granularity, Instant};
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::retention::CohortCell;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::retention_averages::{Average, Insights, PeriodAverage};
use super::retention_cohorts::{Cohort, LAST_PERIOD, cohorts, rows};
use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::meta::Meta;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// The parameters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct RetentionParams {
    /// The length of cohorts and periods.
    #[param(inline)]
    period: Option<Period>,
    /// How many weeks of registration, the current one the last of them; 12 when absent.
    #[serde(deserialize_with = "crate::params::word")]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 52, example = 12)]
    cohort_count: Option<CohortCount>,
    /// How cohorts are put together; weighted when absent.
    #[param(inline)]
    average: Option<Average>,
}

/// The length of cohorts and periods.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Period {
    /// Calendar weeks.
    Weekly,
}

/// A number of cohorts, from 1 to 52.
#[derive(Debug, Clone, Copy)]
struct CohortCount(u8);

impl Default for CohortCount {
    fn default() -> Self {
        Self(12)
    }
}

impl FromStr for CohortCount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let count = text.parse().ok().filter(|count| (1..=52).contains(count));
        count.map(Self).ok_or("write a whole number from 1 to 52")
    }
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Retention {
    /// The weeks of registration, the newest first; those in which nobody registered are left out.
    cohort_table: Vec<Cohort>,
    /// The periods 0 to 12, over the cohorts of the table. Empty in an empty warehouse.
    period_averages: Vec<PeriodAverage>,
    insights: Insights,
    meta: Meta,
}

/// How many of those who registered in a week came back in the 12 weeks after it
///
/// Weeks are calendar ones, from Monday, and period 0 is that of registration. The window ends with the current week,
/// which is partial. Rates are of weeks that are over.
#[utoipa::path(get, path = "/kpis/retention", operation_id = "retention", tag = "KPIs",
    params(RetentionParams), responses((status = 200, body = Retention)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<RetentionParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: RetentionParams, now: Instant) -> Result<Retention, ApiError> {
    let CohortCount(count) = params.cohort_count.unwrap_or_default();
    let last = Granularity::Weekly.bucket_start(now).date_naive();
    let first = last - TimeDelta::weeks(i64::from(count) - 1);
    // Older cohorts tell which weeks of the window were computed though nobody registered in them.
    let older = first - TimeDelta::weeks(LAST_PERIOD);
    let cells = warehouse.cohort_cells(older, last).await?;

    let mut meta = Meta::new(warehouse.watermark().await?, now);
    meta.empty = cells.is_empty() && warehouse.has_no_cohorts().await?;
    meta.is_partial = !meta.empty;
    if !meta.empty {
        meta.missing_buckets = never_computed(first, last, &cells);
    }
    let within = |cell: &&CohortCell| cell.cohort_week >= first && cell.cohort_size > 0;
    let cells: Vec<&CohortCell> = cells.iter().filter(within).collect();
    let averages = match meta.empty {
        true => Vec::new(),
        false => params.average.unwrap_or_default().of_periods(&cells),
    };
    Ok(Retention {
        cohort_table: cohorts(&cells, now),
        insights: Insights::of(&cells, &averages),
        period_averages: averages,
        meta,
    })
}

/// The weeks of the window that no run has computed.
///
/// A run for a week writes, for every cohort of that week and of the 12 before it, the cell that is about that week:
/// without such a cell it was not computed, or nobody had registered in the 13 weeks.
fn never_computed(first: NaiveDate, last: NaiveDate, cells: &[CohortCell]) -> Vec<Timestamp> {
    let computed: BTreeSet<NaiveDate> = cells.iter().map(CohortCell::week).collect();
    let weeks = first.iter_weeks().take_while(|week| *week <= last);
    weeks
        .filter(|week| !computed.contains(week))
        .map(Timestamp::of_day)
        .collect()
}

impl Answer for Retention {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// A row for each cohort and period.
    fn table(&self) -> Table {
        rows(&self.cohort_table)
    }
}
