//! Half-open spans of time, in UTC.

use chrono::{Days, NaiveDate, TimeDelta};

use crate::{DayWindow, Granularity, Instant};

/// The instants in `[start, end)`; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interval {
    start: Instant,
    end: Instant,
}

/// An interval without an instant in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the interval from {start} to {end} holds no instant: its end must be after its start")]
pub struct EmptyInterval {
    /// Where it was to start.
    pub start: Instant,
    /// Where it was to end.
    pub end: Instant,
}

impl Interval {
    /// The instants in `[start, end)`.
    ///
    /// # Errors
    /// When `end` is not after `start`.
    pub fn new(start: Instant, end: Instant) -> Result<Self, EmptyInterval> {
        if start < end {
            Ok(Self { start, end })
        } else {
            Err(EmptyInterval { start, end })
        }
    }

    /// The bucket of this granularity that holds `at`.
    #[must_use]
    pub fn bucket(granularity: Granularity, at: Instant) -> Self {
        Self {
            start: granularity.bucket_start(at),
            end: granularity.bucket_end(at),
        }
    }

    /// The first instant.
    #[must_use]
    pub const fn start(self) -> Instant {
        self.start
    }

    /// The first instant after it.
    #[must_use]
    pub const fn end(self) -> Instant {
        self.end
    }

    /// Whether the instant lies in it.
    #[must_use]
    pub fn contains(self, at: Instant) -> bool {
        self.start <= at && at < self.end
    }

    /// Every day that it meets.
    #[must_use]
    pub fn days(self) -> DayWindow {
        let last = (self.end - TimeDelta::microseconds(1)).date_naive();
        DayWindow::new(self.start.date_naive(), last + Days::new(1)).expect("an interval meets a day")
    }

    /// What of it lies before `end`; `None` when nothing does.
    #[must_use]
    pub fn until(self, end: Instant) -> Option<Self> {
        Self::new(self.start, self.end.min(end)).ok()
    }

    /// The smallest interval that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The fewest intervals that hold exactly the same instants, earliest first: those that meet or touch are joined.
    #[must_use]
    pub fn covering(intervals: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut sorted: Vec<_> = intervals.into_iter().collect();
        sorted.sort_unstable();
        let mut joined: Vec<Self> = Vec::new();
        for next in sorted {
            match joined.last_mut() {
                Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
                _ => joined.push(next),
            }
        }
        joined
    }
}

impl From<DayWindow> for Interval {
    fn from(days: DayWindow) -> Self {
        Self {
            start: days.start(),
            end: days.end(),
        }
    }
}

impl From<NaiveDate> for Interval {
    fn from(day: NaiveDate) -> Self {
        DayWindow::day(day).into()
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days = self.days();
        if Self::from(days) == *self {
            return days.fmt(f);
        }
        let minute = |at: Instant| at.format("%Y-%m-%dT%H:%MZ");
        write!(f, "{} to {}", minute(self.start), minute(self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: &str, end: &str) -> Interval {
        Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    #[test]
    fn an_interval_that_ends_where_it_starts_is_refused() {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        assert!(Interval::new(at, at).is_err());
    }

    #[test]
    fn one_that_ends_at_midnight_does_not_meet_the_day_that_begins_there() {
        let last_hour = interval("2026-01-01T23:00:00Z", "2026-01-02T00:00:00Z");
        assert_eq!(last_hour.days(), DayWindow::day("2026-01-01".parse().unwrap()));
        assert_eq!(interval("2026-01-01T23:00:00Z", "2026-01-02T01:00:00Z").days().len(), 2);
    }

    #[test]
    fn covering_joins_what_meets_or_touches() {
        let hour = |hour: u32| {
            let start: Instant = "2026-01-01T00:00:00Z".parse().unwrap();
            Interval::bucket(Granularity::Hourly, start + TimeDelta::hours(hour.into()))
        };
        let joined = Interval::covering([hour(5), hour(1), hour(2), hour(2)]);
        assert_eq!(
            joined,
            [interval("2026-01-01T01:00:00Z", "2026-01-01T03:00:00Z"), hour(5)]
        );
    }

    #[test]
    fn whole_days_are_written_as_days() {
        assert_eq!(
            Interval::from(DayWindow::day("2026-01-01".parse().unwrap())).to_string(),
            "2026-01-01"
        );
        let hours = interval("2026-01-01T09:00:00Z", "2026-01-01T11:00:00Z");
        assert_eq!(hours.to_string(), "2026-01-01T09:00Z to 2026-01-01T11:00Z");
    }
}
