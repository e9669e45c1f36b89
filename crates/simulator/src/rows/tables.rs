//! The tables, one struct of a row each, fields in the order in which they are copied.
//!
//! A struct's field names are its table's column names: the COPY statement and the encoder are both made from them. The
//! first column is the table's key.

use bytes::{BufMut, BytesMut};
use chrono::NaiveDate;
use kindred_model::{Instant, Interval, Source};
use uuid::Uuid;

use super::binary::{self, Cents};
use super::event::EventKind;
use super::in_time::InTime;
use super::values::{AppVersion, IdText};

/// Declares the tables, their rows and the rows' encoders.
macro_rules! tables {
    ($($row:ident = $source:ident . $table:ident { $($column:ident: $type:ty),+ $(,)? })+) => {
        /// A table of one of the source databases.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Table { $($row),+ }

        impl Table {
            /// Every table, those of one database in an order that satisfies their foreign keys.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$row),+];

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$row => stringify!($table)),+ }
            }

            /// The database that it stands in.
            pub(crate) const fn source(self) -> Source {
                match self { $(Self::$row => Source::$source),+ }
            }

            /// Its columns, as a statement lists them; the first is its key.
            pub(crate) const fn columns(self) -> &'static [&'static str] {
                match self { $(Self::$row => &[$(stringify!($column)),+]),+ }
            }
        }

        /// A row of any table, as it is when nothing more happens to it.
        #[derive(Clone)]
        pub(crate) enum Row { $($row($row)),+ }

        impl Row {
            /// Where it goes.
            pub(crate) const fn table(&self) -> Table {
                match self { $(Self::$row(_) => Table::$row),+ }
            }

            /// Appends the row in the binary COPY format.
            pub(crate) fn encode(&self, out: &mut BytesMut) {
                match self { $(Self::$row(row) => row.encode(out)),+ }
            }

            /// The row as the database has it at an instant: without what happens then or later.
            pub(crate) fn cut_at(self, now: Instant) -> Option<Self> {
                match self { $(Self::$row(row) => row.cut_at(now).map(Self::$row)),+ }
            }

            /// Whether the database has it otherwise at the span's end than at its start.
            pub(crate) fn changes_in(&self, span: Interval) -> bool {
                match self { $(Self::$row(row) => row.changes_in(span)),+ }
            }

            /// Whether nothing happens to it at an instant or later.
            pub(crate) fn is_settled(&self, now: Instant) -> bool {
                match self { $(Self::$row(row) => row.is_settled(now)),+ }
            }

            /// The column by which readers find what is new, where the table has one.
            pub(crate) fn noted_at(&mut self) -> Option<&mut Instant> {
                match self { $(Self::$row(row) => row.noted_at()),+ }
            }
        }

        $(
            #[doc = concat!("A row of `", stringify!($table), "`.")]
            #[derive(Clone)]
            pub(crate) struct $row { $(pub(crate) $column: $type),+ }

            impl $row {
                fn encode(&self, out: &mut BytesMut) {
                    const FIELDS: i16 = [$(stringify!($column)),+].len() as i16;
                    out.put_i16(FIELDS);
                    $(binary::put(&self.$column, out);)+
                }
            }

            impl From<$row> for Row {
                fn from(row: $row) -> Self {
                    Self::$row(row)
                }
            }
        )+
    };
}

tables! {
    User = Users.users {
        id: Uuid,
        email: String,
        username: String,
        password_hash: String,
        date_of_birth: Option<NaiveDate>,
        gender: Option<&'static str>,
        country: Option<&'static str>,
        signup_platform: &'static str,
        status: &'static str,
        is_internal: bool,
        created_at: Instant,
        updated_at: Instant,
    }
    UserProfile = Users.user_profiles {
        user_id: Uuid,
        display_name: String,
        bio: Option<&'static str>,
        interests: Vec<&'static str>,
        city: Option<&'static str>,
        updated_at: Instant,
    }
    UserSession = Users.user_sessions {
        id: Uuid,
        user_id: Uuid,
        platform: &'static str,
        app_version: AppVersion,
        country: Option<&'static str>,
        started_at: Instant,
        last_seen_at: Instant,
        ended_at: Option<Instant>,
        exit_reason: Option<&'static str>,
        updated_at: Instant,
    }
    Subscription = Users.subscriptions {
        id: Uuid,
        user_id: Uuid,
        plan: &'static str,
        billing_interval: Option<&'static str>,
        price: Cents,
        currency: &'static str,
        status: &'static str,
        started_at: Instant,
        trial_ends_at: Option<Instant>,
        canceled_at: Option<Instant>,
        ended_at: Option<Instant>,
        updated_at: Instant,
    }
    Payment = Users.payments {
        id: Uuid,
        user_id: Uuid,
        subscription_id: Option<Uuid>,
        kind: &'static str,
        amount: Cents,
        currency: &'static str,
        status: &'static str,
        paid_at: Instant,
        refunded_at: Option<Instant>,
        refunded_amount: Option<Cents>,
        updated_at: Instant,
    }
    Swipe = Interactions.swipes {
        id: Uuid,
        user_id: Uuid,
        target_user_id: Uuid,
        action: &'static str,
        created_at: Instant,
    }
    Match = Interactions.matches {
        id: Uuid,
        user_a_id: Uuid,
        user_b_id: Uuid,
        created_at: Instant,
    }
    Interaction = Interactions.interactions {
        id: Uuid,
        kind: &'static str,
        initiator_id: Uuid,
        partner_id: Uuid,
        started_at: Instant,
        ended_at: Option<Instant>,
        end_reason: Option<&'static str>,
        updated_at: Instant,
    }
    QueueEntry = Interactions.matching_queue {
        id: Uuid,
        user_id: Uuid,
        joined_at: Instant,
        left_at: Option<Instant>,
        outcome: Option<&'static str>,
        updated_at: Instant,
    }
    SessionTelemetry = Interactions.session_telemetry {
        session_id: Uuid,
        user_id: Uuid,
        started_at: Instant,
        screens_viewed: i32,
        actions_taken: i32,
        updated_at: Instant,
    }
    BehaviorEvent = Interactions.behavior_events {
        event_id: IdText,
        user_id: Option<Uuid>,
        anonymous_id: IdText,
        session_id: Option<Uuid>,
        event_name: &'static str,
        properties: EventKind,
        event_time: Instant,
        received_at: Instant,
        platform: &'static str,
        app_version: AppVersion,
        country: Option<&'static str>,
    }
    Message = Communications.messages {
        id: Uuid,
        conversation_id: Uuid,
        sender_id: Uuid,
        recipient_id: Uuid,
        kind: &'static str,
        content: Option<&'static str>,
        created_at: Instant,
    }
    Report = Moderation.reports {
        id: Uuid,
        reporter_id: Uuid,
        reported_user_id: Uuid,
        category: &'static str,
        created_at: Instant,
        resolved_at: Option<Instant>,
        updated_at: Instant,
    }
    ModerationAction = Moderation.moderation_actions {
        id: Uuid,
        user_id: Uuid,
        action: &'static str,
        automated: bool,
        created_at: Instant,
    }
}

impl Table {
    /// The statement that takes rows of this table into a table of this name.
    pub(crate) fn copy_statement(self, name: &str) -> String {
        format!("copy {name} ({}) from stdin (format binary)", self.columns().join(", "))
    }

    /// The tables of one database.
    pub(crate) fn of(source: Source) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |table| table.source() == source)
    }
}
