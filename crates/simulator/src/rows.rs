//! The rows of the source tables: what they hold, how they are written, and what happens to them in time.

mod binary;
mod event;
mod in_time;
mod lives;
mod tables;
mod values;

pub(crate) use binary::{Cents, begin, end};
pub(crate) use event::EventKind;
pub(crate) use tables::{
    BehaviorEvent, Interaction, Match, Message, ModerationAction, Payment, QueueEntry, Report, Row, SessionTelemetry,
    Subscription, Swipe, Table, User, UserProfile, UserSession,
};
pub(crate) use values::{AppVersion, IdText};
