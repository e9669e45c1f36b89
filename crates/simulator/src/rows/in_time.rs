//! Rows in time. The model tells of a row once, with all that will happen to it; a database has, at any instant, what has
//! happened by then.

use kindred_model::{Instant, Interval};

/// What happens to a row.
pub(super) trait InTime: Sized {
    /// When there begins to be a row.
    fn begins(&self) -> Instant;

    /// When it changes after that.
    fn turns(&self) -> [Option<Instant>; 3] {
        [None; 3]
    }

    /// Takes back what happens at an instant or later. The row has begun.
    fn forget(&mut self, _now: Instant) {}

    /// The column by which readers find what is new.
    fn noted_at(&mut self) -> Option<&mut Instant> {
        None
    }

    /// Whether the row changes all the time within the span.
    fn is_busy_in(&self, _span: Interval) -> bool {
        false
    }

    fn cut_at(mut self, now: Instant) -> Option<Self> {
        if self.begins() >= now {
            return None;
        }
        self.forget(now);
        let latest = self.turns().into_iter().flatten().fold(self.begins(), Instant::max);
        if let Some(noted_at) = self.noted_at() {
            *noted_at = latest;
        }
        Some(self)
    }

    fn changes_in(&self, span: Interval) -> bool {
        let mut instants = self.turns().into_iter().flatten().chain([self.begins()]);
        instants.any(|at| span.contains(at)) || self.is_busy_in(span)
    }

    fn is_settled(&self, now: Instant) -> bool {
        let mut instants = self.turns().into_iter().flatten().chain([self.begins()]);
        instants.all(|at| at < now)
    }
}
