//! What the cohorts of `GET /kpis/retention` have in common, and which stands out.

use std::cmp::Ordering;

use chrono::NaiveDate;
use kindred_warehouse::read::retention::CohortCell;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::retention_cohorts::LAST_PERIOD;
use crate::figure::Figure;

/// How many cohorts a period takes before one of them can be called the strongest.
const COMPARABLE: usize = 3;

/// How cohorts are put together.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Average {
    /// All who returned by all who registered: a large cohort weighs more.
    #[default]
    Weighted,
    /// The mean of the cohorts' rates.
    Simple,
}

/// A period over all cohorts for which its week is over.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PeriodAverage {
    /// How many weeks after that of registration.
    period: i64,
    /// Their retention, in per cent; null when there is no such cohort.
    average_retention: Option<Figure>,
    /// How many cohorts these are.
    cohort_count: usize,
}

/// What there is to see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionInsights)]
#[serde(rename_all = "camelCase")]
pub(super) struct Insights {
    /// The best rate at the last period for which the week is over in 3 cohorts or more, of equal ones the newest; null
    /// when there is no such period.
    strongest_cohort: Option<StrongestCohort>,
    /// The averages of the periods from 1 on.
    overall_retention_trend: Vec<Option<Figure>>,
}

/// The cohort that kept most of its users.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StrongestCohort {
    /// The week of registration, by its Monday.
    cohort_week: NaiveDate,
    /// The period at which cohorts are compared.
    period: i64,
    /// The share that was active in it, in per cent.
    retention_rate: Option<Figure>,
    /// How many had registered.
    cohort_size: i64,
}

impl Average {
    /// Each period, over the cells whose week is over.
    pub(super) fn of_periods(self, cells: &[&CohortCell]) -> Vec<PeriodAverage> {
        let average = |period| {
            let mature = mature(cells, period);
            PeriodAverage {
                period,
                average_retention: self.of(&mature),
                cohort_count: mature.len(),
            }
        };
        (0..=LAST_PERIOD).map(average).collect()
    }

    fn of(self, cells: &[&CohortCell]) -> Option<Figure> {
        let returned = cells.iter().map(|cell| Decimal::from(cell.users_returned));
        let size = cells.iter().map(|cell| Decimal::from(cell.cohort_size));
        match self {
            Self::Weighted => Figure::rate(returned.sum::<Decimal>(), size.sum::<Decimal>()),
            Self::Simple => {
                let shares = returned.zip(size).filter_map(|(part, whole)| part.checked_div(whole));
                Figure::rate(shares.sum::<Decimal>(), cells.len())
            }
        }
    }
}

impl Insights {
    pub(super) fn of(cells: &[&CohortCell], averages: &[PeriodAverage]) -> Self {
        let later = averages.iter().filter(|average| average.period > 0);
        Self {
            strongest_cohort: StrongestCohort::of(cells),
            overall_retention_trend: later.map(|average| average.average_retention).collect(),
        }
    }
}

impl StrongestCohort {
    fn of(cells: &[&CohortCell]) -> Option<Self> {
        let mut periods = (0..=LAST_PERIOD).rev().map(|period| mature(cells, period));
        let deepest = periods.find(|mature| mature.len() >= COMPARABLE)?;
        let best = deepest
            .into_iter()
            .max_by(|one, other| by_rate(one, other).then(one.cohort_week.cmp(&other.cohort_week)))?;
        Some(Self {
            cohort_week: best.cohort_week,
            period: best.period_number,
            retention_rate: Figure::rate(best.users_returned, best.cohort_size),
            cohort_size: best.cohort_size,
        })
    }
}

/// The cells of a period whose week is over.
fn mature<'a>(cells: &[&'a CohortCell], period: i64) -> Vec<&'a CohortCell> {
    let of_period = cells.iter().copied().filter(|cell| cell.period_number == period);
    of_period.filter(|cell| !cell.is_partial).collect()
}

/// Compares exact rates, by their parts.
fn by_rate(one: &CohortCell, other: &CohortCell) -> Ordering {
    let product = |part: i64, whole: i64| i128::from(part) * i128::from(whole);
    product(one.users_returned, other.cohort_size).cmp(&product(other.users_returned, one.cohort_size))
}
