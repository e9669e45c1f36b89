//! The window of `GET /kpis/revenue` in one line, and beside the one before it.

use kindred_warehouse::read::revenue::RevenueDay;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::comparison::Compared;
use crate::figure::Figure;
use crate::window::Range;

/// The window in one line: totals over all of its computed days, averages and rates over the complete ones, if there is
/// one, and balances of the latest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RevenueSummary)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// Payments less refunds.
    pub(super) total_revenue: Option<Figure>,
    /// Subscriptions purchased.
    #[schema(value_type = Option<i64>)]
    total_new_subscriptions: Option<Figure>,
    /// Subscriptions, ever paid, that ended.
    #[schema(value_type = Option<i64>)]
    total_churned_subscriptions: Option<Figure>,
    /// Those purchased less those that ended.
    #[schema(value_type = Option<i64>)]
    net_subscription_growth: Option<Figure>,
    /// Mean of the complete days' monthly recurring revenue, each at the day's end.
    #[serde(rename = "averageMRR")]
    average_mrr: Option<Figure>,
    /// Subscriptions that ended on the complete days, by those running at the start of the first of them, in per cent;
    /// null when none was running.
    average_churn_rate: Option<Figure>,
    /// Total revenue by subscriptions purchased; null without one.
    average_revenue_per_user: Option<Figure>,
    /// Monthly recurring revenue at the end of the latest day, partial or not.
    #[serde(rename = "currentMRR")]
    current_mrr: Option<Figure>,
    /// The same in a year.
    #[serde(rename = "currentARR")]
    current_arr: Option<Figure>,
    /// Revenue of the complete days by the sum of their daily active users; null when nobody was active.
    arpdau: Option<Figure>,
    /// Monthly recurring revenue by running subscriptions, at the end of the latest day; null when none is running.
    arpa: Option<Figure>,
    /// What a subscription brings until it ends, on the last complete day; null before 28 days of history, and when
    /// nothing churned in the 180 days before.
    customer_lifetime_value: Option<Figure>,
}

/// The summary's figures over the window's complete days, and over as many days before the window.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevenueComparison {
    /// The days before.
    range: Range,
    total_revenue: Compared,
    total_new_subscriptions: Compared,
    total_churned_subscriptions: Compared,
    net_subscription_growth: Compared,
    #[serde(rename = "averageMRR")]
    average_mrr: Compared,
    average_churn_rate: Compared,
    average_revenue_per_user: Compared,
    #[serde(rename = "currentMRR")]
    current_mrr: Compared,
    #[serde(rename = "currentARR")]
    current_arr: Compared,
    arpdau: Compared,
    arpa: Compared,
    customer_lifetime_value: Compared,
}

impl Summary {
    /// Of these days, the latest last; averages are of the second ones. Nothing is known of no day.
    pub(super) fn of(days: &[&RevenueDay], averaged: &[&RevenueDay]) -> Self {
        let total = revenue(days);
        let new = sum(days, |day| day.new_subscriptions);
        let churned = sum(days, |day| day.churned_subscriptions);
        let known = |figure: Figure| (!days.is_empty()).then_some(figure);
        let latest = days.last();
        // Revenue by active users is of the days on which both are known.
        let mut visited = averaged.to_vec();
        visited.retain(|day| day.total_active_users.is_some());
        Self {
            total_revenue: known(Figure::money(total)),
            total_new_subscriptions: known(Figure::count(new)),
            total_churned_subscriptions: known(Figure::count(churned)),
            net_subscription_growth: known(Figure::count(new - churned)),
            average_mrr: Figure::mean(
                averaged
                    .iter()
                    .map(|day| day.monthly_recurring_revenue)
                    .sum::<Decimal>(),
                averaged.len(),
            ),
            average_churn_rate: averaged
                .first()
                .and_then(|first| Figure::rate(sum(averaged, |day| day.churned_subscriptions), first.active_at_start)),
            average_revenue_per_user: Figure::mean(total, new),
            current_mrr: latest.map(|day| Figure::money(day.monthly_recurring_revenue)),
            current_arr: latest.map(|day| Figure::money(day.annual_recurring_revenue)),
            arpdau: Figure::mean(
                revenue(&visited),
                sum(&visited, |day| day.total_active_users.unwrap_or_default()),
            ),
            arpa: latest.and_then(|day| Figure::mean(day.monthly_recurring_revenue, day.active_at_end)),
            customer_lifetime_value: averaged
                .last()
                .and_then(|day| day.customer_lifetime_value)
                .map(Figure::money),
        }
    }
}

impl RevenueComparison {
    /// Of the complete days with those before the window; `range` is theirs.
    pub(super) fn of(range: Range, current: &Summary, previous: &Summary) -> Self {
        let compared = |figure: fn(&Summary) -> Option<Figure>| Compared::of(figure(current), figure(previous));
        Self {
            range,
            total_revenue: compared(|of| of.total_revenue),
            total_new_subscriptions: compared(|of| of.total_new_subscriptions),
            total_churned_subscriptions: compared(|of| of.total_churned_subscriptions),
            net_subscription_growth: compared(|of| of.net_subscription_growth),
            average_mrr: compared(|of| of.average_mrr),
            average_churn_rate: compared(|of| of.average_churn_rate),
            average_revenue_per_user: compared(|of| of.average_revenue_per_user),
            current_mrr: compared(|of| of.current_mrr),
            current_arr: compared(|of| of.current_arr),
            arpdau: compared(|of| of.arpdau),
            arpa: compared(|of| of.arpa),
            customer_lifetime_value: compared(|of| of.customer_lifetime_value),
        }
    }
}

fn sum(days: &[&RevenueDay], figure: impl Fn(&RevenueDay) -> i64) -> Decimal {
    days.iter().map(|day| Decimal::from(figure(day))).sum()
}

fn revenue(days: &[&RevenueDay]) -> Decimal {
    days.iter().map(|day| day.total_revenue).sum()
}
