//! What `GET /kpis/overview` tells of 30 days, and of the 30 before them.

use chrono::{Days, NaiveDate};
use kindred_model::DayWindow;
use kindred_warehouse::read::overview::KpiDay;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Table;
use crate::comparison::Compared;
use crate::figure::Figure;
use crate::window::Range;

/// How the last 30 complete days went.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trends {
    /// Mean of the days' active users.
    avg_daily_active_users: Option<Figure>,
    /// Mean of the days' revenue.
    avg_daily_revenue: Option<Figure>,
    /// All matches by the sum of daily active users.
    avg_matches_per_user: Option<Figure>,
    /// All messages by the sum of daily active users.
    avg_messages_per_user: Option<Figure>,
    /// The days themselves, oldest first.
    pub(super) user_growth: Vec<Growth>,
}

/// A day's users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserGrowth)]
#[serde(rename_all = "camelCase")]
pub(super) struct Growth {
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
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BusinessMetrics {
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

/// The figures of the 30 days in the 30 before them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OverviewComparison {
    /// The days before.
    range: Range,
    avg_daily_active_users: Compared,
    avg_daily_revenue: Compared,
    avg_matches_per_user: Compared,
    avg_messages_per_user: Compared,
    total_revenue30_days: Compared,
    avg_revenue_per_user: Compared,
    user_retention_day1: Compared,
    user_retention_day7: Compared,
    user_retention_day30: Compared,
}

impl Trends {
    /// Of these days; `known` are all that are known, so that the first of them has one before it.
    pub(super) fn of(days: &[&KpiDay], known: &[&KpiDay]) -> Self {
        let active = sum(days, |day| day.total_active_users);
        Self {
            avg_daily_active_users: Figure::mean(active, days.len()),
            avg_daily_revenue: Figure::mean(revenue(days), days.len()),
            avg_matches_per_user: Figure::mean(sum(days, |day| day.total_matches), active),
            avg_messages_per_user: Figure::mean(sum(days, |day| day.total_messages), active),
            user_growth: days.iter().map(|day| Growth::of(day, known)).collect(),
        }
    }
}

impl Growth {
    fn of(day: &KpiDay, known: &[&KpiDay]) -> Self {
        let before = known.iter().find(|before| before.date + Days::new(1) == day.date);
        let count = |day: &KpiDay| Some(Figure::count(day.total_active_users));
        Self {
            date: day.date,
            active_users: day.total_active_users,
            new_registrations: day.new_registrations,
            growth_rate: before.and_then(|before| Figure::change(count(before), count(day))),
        }
    }

    pub(super) fn table(days: &[Self]) -> Table {
        Table::default()
            .column("date", days.iter().map(|day| Some(day.date)))
            .column("activeUsers", days.iter().map(|day| Some(day.active_users)))
            .column("newRegistrations", days.iter().map(|day| Some(day.new_registrations)))
            .column("growthRate", days.iter().map(|day| day.growth_rate))
    }
}

impl BusinessMetrics {
    pub(super) fn of(days: &[&KpiDay]) -> Self {
        let total = revenue(days);
        let pooled = |returned: fn(&KpiDay) -> i64, cohort: fn(&KpiDay) -> i64| {
            Figure::rate(sum(days, returned), sum(days, cohort))
        };
        Self {
            total_revenue30_days: (!days.is_empty()).then(|| Figure::money(total)),
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
}

impl OverviewComparison {
    /// Of these days with those of the window before, all of which must be known.
    pub(super) fn of(days: &[&KpiDay], window: DayWindow, before: &[&KpiDay]) -> Self {
        let is_known = u64::try_from(before.len()).is_ok_and(|known| known == window.len());
        let before = if is_known { before } else { &[] };
        let trends = (Trends::of(days, &[]), Trends::of(before, &[]));
        let business = (BusinessMetrics::of(days), BusinessMetrics::of(before));
        let trend = |figure: fn(&Trends) -> Option<Figure>| Compared::of(figure(&trends.0), figure(&trends.1));
        let brought =
            |figure: fn(&BusinessMetrics) -> Option<Figure>| Compared::of(figure(&business.0), figure(&business.1));
        Self {
            range: window.into(),
            avg_daily_active_users: trend(|of| of.avg_daily_active_users),
            avg_daily_revenue: trend(|of| of.avg_daily_revenue),
            avg_matches_per_user: trend(|of| of.avg_matches_per_user),
            avg_messages_per_user: trend(|of| of.avg_messages_per_user),
            total_revenue30_days: brought(|of| of.total_revenue30_days),
            avg_revenue_per_user: brought(|of| of.avg_revenue_per_user),
            user_retention_day1: brought(|of| of.user_retention_day1),
            user_retention_day7: brought(|of| of.user_retention_day7),
            user_retention_day30: brought(|of| of.user_retention_day30),
        }
    }
}

fn sum(days: &[&KpiDay], figure: impl Fn(&KpiDay) -> i64) -> Decimal {
    days.iter().map(|day| Decimal::from(figure(day))).sum()
}

fn revenue(days: &[&KpiDay]) -> Decimal {
    days.iter().map(|day| day.total_revenue).sum()
}
