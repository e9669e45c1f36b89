//! When the next request may be made: not too soon after the last one, and not too many in an hour.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);

/// The requests of the last hour.
pub(super) struct Pace {
    between: Duration,
    per_hour: usize,
    made: VecDeque<Instant>,
}

impl Pace {
    pub(super) fn new(between: Duration, per_hour: usize) -> Self {
        Self {
            between,
            per_hour: per_hour.max(1),
            made: VecDeque::new(),
        }
    }

    /// Books the next request and tells how long it must wait; when that is longer than `longest`, books nothing.
    ///
    /// # Errors
    /// How long it would have to wait.
    pub(super) fn book(&mut self, now: Instant, longest: Duration) -> Result<Duration, Duration> {
        while self.made.front().is_some_and(|made| *made + HOUR <= now) {
            self.made.pop_front();
        }
        let after_the_last = self.made.back().map(|last| *last + self.between);
        let hour_is_full = self
            .made
            .len()
            .checked_sub(self.per_hour)
            .map(|first| self.made[first] + HOUR);
        let at = after_the_last.max(hour_is_full).map_or(now, |at| at.max(now));
        let wait = at - now;
        if wait > longest {
            return Err(wait);
        }
        self.made.push_back(at);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn requests_keep_their_distance() {
        let mut pace = Pace::new(SECOND, 60);
        let now = Instant::now();
        assert_eq!(pace.book(now, HOUR), Ok(Duration::ZERO));
        assert_eq!(pace.book(now, HOUR), Ok(SECOND));
        assert_eq!(pace.book(now + SECOND / 2, HOUR), Ok(SECOND + SECOND / 2));
        assert_eq!(pace.book(now + 10 * SECOND, HOUR), Ok(Duration::ZERO));
    }

    #[test]
    fn a_full_hour_is_waited_for_or_told_and_nothing_is_booked_then() {
        let mut pace = Pace::new(Duration::ZERO, 2);
        let now = Instant::now();
        pace.book(now, SECOND).unwrap();
        pace.book(now + 60 * SECOND, SECOND).unwrap();
        let later = now + 61 * SECOND;
        for _ in 0..2 {
            assert_eq!(pace.book(later, SECOND), Err(HOUR - 61 * SECOND));
        }
        assert_eq!(pace.book(later, HOUR), Ok(HOUR - 61 * SECOND));
        // The second request's hour is over a minute after the first one's.
        assert_eq!(pace.book(now + HOUR, HOUR), Ok(60 * SECOND));
        assert_eq!(pace.book(now + 3 * HOUR, SECOND), Ok(Duration::ZERO));
    }
}
