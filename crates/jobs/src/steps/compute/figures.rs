//! The figures of days: key figures, segments, lifecycle, exits of sessions, buckets of active users, money.

use kindred_model::DayWindow;
use kindred_warehouse::{
    ACTIVE_USER_BUCKETS, DAILY_KPI_SUMMARIES, LIFECYCLE_DAILY, MRR_MOVEMENTS_DAILY, REVENUE_METRICS, SEGMENT_KPI_DAILY,
    SESSION_EXITS_DAILY, Scope, SummaryTable,
};

use super::{Compute, Computed};
use crate::error::JobError;

/// Per user, whatever the window. In this order: each may read those before it.
const PEOPLE: &[&str] = &[
    "state/subscription_spans",
    "revenue/daily_running_changes",
    "revenue/daily_plan_changes",
    "revenue/daily_mrr_changes",
];

/// The parts of the tables, each under its own name, in this order.
const PARTS: &[&str] = &[
    "kpi/daily_active_users",
    "kpi/daily_registrations",
    "kpi/daily_sessions",
    "kpi/daily_likes",
    "kpi/daily_matches",
    "kpi/daily_messages",
    "kpi/daily_interactions",
    "kpi/daily_revenue",
    "kpi/daily_conversion",
    "kpi/daily_retention",
    "kpi/daily_safety",
];

/// The tables, each with the query that answers it, and whether its rows replace all of a day's or only those with
/// their keys. A longer bucket stands on the day on which it begins, beside others.
const TABLES: &[(&str, &SummaryTable, Replaces)] = &[
    ("kpi/daily_kpi_summaries", &DAILY_KPI_SUMMARIES, Replaces::Days),
    ("kpi/lifecycle_daily", &LIFECYCLE_DAILY, Replaces::Days),
    ("kpi/segment_kpi_daily", &SEGMENT_KPI_DAILY, Replaces::Days),
    ("sessions/session_exits_daily", &SESSION_EXITS_DAILY, Replaces::Days),
    ("kpi/active_user_buckets", &ACTIVE_USER_BUCKETS, Replaces::Keys),
    ("revenue/revenue_metrics", &REVENUE_METRICS, Replaces::Days),
    ("revenue/mrr_movements_daily", &MRR_MOVEMENTS_DAILY, Replaces::Days),
];

#[derive(Clone, Copy)]
enum Replaces {
    Days,
    Keys,
}

impl Compute<'_> {
    /// Computes every table for the windows, oldest first.
    pub(super) async fn figures(&self, windows: &[DayWindow]) -> Result<Vec<Computed>, JobError> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        for name in PEOPLE {
            self.part(name, &self.common).await?;
        }
        let scope = |replaces: &Replaces| match replaces {
            Replaces::Days => Scope::Days(windows.to_vec()),
            Replaces::Keys => Scope::Keys,
        };
        let tables = TABLES.iter();
        let mut computed: Vec<_> = tables
            .map(|(query, table, replaces)| Computed::new(query, table, scope(replaces)))
            .collect();
        for window in windows {
            let params = self.of_days(*window);
            for name in PARTS {
                self.part(name, &params).await?;
            }
            for table in &mut computed {
                self.answer(table, &params).await?;
            }
        }
        Ok(computed)
    }
}
