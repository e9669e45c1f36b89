//! Compact state per user: who was active on which day.
//!
//! Weeks, months and quarters are counted from it instead of from sessions. A day of it is rebuilt when the sessions
//! of the day, or of the day before, have changed, and built when a wanted figure looks back to it.

use std::collections::BTreeSet;

use chrono::Days;
use kindred_engine::{Params, Value};
use kindred_lake::{Dataset, Snapshot, StagedPartition};
use kindred_model::{DayWindow, Fact, Granularity, day_start};

use super::datasets::{self, ACTIVE_DAYS, active_days_schema};
use super::known::Known;
use super::pull::Pulled;
use super::shape::by_day;
use super::work::Work;
use crate::error::JobError;

/// The longest window that is counted from single days, the day itself included.
const LOOK_BACK_DAYS: u64 = 30;

/// Builds the days of state that are missing or stale for figures of these windows.
pub(crate) async fn rebuild(
    work: &Work<'_>,
    snapshot: &Snapshot,
    known: &Known,
    pulled: &Pulled,
    windows: &[DayWindow],
) -> Result<Vec<StagedPartition>, JobError> {
    let dataset = Dataset::state(ACTIVE_DAYS);
    let sessions = Dataset::facts(Fact::UserSessions.as_str());
    let Some(first) = snapshot.files(&sessions).next().map(|file| file.partition.day) else {
        return Ok(Vec::new());
    };
    let today = pulled.as_of.date_naive();
    let mut built = BTreeSet::new();
    for file in snapshot.files(&dataset) {
        if known.holds(&work.platform.lake, &dataset, file).await? {
            built.insert(file.partition.day);
        }
    }
    let stale = pulled
        .changes
        .sessions()
        .iter()
        .flat_map(|day| [*day, *day + Days::new(1)]);
    let wanted = windows.iter().flat_map(|window| looked_at(*window).days());
    let missing = wanted.filter(|day| !built.contains(day));
    let days: BTreeSet<_> = stale
        .filter(|day| built.contains(day))
        .chain(missing)
        .filter(|day| *day >= first && *day <= today)
        .collect();

    let query = work.platform.queries.get("state/active_days")?;
    let schema = active_days_schema();
    let sort = &["user_key", "platform", "app_version"];
    let mut staged = Vec::new();
    for window in DayWindow::covering(days) {
        let session = datasets::session(work.platform, snapshot.clone())?;
        let params = Params::default()
            .with("from", Value::Day(window.from()))
            .with("to", Value::Day(window.to()));
        let rows = session.query(query, &params).await?;
        let rows = by_day(&dataset, &rows, "date", &schema)?;
        let mut stage = work.stage(&dataset, &schema, sort, &query.sql);
        for day in window.days() {
            // A day without anyone has its file too: it is known to be empty.
            let empty = || vec![arrow::array::RecordBatch::new_empty(schema.clone())];
            for batch in rows.get(&day).cloned().unwrap_or_else(empty) {
                stage.write(day, batch).await?;
            }
        }
        staged.extend(stage.finish().await?);
    }
    Ok(staged)
}

/// The days that figures of a window are counted from: 30 back, and the whole of the buckets that it meets. A week may
/// begin before its quarter, which 30 days cover, or end after it.
fn looked_at(window: DayWindow) -> DayWindow {
    let last = day_start(window.to() - Days::new(1));
    let quarter = Granularity::Quarterly.bucket_start(window.start()).date_naive();
    let first = quarter.min(window.from() - Days::new(LOOK_BACK_DAYS));
    let end = Granularity::Quarterly
        .bucket_end(last)
        .max(Granularity::Weekly.bucket_end(last));
    DayWindow::new(first, end.date_naive()).unwrap_or(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_day_look_at_its_week_and_quarter_and_at_30_days_before() {
        let window = DayWindow::day("2026-04-10".parse().unwrap());
        assert_eq!(looked_at(window).to_string(), "2026-03-11 to 2026-07-01 (exclusive)");
        let window = DayWindow::day("2026-06-30".parse().unwrap());
        assert_eq!(looked_at(window).to_string(), "2026-04-01 to 2026-07-06 (exclusive)");
    }
}
