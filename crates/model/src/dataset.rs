//! The source databases and the facts that leave them.

use crate::words;

words! {
    /// A database that facts are extracted from.
    Source, "source", {
        /// Accounts, sessions, subscriptions and payments.
        Users => "users",
        /// Swipes, matches, live interactions, the waiting queue, session telemetry.
        Interactions => "interactions",
        /// Messages.
        Communications => "communications",
        /// Reports and moderation actions. The only optional one.
        Moderation => "moderation",
        /// The event stream: a table, files, or an export over HTTP.
        Events => "events",
    }
}

impl Source {
    /// The databases of the platform's services; the events have an address of their own, of several kinds.
    pub const DATABASES: &'static [Self] = &[Self::Users, Self::Interactions, Self::Communications, Self::Moderation];

    /// Whether the platform may run without it: its figures are then null.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Moderation)
    }

    /// The setting that holds its address.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Users => "USER_SERVICE_DATABASE_URL",
            Self::Interactions => "INTERACTION_SERVICE_DATABASE_URL",
            Self::Communications => "COMMUNICATION_SERVICE_DATABASE_URL",
            Self::Moderation => "MODERATION_SERVICE_DATABASE_URL",
            Self::Events => "EVENTS_URL",
        }
    }
}

words! {
    /// A fact: rows that an extractor reads from one source table and the lake keeps by UTC date.
    Fact, "fact", {
        /// Accounts.
        Users => "users",
        /// Signed-in app sessions.
        UserSessions => "user_sessions",
        /// Subscriptions, with their plan, price and ends.
        Subscriptions => "subscriptions",
        /// Payments, with their refunds.
        Payments => "payments",
        /// Likes, super likes and passes.
        Swipes => "swipes",
        /// Mutual likes.
        Matches => "matches",
        /// Live encounters: video, voice, text.
        Interactions => "interactions",
        /// Who waited for a partner, from when to when.
        MatchingQueue => "matching_queue",
        /// What the app reported about each session.
        SessionTelemetry => "session_telemetry",
        /// Messages, without their content.
        Messages => "messages",
        /// Reports of one user by another.
        Reports => "reports",
        /// What moderation did to a user.
        ModerationActions => "moderation_actions",
        /// What people did in the app, signed in or not.
        Events => "events",
    }
}

/// How a fact's changed rows are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// The table keeps `updated_at`: dates with rows changed since the watermark are read again.
    UpdatedAt,
    /// Rows are written once: the last days before the watermark are read again.
    LookBack {
        /// How many days.
        days: u64,
    },
    /// Rows say when they arrived, whenever they happened: those that arrived since the watermark are read.
    Arrival,
}

/// How far after a changed row's instants a daily figure may still depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The day of the instant and this many days after it.
    Days(u64),
    /// Every later day.
    Open,
}

impl Fact {
    /// The database that it is read from.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::Users | Self::UserSessions | Self::Subscriptions | Self::Payments => Source::Users,
            Self::Swipes | Self::Matches | Self::Interactions | Self::MatchingQueue | Self::SessionTelemetry => {
                Source::Interactions
            }
            Self::Messages => Source::Communications,
            Self::Reports | Self::ModerationActions => Source::Moderation,
            Self::Events => Source::Events,
        }
    }

    /// The column whose UTC date is the row's partition.
    #[must_use]
    pub const fn partition_column(self) -> &'static str {
        match self {
            Self::UserSessions | Self::Subscriptions | Self::Interactions | Self::SessionTelemetry => "started_at",
            Self::MatchingQueue => "joined_at",
            Self::Events => "event_time",
            Self::Payments => "paid_at",
            Self::Users | Self::Swipes | Self::Matches | Self::Messages | Self::Reports | Self::ModerationActions => {
                "created_at"
            }
        }
    }

    /// The columns whose instants decide which days a changed row affects.
    #[must_use]
    pub const fn instants(self) -> &'static [&'static str] {
        match self {
            Self::Users | Self::Swipes | Self::Matches | Self::Messages | Self::ModerationActions => &["created_at"],
            Self::UserSessions => &["started_at", "last_seen_at", "ended_at"],
            Self::Subscriptions => &["started_at", "canceled_at", "ended_at"],
            Self::Payments => &["paid_at", "refunded_at"],
            Self::Interactions => &["started_at", "ended_at"],
            Self::MatchingQueue => &["joined_at", "left_at"],
            Self::SessionTelemetry => &["started_at"],
            Self::Events => &["event_time"],
            Self::Reports => &["created_at", "resolved_at"],
        }
    }

    /// How its changed rows are found.
    #[must_use]
    pub const fn capture(self) -> Capture {
        match self {
            Self::Swipes | Self::Matches | Self::Messages | Self::ModerationActions => Capture::LookBack { days: 2 },
            Self::Users
            | Self::UserSessions
            | Self::Subscriptions
            | Self::Payments
            | Self::Interactions
            | Self::MatchingQueue
            | Self::SessionTelemetry
            | Self::Reports => Capture::UpdatedAt,
            Self::Events => Capture::Arrival,
        }
    }

    /// How far its changes reach.
    ///
    /// Users and sessions reach 30 days, through monthly actives and the retention of day 30. Who paid when decides
    /// from then on who counts as a subscriber.
    #[must_use]
    pub const fn reach(self) -> Reach {
        match self {
            Self::Users | Self::UserSessions => Reach::Days(30),
            Self::Subscriptions | Self::Payments => Reach::Open,
            Self::Swipes
            | Self::Matches
            | Self::Interactions
            | Self::Messages
            | Self::MatchingQueue
            | Self::SessionTelemetry
            | Self::Reports
            | Self::ModerationActions
            | Self::Events => Reach::Days(0),
        }
    }

    /// Whether the first extraction reads it whole, however far back history is wanted: first-ever figures need it.
    #[must_use]
    pub const fn needs_whole_history(self) -> bool {
        matches!(self, Self::Users | Self::Subscriptions | Self::Payments)
    }
}
