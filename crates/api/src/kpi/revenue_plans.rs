//! The plans of `GET /kpis/revenue`.

use kindred_warehouse::read::revenue::PlanRevenue;
use serde::Serialize;
use utoipa::ToSchema;

use crate::figure::Figure;

/// A plan over all computed days of the window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanRevenue)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    /// The plan; `one_off` for what is no subscription.
    plan: String,
    /// Payments less refunds. The plans' add up to the summary's.
    total_revenue: Figure,
    /// Subscriptions purchased.
    total_subscriptions: i64,
    /// Its revenue by subscriptions purchased; null without one.
    avg_revenue_per_user: Option<Figure>,
    /// Subscriptions, ever paid, that ended.
    churned_subscriptions: i64,
    /// Monthly recurring revenue at the end of the window's latest computed day.
    mrr: Option<Figure>,
}

/// The plan with the most revenue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TopPlan {
    /// The plan; `one_off` for what is no subscription.
    plan: String,
    /// Payments less refunds.
    total_revenue: Figure,
}

impl Plan {
    pub(super) fn of(plan: &PlanRevenue) -> Self {
        Self {
            plan: plan.plan.clone(),
            total_revenue: Figure::money(plan.total_revenue),
            total_subscriptions: plan.new_subscriptions,
            avg_revenue_per_user: Figure::mean(plan.total_revenue, plan.new_subscriptions),
            churned_subscriptions: plan.churned_subscriptions,
            mrr: plan.monthly_recurring_revenue.map(Figure::money),
        }
    }
}

impl TopPlan {
    pub(super) fn of(plan: &PlanRevenue) -> Self {
        Self {
            plan: plan.plan.clone(),
            total_revenue: Figure::money(plan.total_revenue),
        }
    }
}
