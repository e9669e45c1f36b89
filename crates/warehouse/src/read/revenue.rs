//! The days, plans and movements behind `GET /kpis/revenue`.

use chrono::NaiveDate;
use kindred_model::DayWindow;
use rust_decimal::Decimal;

use crate::{Warehouse, WarehouseError};

/// The rows behind an answer about money.
#[derive(Debug, Clone, PartialEq)]
pub struct Revenue {
    /// The computed days, oldest first: of the window, and those asked for before it.
    pub days: Vec<RevenueDay>,
    /// The plans that took or gave back money in the window, or were bought, by revenue.
    pub plans: Vec<PlanRevenue>,
    /// How recurring revenue moved in the window.
    pub movements: MrrMovements,
}

/// A day's money, over all plans.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct RevenueDay {
    /// The day.
    pub date: NaiveDate,
    /// Subscriptions purchased on it.
    pub new_subscriptions: i64,
    /// Subscriptions, ever paid, that ended on it.
    pub churned_subscriptions: i64,
    /// Subscriptions running at its start.
    pub active_at_start: i64,
    /// Subscriptions running at its end.
    pub active_at_end: i64,
    /// Payments less refunds.
    pub total_revenue: Decimal,
    /// Of the subscriptions running at its end, what they bring in a month.
    pub monthly_recurring_revenue: Decimal,
    /// The same in a year.
    pub annual_recurring_revenue: Decimal,
    /// What a subscription brings until it ends; none before 28 days of history, and when nothing churned.
    pub customer_lifetime_value: Option<Decimal>,
    /// Whether it was not over when it was computed.
    pub is_partial: bool,
    /// Users active on it; none when only its money was computed.
    pub total_active_users: Option<i64>,
}

/// A plan's money over a window.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PlanRevenue {
    /// The plan; `one_off` for what is no subscription.
    pub plan: String,
    /// Payments less refunds.
    pub total_revenue: Decimal,
    /// Subscriptions purchased.
    pub new_subscriptions: i64,
    /// Subscriptions, ever paid, that ended.
    pub churned_subscriptions: i64,
    /// At the end of the window's latest computed day.
    pub monthly_recurring_revenue: Option<Decimal>,
}

/// How monthly recurring revenue moved over a window; nothing when none of its days was computed.
#[derive(Debug, Clone, Default, PartialEq, sqlx::FromRow)]
pub struct MrrMovements {
    /// At the start of the first computed day.
    pub opening_mrr: Option<Decimal>,
    /// Of users who never had any before.
    pub new: Option<Decimal>,
    /// Of users who had some once, and none at the day's start.
    pub reactivation: Option<Decimal>,
    /// What others' grew by.
    pub expansion: Option<Decimal>,
    /// What it shrank by.
    pub contraction: Option<Decimal>,
    /// What was lost of users who have none left.
    pub churn: Option<Decimal>,
    /// At the end of the last computed day.
    pub closing_mrr: Option<Decimal>,
}

impl Warehouse {
    /// The money of a window, and of the days from `since` up to it.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn revenue(&self, window: DayWindow, since: NaiveDate) -> Result<Revenue, WarehouseError> {
        Ok(Revenue {
            days: self.revenue_days(since, window.to()).await?,
            plans: self.revenue_by_plan(window).await?,
            movements: self.mrr_movements(window).await?,
        })
    }

    async fn revenue_days(&self, from: NaiveDate, to: NaiveDate) -> Result<Vec<RevenueDay>, WarehouseError> {
        sqlx::query_as(
            "select m.date, m.new_subscriptions, m.churned_subscriptions, m.active_at_start, m.active_at_end,
                 m.total_revenue, m.monthly_recurring_revenue, m.annual_recurring_revenue, m.customer_lifetime_value,
                 m.is_partial, d.total_active_users
             from revenue_metrics m
             left join daily_kpi_summaries d on d.date = m.date
             where m.subscription_plan = 'all' and m.date >= $1 and m.date < $2
             order by m.date",
        )
        .bind(from)
        .bind(to)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read the days' revenue"))
    }

    async fn revenue_by_plan(&self, window: DayWindow) -> Result<Vec<PlanRevenue>, WarehouseError> {
        sqlx::query_as(
            "with latest as (
                 select max(date) as date from revenue_metrics where date >= $1 and date < $2
             )
             select
                 subscription_plan as plan,
                 sum(total_revenue) as total_revenue,
                 sum(new_subscriptions)::bigint as new_subscriptions,
                 sum(churned_subscriptions)::bigint as churned_subscriptions,
                 sum(monthly_recurring_revenue) filter (where date = (select date from latest))
                     as monthly_recurring_revenue
             from revenue_metrics
             where date >= $1 and date < $2 and subscription_plan <> 'all'
             group by subscription_plan
             having bool_or(gross_revenue <> 0 or refunds <> 0 or new_subscriptions > 0 or renewed_subscriptions > 0)
             order by sum(total_revenue) desc, subscription_plan collate \"C\"",
        )
        .bind(window.from())
        .bind(window.to())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read the plans' revenue"))
    }

    async fn mrr_movements(&self, window: DayWindow) -> Result<MrrMovements, WarehouseError> {
        sqlx::query_as(
            "select
                 (array_agg(opening_mrr order by date))[1] as opening_mrr,
                 sum(\"new\") as \"new\",
                 sum(reactivation) as reactivation,
                 sum(expansion) as expansion,
                 sum(contraction) as contraction,
                 sum(churn) as churn,
                 (array_agg(closing_mrr order by date desc))[1] as closing_mrr
             from mrr_movements_daily
             where date >= $1 and date < $2",
        )
        .bind(window.from())
        .bind(window.to())
        .fetch_one(self.pool())
        .await
        .map_err(WarehouseError::query("read how recurring revenue moved"))
    }

    /// Whether no day's revenue was ever computed.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn has_no_revenue(&self) -> Result<bool, WarehouseError> {
        sqlx::query_scalar("select not exists (select from revenue_metrics)")
            .fetch_one(self.pool())
            .await
            .map_err(WarehouseError::query("see whether revenue was ever computed"))
    }
}
