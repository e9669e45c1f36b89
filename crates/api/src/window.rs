//! Which buckets a request asks for: calendar arithmetic alone, of a granularity, a timeframe and an instant.

use chrono::{Datelike, Days, NaiveDate, TimeDelta};
use kindred_model::{DayWindow, Granularity, Instant, Timeframe, TimeframeUnit, day_start};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// The most buckets that one answer holds.
pub(crate) const MOST_BUCKETS: usize = 2_000;

/// No platform is older. The window before one that begins in it, 2,000 months at most, lies in our era.
const FIRST_YEAR: i32 = 1900;

/// A window that holds more buckets than one answer may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the window holds more than {MOST_BUCKETS} {0} buckets; ask for a shorter one, or for a coarser granularity")]
pub(crate) struct TooManyBuckets(Granularity);

/// The starts of the buckets, oldest first, that a timeframe meets which ends with the bucket that holds `last`.
///
/// Hours, days and weeks are counted back from the end of that bucket; months and quarters are calendar ones, the one
/// that holds `last` included.
pub(crate) fn buckets_back(
    granularity: Granularity,
    timeframe: Timeframe,
    last: Instant,
) -> Result<Vec<Instant>, TooManyBuckets> {
    let end = granularity.bucket_end(last);
    let count = i64::from(timeframe.count);
    let calendar = |unit: Granularity| unit.step(unit.bucket_start(last), 1 - count);
    let start = match timeframe.unit {
        TimeframeUnit::Hours => end - TimeDelta::hours(count),
        TimeframeUnit::Days => end - TimeDelta::days(count),
        TimeframeUnit::Weeks => end - TimeDelta::weeks(count),
        TimeframeUnit::Months => calendar(Granularity::Monthly),
        TimeframeUnit::Quarters => calendar(Granularity::Quarterly),
    };
    buckets_between(granularity, start, end)
}

/// The starts of the buckets, oldest first, that meet `[from, to)`; `from` is before `to`.
pub(crate) fn buckets_between(
    granularity: Granularity,
    from: Instant,
    to: Instant,
) -> Result<Vec<Instant>, TooManyBuckets> {
    let first = granularity.bucket_start(from);
    let starts = (0..)
        .map(|n| granularity.step(first, n))
        .take_while(|start| *start < to);
    let buckets: Vec<_> = starts.take(MOST_BUCKETS + 1).collect();
    if buckets.len() > MOST_BUCKETS {
        return Err(TooManyBuckets(granularity));
    }
    Ok(buckets)
}

/// The timeframe that stands when none is asked for.
pub(crate) const fn default_timeframe(granularity: Granularity) -> Timeframe {
    let (count, unit) = match granularity {
        Granularity::Hourly => (72, TimeframeUnit::Hours),
        Granularity::Daily => (30, TimeframeUnit::Days),
        Granularity::Weekly => (12, TimeframeUnit::Weeks),
        Granularity::Monthly => (6, TimeframeUnit::Months),
        Granularity::Quarterly => (4, TimeframeUnit::Quarters),
    };
    Timeframe { count, unit }
}

/// From a window's first instant to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Range {
    /// The first instant.
    start_date: Timestamp,
    /// The first instant after it: exclusive.
    end_date: Timestamp,
}

impl Range {
    pub(crate) fn new(start: Instant, end: Instant) -> Self {
        Self {
            start_date: start.into(),
            end_date: end.into(),
        }
    }
}

impl From<DayWindow> for Range {
    fn from(days: DayWindow) -> Self {
        Self::new(days.start(), days.end())
    }
}

/// Which time a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// So far back from the end of the current bucket.
    Back(Timeframe),
    /// These days.
    Between(DayWindow),
}

/// The parameters that say which time is asked for, as they are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowParams {
    pub(crate) range: Option<Timeframe>,
    pub(crate) timeframe: Option<Timeframe>,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
}

impl WindowParams {
    /// What is asked for, when nothing contradicts it; `default` when nothing is asked.
    pub(crate) fn window(self, default: Timeframe, now: Instant) -> Result<Window, ApiError> {
        match (self.range, self.timeframe, self.from, self.to) {
            (None, None, None, None) => Ok(Window::Back(default)),
            (Some(back), None, None, None) | (None, Some(back), None, None) => Ok(Window::Back(back)),
            (None, None, Some(from), Some(to)) => Ok(Window::Between(begun(from, to, now)?)),
            (None, None, ..) => Err(bad(
                "`from` and `to` come together: the first day, and the day after the last",
            )),
            (Some(_), Some(_), ..) => Err(bad("`range` and `timeframe` are the same: give one of them")),
            _ => Err(bad("give either `range` or `from` and `to`")),
        }
    }
}

impl Window {
    /// The days of the window, the last of them today at the latest.
    pub(crate) fn days(self, now: Instant) -> Result<DayWindow, ApiError> {
        let starts = match self {
            Self::Back(timeframe) => buckets_back(Granularity::Daily, timeframe, now)?,
            Self::Between(days) => {
                let end = days.end().min(Granularity::Daily.bucket_end(now));
                buckets_between(Granularity::Daily, days.start(), end)?
            }
        };
        let (Some(first), Some(last)) = (starts.first(), starts.last()) else {
            return Ok(DayWindow::day(now.date_naive()));
        };
        DayWindow::new(first.date_naive(), last.date_naive() + Days::new(1)).map_err(|error| bad(&error.to_string()))
    }
}

/// The days from `from` up to, and without, `to`; they have begun.
fn begun(from: NaiveDate, to: NaiveDate, now: Instant) -> Result<DayWindow, ApiError> {
    let window = DayWindow::new(from, to).map_err(|error| bad(&error.to_string()))?;
    if window.from().year() < FIRST_YEAR {
        return Err(bad(&format!("`from` {from} lies before {FIRST_YEAR}")));
    }
    if window.from() > now.date_naive() {
        return Err(bad(&format!("`from` {from} lies in the future")));
    }
    Ok(window)
}

/// As many days before the window's first as it has.
pub(crate) fn days_before(days: DayWindow) -> DayWindow {
    let from = days.from() - Days::new(days.len());
    DayWindow::new(from, days.from()).unwrap_or(DayWindow::day(from))
}

/// From the first of so many days before the window to its first instant.
pub(crate) fn ahead_of(days: DayWindow, count: usize) -> (NaiveDate, Range) {
    let from = days.from() - Days::new(u64::try_from(count).unwrap_or(u64::MAX));
    (from, Range::new(day_start(from), days.start()))
}

fn bad(detail: &str) -> ApiError {
    ApiError::BadRequest(detail.to_owned())
}

impl From<TooManyBuckets> for ApiError {
    fn from(error: TooManyBuckets) -> Self {
        Self::BadRequest(error.to_string())
    }
}

#[cfg(test)]
mod tests;
