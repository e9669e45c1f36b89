//! What changes about a person during a history. Bounded for each, so that memory grows with people only.

use std::collections::VecDeque;

use chrono::TimeDelta;
use kindred_model::Instant;
use uuid::Uuid;

use super::person::Person;
use super::person::Who;
use super::subscription::Subscription;

/// Whether somebody may use the app.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Active,
    Suspended,
    Banned,
    Deleted,
}

impl Standing {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Banned => "banned",
            Self::Deleted => "deleted",
        }
    }
}

/// A like that waits for an answer.
pub(super) struct ReceivedLike {
    pub(super) from: Who,
    pub(super) at: Instant,
}

/// How far somebody has been shown the others: newcomers upwards, those who were there before downwards.
#[derive(Default)]
pub(super) struct Deck {
    /// Whether the two ends below were set.
    pub(super) dealt: bool,
    pub(super) newer: Who,
    pub(super) older: Who,
    /// Everybody below was shown already: only those passed over then are shown again.
    pub(super) shown_below: Who,
}

/// One side of a conversation.
pub(super) struct Talk {
    pub(super) partner: Who,
    pub(super) conversation: Uuid,
    pub(super) since: Instant,
    /// At how many more occasions this side will write.
    pub(super) occasions: u32,
}

/// A person's state at the instant that the agenda has reached.
pub(super) struct Member {
    pub(super) person: Person,
    pub(super) standing: Standing,
    /// When the account last changed.
    pub(super) changed_at: Instant,
    /// When the profile last changed.
    pub(super) profile_changed_at: Instant,
    /// Until when the app is interesting.
    pub(super) interested_until: Instant,
    /// When the next session begins; any other on the agenda was planned before plans changed.
    pub(super) next_session_at: Instant,
    /// The end of the latest session; what is done to a person waits for it.
    pub(super) busy_until: Instant,
    /// The end of the latest live encounter: one at a time.
    pub(super) engaged_until: Instant,
    /// Running numbers, which name the streams of random numbers.
    pub(super) sessions: u32,
    pub(super) bills: u32,
    pub(super) judgements: u32,
    /// Whom to show next.
    pub(super) deck: Deck,
    /// Likes not answered yet, oldest first.
    pub(super) likes: VecDeque<ReceivedLike>,
    /// Conversations that this side has not finished with, oldest first.
    pub(super) talks: VecDeque<Talk>,
    /// The running one.
    pub(super) subscription: Option<Subscription>,
    /// Whether there ever was one: trials are for newcomers, and former subscribers are easier to win.
    pub(super) has_subscribed: bool,
    /// How often moderation has acted.
    pub(super) strikes: u8,
}

impl Member {
    pub(super) fn new(person: Person) -> Self {
        let at = person.registered_at;
        Self {
            standing: Standing::Active,
            changed_at: at,
            profile_changed_at: at,
            interested_until: at,
            next_session_at: at,
            busy_until: at,
            engaged_until: at,
            sessions: 0,
            bills: 0,
            judgements: 0,
            deck: Deck::default(),
            likes: VecDeque::new(),
            talks: VecDeque::new(),
            subscription: None,
            has_subscribed: false,
            strikes: 0,
            person,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    /// Whether the person was in a session within the given time before `at`, or still is.
    pub(super) fn seen_within(&self, span: TimeDelta, at: Instant) -> bool {
        self.busy_until + span > at
    }
}
