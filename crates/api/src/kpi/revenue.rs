//! `GET /kpis/revenue`: what came in over a window, from which plans, and how recurring revenue moved.

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use kindred_model::{DayWindow, Granularity, Instant};
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::revenue::{Revenue, RevenueDay};
use serde::Serialize;
use utoipa::ToSchema;

use super::revenue_plans::{Plan, TopPlan};
use super::revenue_summary::{RevenueComparison, Summary};
use super::revenue_timeline::{Day, Movements};
use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::comparison::Compare;
use crate::figure::Figure;
use crate::meta::Meta;
use crate::params::windowed_params;
use crate::problem::ApiError;
use crate::window::{ahead_of, days_before, default_timeframe};

windowed_params! {
    /// The parameters.
    RevenueParams {
        /// The complete days against as many before the window.
        #[param(inline)]
        compare: Option<Compare>,
    }
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revenue)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevenueAnswer {
    summary: Summary,
    /// The plans with a payment, a refund or a new subscription in the window, `one_off` too, by revenue and then by
    /// name.
    plan_breakdown: Vec<Plan>,
    /// The computed days, oldest first.
    timeline: Vec<Day>,
    movements: Movements,
    insights: Insights,
    /// The complete days against as many before the window; absent when it is not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<RevenueComparison>,
    meta: Meta,
}

/// What stands out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RevenueInsights)]
#[serde(rename_all = "camelCase")]
struct Insights {
    /// The plan with the most revenue; null when none had any payment, refund or new subscription.
    top_performing_plan: Option<TopPlan>,
    /// Change of the revenue of the window's complete days to that of as many days before the window, in per cent; null
    /// when one of those was not computed in full, or they brought nothing.
    revenue_growth_rate: Option<Figure>,
}

/// What came in over a window of days, from which plans, and how recurring revenue moved
///
/// The window ends with today, which is partial. Money is in the reporting currency. As CSV and Arrow: the timeline.
#[utoipa::path(get, path = "/kpis/revenue", operation_id = "revenue", tag = "KPIs",
    params(RevenueParams), responses((status = 200, body = RevenueAnswer)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<RevenueParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: RevenueParams, now: Instant) -> Result<RevenueAnswer, ApiError> {
    let window = params.window(default_timeframe(Granularity::Daily), now)?.days(now)?;
    let mut revenue = warehouse.revenue(window, days_before(window).from()).await?;
    let first = revenue.days.partition_point(|day| day.date < window.from());
    let days = revenue.days.split_off(first);
    let mut meta = Meta::new(warehouse.watermark().await?, now);
    meta.empty = days.is_empty() && warehouse.has_no_revenue().await?;
    if !meta.empty {
        meta.cover(window, days.iter().map(|day| day.date), now);
        meta.is_partial |= days.iter().any(|day| day.is_partial);
    }
    Ok(told(window, &days, &revenue, params.compare, meta))
}

/// The answer of the window's days; the others are those before it.
fn told(
    window: DayWindow,
    days: &[RevenueDay],
    Revenue {
        days: others,
        plans,
        movements,
    }: &Revenue,
    compare: Option<Compare>,
    mut meta: Meta,
) -> RevenueAnswer {
    let all: Vec<_> = days.iter().collect();
    let complete = complete(days);
    let (from, range) = ahead_of(window, complete.len());
    let before = before(from, complete.len(), others);
    // A fresh installation has no complete day yet: the partial one stands in for them.
    meta.averages_partial = complete.is_empty() && !all.is_empty();
    let averaged = if meta.averages_partial { &all } else { &complete };
    let (current, previous) = (Summary::of(&complete, &complete), Summary::of(&before, &before));
    RevenueAnswer {
        summary: Summary::of(&all, averaged),
        plan_breakdown: plans.iter().map(Plan::of).collect(),
        timeline: days.iter().map(Day::of).collect(),
        movements: Movements::of(movements),
        insights: Insights {
            top_performing_plan: plans.first().map(TopPlan::of),
            revenue_growth_rate: Figure::change(previous.total_revenue, current.total_revenue),
        },
        comparison: compare.map(|Compare::Previous| RevenueComparison::of(range, &current, &previous)),
        meta,
    }
}

fn complete(days: &[RevenueDay]) -> Vec<&RevenueDay> {
    days.iter().filter(|day| !day.is_partial).collect()
}

/// So many days from this one on, as they were computed: all of them in full, or none counts.
fn before(from: NaiveDate, count: usize, known: &[RevenueDay]) -> Vec<&RevenueDay> {
    let mut days = complete(known);
    days.retain(|day| day.date >= from);
    if days.len() < count {
        days.clear();
    }
    days
}

impl Answer for RevenueAnswer {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// The days.
    fn table(&self) -> Table {
        Day::table(&self.timeline)
    }
}
