//! Who was active on which day.
//!
//! Weeks, months and quarters are counted from it instead of from sessions. A day of it is rebuilt when the sessions
//! of the day, or of the day before, have changed, and built when a wanted figure looks back to it.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use kindred_model::{DayWindow, Fact, Granularity, day_start};

use super::{Rebuild, first_day};
use crate::error::JobError;
use crate::steps::changes::Changes;
use crate::steps::datasets::ACTIVE_DAYS;
use kindred_lake::StagedPartition;

/// The longest window that is counted from single days, the day itself included.
const LOOK_BACK_DAYS: u64 = 30;

/// Builds the days that are missing or stale for figures of these windows.
pub(crate) async fn rebuild(
    rebuild: &Rebuild<'_>,
    changes: &Changes,
    windows: &[DayWindow],
) -> Result<Vec<StagedPartition>, JobError> {
    let Some(first) = first_day(rebuild.snapshot, &[Fact::UserSessions]) else {
        return Ok(Vec::new());
    };
    let dates = changes.of(&[Fact::UserSessions]);
    let stale: BTreeSet<_> = dates.iter().flat_map(|day| [*day, *day + Days::new(1)]).collect();
    let wanted = windows.iter().flat_map(|window| looked_at(*window).days());
    let wanted: BTreeSet<NaiveDate> = wanted.filter(|day| *day >= first && *day <= rebuild.today).collect();
    rebuild.days(ACTIVE_DAYS, "state/active_days", &stale, &wanted).await
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
