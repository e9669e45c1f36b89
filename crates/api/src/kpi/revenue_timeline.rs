//! How the money of `GET /kpis/revenue` went from day to day.

use chrono::NaiveDate;
use kindred_warehouse::read::revenue::{MrrMovements, RevenueDay};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Table;
use crate::figure::Figure;

/// A day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RevenueDay)]
#[serde(rename_all = "camelCase")]
pub(super) struct Day {
    /// The day.
    date: NaiveDate,
    /// Payments less refunds.
    revenue: Figure,
    /// Subscriptions purchased on it.
    new_subscriptions: i64,
    /// Subscriptions, ever paid, that ended on it.
    churned_subscriptions: i64,
    /// Monthly recurring revenue at its end.
    mrr: Figure,
    /// Whether it is not over, so that its figures will change.
    is_partial: bool,
}

/// How monthly recurring revenue moved over the computed days of the window. When none is missing between them, the
/// opening one, new, reactivation and expansion, less contraction and churn, come to the closing one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MrrMovements)]
#[serde(rename_all = "camelCase")]
pub(super) struct Movements {
    /// At the start of the first day.
    #[serde(rename = "openingMrr")]
    opening: Option<Figure>,
    /// Of users who never had any before.
    new: Option<Figure>,
    /// Of users who had some once, and none at the day's start.
    reactivation: Option<Figure>,
    /// What others' grew by.
    expansion: Option<Figure>,
    /// What it shrank by.
    contraction: Option<Figure>,
    /// What was lost of users who have none left.
    churn: Option<Figure>,
    /// At the end of the last day.
    #[serde(rename = "closingMrr")]
    closing: Option<Figure>,
}

impl Day {
    pub(super) fn of(day: &RevenueDay) -> Self {
        Self {
            date: day.date,
            revenue: Figure::money(day.total_revenue),
            new_subscriptions: day.new_subscriptions,
            churned_subscriptions: day.churned_subscriptions,
            mrr: Figure::money(day.monthly_recurring_revenue),
            is_partial: day.is_partial,
        }
    }

    pub(super) fn table(days: &[Self]) -> Table {
        Table::default()
            .column("date", days.iter().map(|day| Some(day.date)))
            .column("revenue", days.iter().map(|day| Some(day.revenue)))
            .column("newSubscriptions", days.iter().map(|day| Some(day.new_subscriptions)))
            .column(
                "churnedSubscriptions",
                days.iter().map(|day| Some(day.churned_subscriptions)),
            )
            .column("mrr", days.iter().map(|day| Some(day.mrr)))
            .column("isPartial", days.iter().map(|day| Some(day.is_partial)))
    }
}

impl Movements {
    pub(super) fn of(moved: &MrrMovements) -> Self {
        Self {
            opening: moved.opening_mrr.map(Figure::money),
            new: moved.new.map(Figure::money),
            reactivation: moved.reactivation.map(Figure::money),
            expansion: moved.expansion.map(Figure::money),
            contraction: moved.contraction.map(Figure::money),
            churn: moved.churn.map(Figure::money),
            closing: moved.closing_mrr.map(Figure::money),
        }
    }
}
