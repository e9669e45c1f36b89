//! Rows in time. The model tells of a row once, with all that will happen to it; a database has, at any instant, what has
//! happened by then.

use chrono::TimeDelta;
use kindred_model::{Instant, Interval};

use super::{
    BehaviorEvent, Interaction, Match, Message, ModerationAction, Payment, QueueEntry, Report, SessionTelemetry,
    Subscription, Swipe, User, UserProfile, UserSession,
};

/// Columns keep microseconds.
const SMALLEST: TimeDelta = TimeDelta::microseconds(1);

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

/// Takes an instant back unless it is past.
fn past(at: &mut Option<Instant>, now: Instant) {
    *at = at.filter(|at| *at < now);
}

/// Rows that are written once.
macro_rules! written_once {
    ($($row:ident by $column:ident),+) => {
        $(impl InTime for $row {
            fn begins(&self) -> Instant {
                self.$column
            }
        })+
    };
}

written_once!(Swipe by created_at, Match by created_at, Message by created_at, ModerationAction by created_at);

/// The app reports it when the session is left.
impl InTime for SessionTelemetry {
    fn begins(&self) -> Instant {
        self.updated_at
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.updated_at)
    }
}

impl InTime for BehaviorEvent {
    fn begins(&self) -> Instant {
        self.received_at
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.received_at)
    }
}

/// The model hands accounts, and profiles, out as they are.
macro_rules! handed_out_as_it_is {
    ($($row:ident),+) => {
        $(impl InTime for $row {
            fn begins(&self) -> Instant {
                self.updated_at
            }

            fn noted_at(&mut self) -> Option<&mut Instant> {
                Some(&mut self.updated_at)
            }
        })+
    };
}

handed_out_as_it_is!(User, UserProfile);

/// The server hears from an open session all the time.
impl InTime for UserSession {
    fn begins(&self) -> Instant {
        self.started_at
    }

    fn turns(&self) -> [Option<Instant>; 3] {
        [Some(self.last_seen_at), self.ended_at, None]
    }

    fn forget(&mut self, now: Instant) {
        self.last_seen_at = self.last_seen_at.min(now - SMALLEST);
        past(&mut self.ended_at, now);
        self.exit_reason = self.exit_reason.filter(|_| self.ended_at.is_some());
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.updated_at)
    }

    fn is_busy_in(&self, span: Interval) -> bool {
        self.started_at < span.end() && self.last_seen_at >= span.start()
    }
}

/// A subscription is handed out as of its last charge. Only one that is paid ends ahead of what the model has got to.
impl InTime for Subscription {
    fn begins(&self) -> Instant {
        self.started_at
    }

    fn turns(&self) -> [Option<Instant>; 3] {
        [Some(self.updated_at), self.canceled_at, self.ended_at]
    }

    fn forget(&mut self, now: Instant) {
        let ends = self.ended_at.is_some();
        past(&mut self.canceled_at, now);
        past(&mut self.ended_at, now);
        self.status = match (self.ended_at, self.canceled_at) {
            (_, Some(_)) => "canceled",
            (Some(_), None) => "expired",
            (None, None) if ends => "active",
            (None, None) => self.status,
        };
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.updated_at)
    }
}

impl InTime for Payment {
    fn begins(&self) -> Instant {
        self.paid_at
    }

    fn turns(&self) -> [Option<Instant>; 3] {
        [self.refunded_at, None, None]
    }

    fn forget(&mut self, now: Instant) {
        if self.refunded_at.is_some_and(|at| at >= now) {
            (self.status, self.refunded_at, self.refunded_amount) = ("succeeded", None, None);
        }
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.updated_at)
    }
}

impl InTime for Interaction {
    fn begins(&self) -> Instant {
        self.started_at
    }

    fn turns(&self) -> [Option<Instant>; 3] {
        [self.ended_at, None, None]
    }

    fn forget(&mut self, now: Instant) {
        past(&mut self.ended_at, now);
        self.end_reason = self.end_reason.filter(|_| self.ended_at.is_some());
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.updated_at)
    }
}

impl InTime for QueueEntry {
    fn begins(&self) -> Instant {
        self.joined_at
    }

    fn turns(&self) -> [Option<Instant>; 3] {
        [self.left_at, None, None]
    }

    fn forget(&mut self, now: Instant) {
        past(&mut self.left_at, now);
        self.outcome = self.outcome.filter(|_| self.left_at.is_some());
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.updated_at)
    }
}

impl InTime for Report {
    fn begins(&self) -> Instant {
        self.created_at
    }

    fn turns(&self) -> [Option<Instant>; 3] {
        [self.resolved_at, None, None]
    }

    fn forget(&mut self, now: Instant) {
        past(&mut self.resolved_at, now);
    }

    fn noted_at(&mut self) -> Option<&mut Instant> {
        Some(&mut self.updated_at)
    }
}
