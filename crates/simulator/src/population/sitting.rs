//! A session while it is lived through.

use std::ops::Range;

use kindred_model::Instant;
use uuid::Uuid;

use super::chance::Dice;
use super::events::Origin;
use super::person::Who;

/// Who is in it, from where, and where it has got to.
pub(super) struct Sitting {
    pub(super) who: Who,
    pub(super) user_id: Uuid,
    pub(super) id: Uuid,
    pub(super) origin: Origin,
    pub(super) dice: Dice,
    pub(super) started_at: Instant,
    /// Where the session has got to.
    pub(super) now: Instant,
    /// When the person means to leave.
    pub(super) leaves_at: Instant,
    pub(super) screens: i32,
    pub(super) actions: i32,
}

impl Sitting {
    /// Lets some seconds pass; whether the session still goes on.
    pub(super) fn pass(&mut self, range: Range<f64>) -> bool {
        self.now += self.dice.span(range);
        self.goes_on()
    }

    /// Goes on to an instant that may be later than the person meant to leave.
    pub(super) fn stay_until(&mut self, at: Instant) {
        self.now = at;
        self.leaves_at = self.leaves_at.max(at);
    }

    pub(super) fn goes_on(&self) -> bool {
        self.now < self.leaves_at
    }
}
