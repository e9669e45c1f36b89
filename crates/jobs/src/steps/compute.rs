//! Computing the tables: the parts of a window's figures first, then the rows that put them together.

use kindred_engine::{Params, Rows, Session, Value};
use kindred_model::DayWindow;
use kindred_warehouse::{
    ACTIVE_USER_BUCKETS, DAILY_KPI_SUMMARIES, LIFECYCLE_DAILY, SEGMENT_KPI_DAILY, Scope, SummaryTable,
};

use super::pull::Pulled;
use crate::Platform;
use crate::error::JobError;

/// Per user, whatever the window. In this order: each may read those before it.
const PEOPLE: &[&str] = &[
    "state/internal_users",
    "state/subscription_spans",
    "state/first_purchases",
];

/// The parts of `daily_kpi_summaries`, each under its own name.
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

/// The tables of the daily job, each with the query that answers it, and whether its rows replace all of a day's or
/// only those with their keys. A longer bucket stands on the day on which it begins, beside others.
const TABLES: &[(&str, &SummaryTable, Replaces)] = &[
    ("kpi/daily_kpi_summaries", &DAILY_KPI_SUMMARIES, Replaces::Days),
    ("kpi/lifecycle_daily", &LIFECYCLE_DAILY, Replaces::Days),
    ("kpi/segment_kpi_daily", &SEGMENT_KPI_DAILY, Replaces::Days),
    ("kpi/active_user_buckets", &ACTIVE_USER_BUCKETS, Replaces::Keys),
];

#[derive(Clone, Copy)]
enum Replaces {
    Days,
    Keys,
}

/// The rows of one table.
pub(crate) struct Computed {
    pub(crate) table: &'static SummaryTable,
    pub(crate) query: &'static str,
    pub(crate) scope: Scope,
    pub(crate) answers: Vec<Rows>,
}

impl Computed {
    /// Says that the rows do not fit their table.
    pub(crate) fn misshapen(&self, problem: impl std::fmt::Display) -> JobError {
        JobError::Shape {
            query: self.query.to_owned(),
            table: self.table.name,
            problem: problem.to_string(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.answers.iter().map(Rows::len).sum()
    }
}

/// Computes every table of the job for the windows, oldest first.
pub(crate) async fn compute(
    platform: &Platform,
    session: &Session,
    pulled: &Pulled,
    windows: &[DayWindow],
) -> Result<Vec<Computed>, JobError> {
    let common = Params::default()
        .with("as_of", Value::Instant(Some(pulled.as_of)))
        .with("moderation_to", Value::Instant(pulled.moderation_to))
        .with("currency", Value::Text(platform.settings.currency.clone()));
    for name in PEOPLE {
        answer(platform, session, name, &common).await?;
    }
    let mut computed: Vec<_> = TABLES
        .iter()
        .map(|(query, table, replaces)| Computed {
            table,
            query,
            scope: match replaces {
                Replaces::Days => Scope::Days(windows.to_vec()),
                Replaces::Keys => Scope::Keys,
            },
            answers: Vec::new(),
        })
        .collect();
    for window in windows {
        let params = common
            .clone()
            .with("from", Value::Day(window.from()))
            .with("to", Value::Day(window.to()));
        for name in PARTS {
            answer(platform, session, name, &params).await?;
        }
        for table in &mut computed {
            table
                .answers
                .push(session.query(platform.queries.get(table.query)?, &params).await?);
        }
    }
    Ok(computed)
}

/// Answers a query and keeps its rows under its name, for the queries after it.
async fn answer(platform: &Platform, session: &Session, name: &str, params: &Params) -> Result<(), JobError> {
    let query = platform.queries.get(name)?;
    let rows = session.query(query, params).await?;
    session.register_rows(query.table(), &rows)?;
    Ok(())
}
