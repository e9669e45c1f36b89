//! `GET /kpis/overview`: the latest day's key figures, and how the last 30 complete days went.

use axum::Json;
use axum::extract::State;
use chrono::{Days, NaiveDate};
use kindred_model::Instant;
use kindred_warehouse::read::overview::{KpiDay, Overview};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ApiState;
use crate::figure::Figure;
use crate::meta::Meta;
use crate::params::Params;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// It takes no parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverviewParams {}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OverviewAnswer {
    current_metrics: CurrentMetrics,
    trends: Trends,
    business_metrics: BusinessMetrics,
    meta: Meta,
}

/// Figures of the latest day, partial or not: `meta.date`.
#[derive(Debug, Default, Serialize)]
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

/// How the last 30 complete days went.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Trends {
    /// Mean of the days' active users.
    avg_daily_active_users: Option<Figure>,
    /// Mean of the days' revenue.
    avg_daily_revenue: Option<Figure>,
    /// All matches by the sum of daily active users.
    avg_matches_per_user: Option<Figure>,
    /// All messages by the sum of daily active users.
    avg_messages_per_user: Option<Figure>,
    /// The days themselves, oldest first.
    user_growth: Vec<Growth>,
}

/// A day's users.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Growth {
    /// The day.
    date: NaiveDate,
    /// Users active on it.
    active_users: i64,
    /// Accounts made on it.
    new_registrations: i64,
    /// Change of active users to the day before, in per cent; null when that day has no complete figure, or none.
    growth_rate: Option<Figure>,
}

/// What the last 30 complete days brought.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct BusinessMetrics {
    /// Payments less refunds of all of the days.
    total_revenue30_days: Option<Figure>,
    /// That by the mean of daily active users.
    avg_revenue_per_user: Option<Figure>,
    /// Of those who registered a day before one of the days, the share active on that day, in per cent.
    user_retention_day1: Option<Figure>,
    /// The same, 7 days before.
    user_retention_day7: Option<Figure>,
    /// The same, 30 days before.
    user_retention_day30: Option<Figure>,
}

pub(crate) async fn get(
    State(state): State<ApiState>,
    Params(OverviewParams {}): Params<OverviewParams>,
) -> Result<Json<OverviewAnswer>, ApiError> {
    let overview = state.warehouse.overview().await?;
    Ok(Json(answer(&overview, state.clock.now())))
}

fn answer(overview: &Overview, now: Instant) -> OverviewAnswer {
    let mut meta = Meta::new(overview.as_of, now);
    let Some(latest) = &overview.latest else {
        meta.empty = true;
        return OverviewAnswer {
            current_metrics: CurrentMetrics::default(),
            trends: Trends::default(),
            business_metrics: BusinessMetrics::default(),
            meta,
        };
    };
    meta.date = Some(latest.date);
    meta.is_partial = latest.is_partial;
    let span = overview.trend_days();
    meta.averages_partial = span.is_none();
    meta.missing_buckets = span.map(|span| missing(span, &overview.days)).unwrap_or_default();

    // A fresh installation has no complete day yet: the partial one stands in for them.
    let complete: Vec<&KpiDay> = match span {
        Some(_) => overview.days.iter().filter(|day| !day.is_partial).collect(),
        None => vec![latest],
    };
    let (first, _) = span.unwrap_or((latest.date, latest.date));
    // The day before the 30 only says how the first of them grew.
    let days: Vec<&KpiDay> = complete.iter().copied().filter(|day| day.date >= first).collect();
    OverviewAnswer {
        current_metrics: current(latest),
        trends: trends(&days, &complete),
        business_metrics: business(&days),
        meta,
    }
}

fn current(day: &KpiDay) -> CurrentMetrics {
    CurrentMetrics {
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

fn trends(days: &[&KpiDay], with_the_day_before: &[&KpiDay]) -> Trends {
    let active = sum(days, |day| day.total_active_users);
    Trends {
        avg_daily_active_users: Figure::mean(active, days.len()),
        avg_daily_revenue: Figure::mean(revenue(days), days.len()),
        avg_matches_per_user: Figure::mean(sum(days, |day| day.total_matches), active),
        avg_messages_per_user: Figure::mean(sum(days, |day| day.total_messages), active),
        user_growth: days.iter().map(|day| growth(day, with_the_day_before)).collect(),
    }
}

fn growth(day: &KpiDay, days: &[&KpiDay]) -> Growth {
    let before = days.iter().find(|before| before.date + Days::new(1) == day.date);
    Growth {
        date: day.date,
        active_users: day.total_active_users,
        new_registrations: day.new_registrations,
        growth_rate: before.and_then(|before| {
            Figure::rate(
                day.total_active_users - before.total_active_users,
                before.total_active_users,
            )
        }),
    }
}

fn business(days: &[&KpiDay]) -> BusinessMetrics {
    let total = revenue(days);
    let pooled =
        |returned: fn(&KpiDay) -> i64, cohort: fn(&KpiDay) -> i64| Figure::rate(sum(days, returned), sum(days, cohort));
    BusinessMetrics {
        total_revenue30_days: Some(Figure::money(total)),
        // By the mean of daily actives, unrounded: total / (sum / days).
        avg_revenue_per_user: Figure::mean(
            total * Decimal::from(days.len()),
            sum(days, |day| day.total_active_users),
        ),
        user_retention_day1: pooled(|day| day.retention_day1_returned, |day| day.retention_day1_cohort),
        user_retention_day7: pooled(|day| day.retention_day7_returned, |day| day.retention_day7_cohort),
        user_retention_day30: pooled(|day| day.retention_day30_returned, |day| day.retention_day30_cohort),
    }
}

fn sum(days: &[&KpiDay], figure: impl Fn(&KpiDay) -> i64) -> Decimal {
    days.iter().map(|day| Decimal::from(figure(day))).sum()
}

fn revenue(days: &[&KpiDay]) -> Decimal {
    days.iter().map(|day| day.total_revenue).sum()
}

/// The days of the span, both ends included, that were never computed.
fn missing((first, last): (NaiveDate, NaiveDate), computed: &[KpiDay]) -> Vec<Timestamp> {
    let days = first.iter_days().take_while(|day| *day <= last);
    days.filter(|day| computed.iter().all(|known| known.date != *day))
        .map(Timestamp::of_day)
        .collect()
}
