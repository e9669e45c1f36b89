//! Half-open windows of whole UTC days.

use chrono::{Days, NaiveDate, NaiveTime};

use crate::Instant;

/// The first instant of a day.
#[must_use]
pub fn day_start(day: NaiveDate) -> Instant {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The first instant after a day.
#[must_use]
pub fn day_end(day: NaiveDate) -> Instant {
    day_start(day + Days::new(1))
}

/// The days from `from` up to, and without, `to`. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DayWindow {
    from: NaiveDate,
    to: NaiveDate,
}

/// A window whose end is not after its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the window from {from} to {to} holds no day: `to` is exclusive and must be after `from`")]
pub struct EmptyWindow {
    /// The first day that was asked for.
    pub from: NaiveDate,
    /// The day before which the window was to end.
    pub to: NaiveDate,
}

impl DayWindow {
    /// The days in `[from, to)`.
    ///
    /// # Errors
    /// When `to` is not after `from`.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self, EmptyWindow> {
        if from < to {
            Ok(Self { from, to })
        } else {
            Err(EmptyWindow { from, to })
        }
    }

    /// One day.
    #[must_use]
    pub fn day(day: NaiveDate) -> Self {
        Self {
            from: day,
            to: day + Days::new(1),
        }
    }

    /// The first day.
    #[must_use]
    pub const fn from(self) -> NaiveDate {
        self.from
    }

    /// The day after the last.
    #[must_use]
    pub const fn to(self) -> NaiveDate {
        self.to
    }

    /// The first instant of the window.
    #[must_use]
    pub fn start(self) -> Instant {
        day_start(self.from)
    }

    /// The first instant after the window.
    #[must_use]
    pub fn end(self) -> Instant {
        day_start(self.to)
    }

    /// Whether the day lies in the window.
    #[must_use]
    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && day < self.to
    }

    /// The days of the window, oldest first.
    pub fn days(self) -> impl DoubleEndedIterator<Item = NaiveDate> {
        (0..self.len()).map(move |n| self.from + Days::new(n))
    }

    /// How many days the window holds; at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a window is never empty")]
    pub fn len(self) -> u64 {
        (self.to - self.from).num_days().unsigned_abs()
    }

    /// The smallest window that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }

    /// The window in pieces of at most `days` days, oldest first.
    pub fn chunks(self, days: u64) -> impl Iterator<Item = Self> {
        let step = usize::try_from(days.max(1)).unwrap_or(usize::MAX);
        self.days().step_by(step).map(move |from| Self {
            from,
            to: self.to.min(from + Days::new(days.max(1))),
        })
    }

    /// The fewest windows that hold exactly these days, oldest first.
    #[must_use]
    pub fn covering(days: impl IntoIterator<Item = NaiveDate>) -> Vec<Self> {
        let mut days: Vec<_> = days.into_iter().collect();
        days.sort_unstable();
        days.dedup();
        let mut windows: Vec<Self> = Vec::new();
        for day in days {
            match windows.last_mut() {
                Some(last) if last.to == day => last.to = day + Days::new(1),
                _ => windows.push(Self::day(day)),
            }
        }
        windows
    }
}

impl std::fmt::Display for DayWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.len() == 1 {
            write!(f, "{}", self.from)
        } else {
            write!(f, "{} to {} (exclusive)", self.from, self.to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_window_that_ends_where_it_starts_is_refused() {
        let error = DayWindow::new(day("2026-03-01"), day("2026-03-01")).unwrap_err();
        assert!(error.to_string().contains("`to` is exclusive"));
    }

    #[test]
    fn chunks_cover_the_window_once_and_in_order() {
        let window = DayWindow::new(day("2026-01-30"), day("2026-03-02")).unwrap();
        let chunks: Vec<_> = window.chunks(14).collect();
        assert_eq!(chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), [14, 14, 3]);
        assert_eq!(
            chunks.iter().flat_map(|chunk| chunk.days()).collect::<Vec<_>>(),
            window.days().collect::<Vec<_>>()
        );
    }

    #[test]
    fn covering_joins_neighbours_only() {
        let days = ["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-02", "2026-02-01"].map(day);
        let windows = DayWindow::covering(days);
        assert_eq!(
            windows,
            [
                DayWindow::new(day("2026-01-01"), day("2026-01-04")).unwrap(),
                DayWindow::day(day("2026-02-01")),
            ]
        );
    }
}
