//! Checks of the facts of some days, after they were extracted.

use kindred_engine::{Params, Session, Value};
use kindred_model::{Instant, Interval, Job};
use kindred_warehouse::Verdict;

use super::verdicts;
use crate::Platform;
use crate::error::{JobError, describe};

const CHECKS: &[&str] = &["quality/unusable_sessions", "quality/unusable_money"];

/// Judges the facts of the closed days that were asked for, once a day: after the daily run has read them.
pub(crate) async fn facts(
    platform: &Platform,
    session: &Session,
    job: Job,
    asked: Interval,
    as_of: Instant,
) -> Vec<Verdict> {
    let days = asked.days();
    let closed = days.to().min(as_of.date_naive());
    if job != Job::Daily || closed <= days.from() {
        return Vec::new();
    }
    let params = Params::default()
        .with("from", Value::Day(days.from()))
        .with("to", Value::Day(closed))
        .with("currency", Value::Text(platform.settings.currency.clone()));
    let mut found = Vec::new();
    for name in CHECKS {
        match judge(platform, session, name, &params).await {
            Ok(verdicts) => found.extend(verdicts),
            Err(error) => tracing::warn!(check = name, error = describe(&error), "a check could not be made"),
        }
    }
    found
}

/// Asks one check.
pub(super) async fn judge(
    platform: &Platform,
    session: &Session,
    name: &str,
    params: &Params,
) -> Result<Vec<Verdict>, JobError> {
    let rows = session.query(platform.queries.get(name)?, params).await?;
    verdicts::read(&rows).map_err(|problem| JobError::Shape {
        query: name.to_owned(),
        table: "data_quality_alerts",
        problem,
    })
}
