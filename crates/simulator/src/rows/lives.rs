//! What happens to the rows of each table.

use chrono::TimeDelta;
use kindred_model::{Instant, Interval};

use super::in_time::InTime;
use super::tables::{
    BehaviorEvent, Interaction, Match, Message, ModerationAction, Payment, QueueEntry, Report, SessionTelemetry,
    Subscription, Swipe, User, UserProfile, UserSession,
};

/// Columns keep microseconds.
const SMALLEST: TimeDelta = TimeDelta::microseconds(1);

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

/// Rows that are written once, with a column that says so: telemetry when the session is left, an event when it arrives.
/// The model hands accounts and profiles out as they are.
macro_rules! noted_once {
    ($($row:ident by $column:ident),+) => {
        $(impl InTime for $row {
            fn begins(&self) -> Instant {
                self.$column
            }

            fn noted_at(&mut self) -> Option<&mut Instant> {
                Some(&mut self.$column)
            }
        })+
    };
}

noted_once!(SessionTelemetry by updated_at, BehaviorEvent by received_at, User by updated_at, UserProfile by updated_at);

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
