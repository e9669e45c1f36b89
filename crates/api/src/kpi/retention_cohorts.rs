//! The weeks of registration of `GET /kpis/retention`, each with its 13 periods.

use chrono::{NaiveDate, TimeDelta};
use kindred_model::{Instant, day_start};
use kindred_warehouse::read::retention::CohortCell;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Table;
use crate::figure::Figure;

/// The last week in which a cohort is followed, counted from that of registration, which is 0.
pub(super) const LAST_PERIOD: i64 = 12;

/// The users who registered in a week.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionCohort)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cohort {
    /// The week, by its Monday.
    cohort_week: NaiveDate,
    /// How many they are.
    cohort_size: i64,
    /// The periods 0 to 12.
    retention_rates: Vec<Cell>,
}

/// What they did in a week. Figures are null when the week was never computed; those of a week that has not begun are.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = RetentionCell)]
#[serde(rename_all = "camelCase")]
struct Cell {
    /// How many weeks after that of registration.
    period: i64,
    /// The share that was active in it, in per cent, 100 in period 0; null as long as the week is not over.
    retention_rate: Option<Figure>,
    /// How many were active in it, so far while it is not over.
    users_returned: Option<i64>,
    /// Sessions that they began in it, by the size of the cohort.
    avg_sessions_per_user: Option<Figure>,
    /// Matches that they took part in, by the size of the cohort.
    avg_matches_per_user: Option<Figure>,
    /// Their payments less refunds, by the size of the cohort.
    avg_revenue_per_user: Option<Figure>,
    /// The share that had bought a subscription by its end, in per cent.
    subscription_conversion_rate: Option<Figure>,
    /// Whether the week is not over, so that its figures will grow.
    is_partial: bool,
}

/// The cohorts of these cells, which come by cohort and then by period.
pub(super) fn cohorts(cells: &[&CohortCell], now: Instant) -> Vec<Cohort> {
    let by_cohort = cells.chunk_by(|one, next| one.cohort_week == next.cohort_week);
    by_cohort.filter_map(|cells| Cohort::of(cells, now)).collect()
}

impl Cohort {
    fn of(cells: &[&CohortCell], now: Instant) -> Option<Self> {
        let CohortCell {
            cohort_week,
            cohort_size,
            ..
        } = **cells.first()?;
        let cell = |period| {
            let known = cells.iter().find(|cell| cell.period_number == period);
            known.map_or_else(|| Cell::not_computed(cohort_week, period, now), |cell| Cell::of(cell))
        };
        Some(Self {
            cohort_week,
            cohort_size,
            retention_rates: (0..=LAST_PERIOD).map(cell).collect(),
        })
    }
}

impl Cell {
    fn of(cell: &CohortCell) -> Self {
        // Stored per user and in per cent; here they are only rounded.
        let per_user = |average: Option<Decimal>| Figure::mean(average?, 1);
        let exact = |average: Option<f64>| Decimal::from_f64(average?);
        Self {
            period: cell.period_number,
            retention_rate: match cell.is_partial {
                true => None,
                false => Figure::rate(cell.users_returned, cell.cohort_size),
            },
            users_returned: Some(cell.users_returned),
            avg_sessions_per_user: per_user(exact(cell.avg_sessions_per_user)),
            avg_matches_per_user: per_user(exact(cell.avg_matches_per_user)),
            avg_revenue_per_user: per_user(cell.avg_revenue_per_user),
            subscription_conversion_rate: cell
                .subscription_conversion_rate
                .and_then(|rate| Figure::rate(rate, Decimal::ONE_HUNDRED)),
            is_partial: cell.is_partial,
        }
    }

    /// A period whose week has not begun, or for which no run was made.
    fn not_computed(cohort_week: NaiveDate, period: i64, now: Instant) -> Self {
        let end = day_start(cohort_week + TimeDelta::weeks(period + 1));
        Self {
            period,
            is_partial: end > now,
            ..Self::default()
        }
    }
}

/// A row for each cohort and period.
pub(super) fn rows(cohorts: &[Cohort]) -> Table {
    let rows = || {
        cohorts
            .iter()
            .flat_map(|of| of.retention_rates.iter().map(move |cell| (of, cell)))
    };
    Table::default()
        .column("cohortWeek", rows().map(|(of, _)| Some(of.cohort_week)))
        .column("cohortSize", rows().map(|(of, _)| Some(of.cohort_size)))
        .column("period", rows().map(|(_, cell)| Some(cell.period)))
        .column("retentionRate", rows().map(|(_, cell)| cell.retention_rate))
        .column("usersReturned", rows().map(|(_, cell)| cell.users_returned))
        .column("avgSessionsPerUser", rows().map(|(_, cell)| cell.avg_sessions_per_user))
        .column("avgMatchesPerUser", rows().map(|(_, cell)| cell.avg_matches_per_user))
        .column("avgRevenuePerUser", rows().map(|(_, cell)| cell.avg_revenue_per_user))
        .column(
            "subscriptionConversionRate",
            rows().map(|(_, cell)| cell.subscription_conversion_rate),
        )
        .column("isPartial", rows().map(|(_, cell)| Some(cell.is_partial)))
}
