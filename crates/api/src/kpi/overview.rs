//! `GET /kpis/overview`: the latest day's key figures, and how the last 30 complete days went.

use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use kindred_model::{DayWindow, Instant};
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::overview::{KpiDay, Overview};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::overview_trends::{BusinessMetrics, Growth, OverviewComparison, Trends};
use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::comparison::Compare;
use crate::figure::Figure;
use crate::meta::Meta;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;
use crate::window::days_before;

/// How many complete days trends and business figures look back over.
const TREND_DAYS: u16 = 30;

/// The parameters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct OverviewParams {
    /// The 30 days against the 30 before them.
    #[param(inline)]
    compare: Option<Compare>,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Overview)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OverviewAnswer {
    current_metrics: CurrentMetrics,
    trends: Trends,
    business_metrics: BusinessMetrics,
    /// The 30 days against the 30 before them; absent when it is not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<OverviewComparison>,
    meta: Meta,
}

/// Figures of the latest day, partial or not: `meta.date`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CurrentMetrics {
    /// Users with a session that meets the day.
    daily_active_users: Option<i64>,
    /// Accounts made.
    new_registrations: Option<i64>,
    /// Matches made.
    total_matches: Option<i64>,
    /// Messages sent.
    total_messages: Option<i64>,
    /// Payments less refunds, in the reporting currency.
    daily_revenue: Option<Figure>,
    /// Mean length of the ended sessions that began on the day, in minutes.
    avg_session_duration: Option<Figure>,
    /// The same in seconds.
    avg_session_duration_seconds: Option<Figure>,
    /// Of the active users without a subscription, those who bought their first one, in per cent.
    conversion_rate: Option<Figure>,
}

/// The latest day's key figures, and how the last 30 complete days went
#[utoipa::path(get, path = "/kpis/overview", operation_id = "overview", tag = "KPIs",
    params(OverviewParams), responses((status = 200, body = OverviewAnswer)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<OverviewParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: OverviewParams, now: Instant) -> Result<OverviewAnswer, ApiError> {
    let windows = if params.compare.is_some() { 2 } else { 1 };
    let overview = warehouse.overview(windows * TREND_DAYS).await?;
    Ok(told(&overview, params.compare, now))
}

fn told(overview: &Overview, compare: Option<Compare>, now: Instant) -> OverviewAnswer {
    let mut meta = Meta::new(overview.as_of, now);
    let Some(latest) = &overview.latest else {
        meta.empty = true;
        return OverviewAnswer {
            current_metrics: CurrentMetrics::default(),
            trends: Trends::default(),
            business_metrics: BusinessMetrics::default(),
            comparison: None,
            meta,
        };
    };
    meta.date = Some(latest.date);
    meta.is_partial = latest.is_partial;
    // A fresh installation has no complete day yet: the partial one stands in for them.
    let window = overview.days.last().map(|last| days_to(last.date));
    meta.averages_partial = window.is_none();
    let (window, known) = match window {
        Some(window) => (window, overview.days.iter().filter(|day| !day.is_partial).collect()),
        None => (DayWindow::day(latest.date), vec![latest]),
    };
    if !meta.averages_partial {
        meta.missing_buckets = missing(window, &overview.days);
    }
    let days = within(window, &known);
    OverviewAnswer {
        current_metrics: CurrentMetrics::of(latest),
        trends: Trends::of(&days, &known),
        business_metrics: BusinessMetrics::of(&days),
        comparison: compare.map(|Compare::Previous| {
            let before = days_before(window);
            OverviewComparison::of(&days, before, &within(before, &known))
        }),
        meta,
    }
}

/// The 30 days that end with this one.
fn days_to(last: NaiveDate) -> DayWindow {
    let from = last - Days::new(u64::from(TREND_DAYS) - 1);
    DayWindow::new(from, last + Days::new(1)).unwrap_or(DayWindow::day(last))
}

fn within<'a>(window: DayWindow, days: &[&'a KpiDay]) -> Vec<&'a KpiDay> {
    days.iter().copied().filter(|day| window.contains(day.date)).collect()
}

/// The days of the window that were never computed.
fn missing(window: DayWindow, computed: &[KpiDay]) -> Vec<Timestamp> {
    let days = window.days();
    days.filter(|day| computed.iter().all(|known| known.date != *day))
        .map(Timestamp::of_day)
        .collect()
}

impl CurrentMetrics {
    fn of(day: &KpiDay) -> Self {
        Self {
            daily_active_users: Some(day.total_active_users),
            new_registrations: Some(day.new_registrations),
            total_matches: Some(day.total_matches),
            total_messages: Some(day.total_messages),
            daily_revenue: Some(Figure::money(day.total_revenue)),
            avg_session_duration: day
                .avg_session_duration
                .and_then(|seconds| Figure::duration(seconds / 60.0)),
            avg_session_duration_seconds: day.avg_session_duration.and_then(Figure::duration),
            conversion_rate: Figure::rate(day.converted_non_subscribers, day.active_non_subscribers),
        }
    }
}

impl Answer for OverviewAnswer {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// The days behind the trends.
    fn table(&self) -> Table {
        Growth::table(&self.trends.user_growth)
    }
}
