//! The columns of every fact: what an extraction query must return, and the Arrow schema that leaves.
//!
//! The table below is the code's copy of the contract's "Facts" and of the nullability in the canonical source schema.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_schema::extension::Uuid as UuidExtension;
use kindred_model::Fact;

/// Digits of an amount, and those of them behind the point.
pub(crate) const MONEY: (u8, i8) = (12, 2);

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A user id, which leaves as its user key.
    UserKey,
    /// The id of anything but a user.
    Id,
    Text,
    Money,
    Instant,
    Boolean,
    Integer,
}

/// A column of a fact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) content: Content,
    pub(crate) nullable: bool,
}

const fn required(name: &'static str, content: Content) -> Column {
    Column {
        name,
        content,
        nullable: false,
    }
}

const fn optional(name: &'static str, content: Content) -> Column {
    Column {
        name,
        content,
        nullable: true,
    }
}

/// The columns of a fact, in the order in which they leave.
pub(crate) const fn columns(fact: Fact) -> &'static [Column] {
    use Content::{Boolean, Id, Instant, Integer, Money, Text, UserKey};
    match fact {
        Fact::Users => {
            &const {
                [
                    required("user_key", UserKey),
                    required("created_at", Instant),
                    optional("country", Text),
                    optional("signup_platform", Text),
                    optional("gender", Text),
                    required("status", Text),
                    required("is_internal", Boolean),
                ]
            }
        }
        Fact::UserSessions => {
            &const {
                [
                    required("user_key", UserKey),
                    required("session_id", Id),
                    optional("platform", Text),
                    optional("app_version", Text),
                    optional("country", Text),
                    required("started_at", Instant),
                    required("last_seen_at", Instant),
                    optional("ended_at", Instant),
                    optional("exit_reason", Text),
                ]
            }
        }
        Fact::Subscriptions => {
            &const {
                [
                    required("user_key", UserKey),
                    required("subscription_id", Id),
                    required("plan", Text),
                    optional("billing_interval", Text),
                    required("price", Money),
                    required("currency", Text),
                    required("status", Text),
                    required("started_at", Instant),
                    optional("trial_ends_at", Instant),
                    optional("canceled_at", Instant),
                    optional("ended_at", Instant),
                ]
            }
        }
        Fact::Payments => {
            &const {
                [
                    required("user_key", UserKey),
                    required("payment_id", Id),
                    optional("subscription_id", Id),
                    required("kind", Text),
                    required("amount", Money),
                    required("currency", Text),
                    required("status", Text),
                    required("paid_at", Instant),
                    optional("refunded_at", Instant),
                    optional("refunded_amount", Money),
                ]
            }
        }
        Fact::Swipes => {
            &const {
                [
                    required("user_key", UserKey),
                    required("target_user_key", UserKey),
                    required("action", Text),
                    required("created_at", Instant),
                ]
            }
        }
        Fact::Matches => {
            &const {
                [
                    required("match_id", Id),
                    required("user_a", UserKey),
                    required("user_b", UserKey),
                    required("created_at", Instant),
                ]
            }
        }
        Fact::Interactions => {
            &const {
                [
                    required("interaction_id", Id),
                    required("kind", Text),
                    required("initiator", UserKey),
                    required("partner", UserKey),
                    required("started_at", Instant),
                    optional("ended_at", Instant),
                    optional("end_reason", Text),
                ]
            }
        }
        Fact::MatchingQueue => {
            &const {
                [
                    required("user_key", UserKey),
                    required("queue_id", Id),
                    required("joined_at", Instant),
                    optional("left_at", Instant),
                    optional("outcome", Text),
                ]
            }
        }
        Fact::SessionTelemetry => {
            &const {
                [
                    required("user_key", UserKey),
                    required("session_id", Id),
                    required("started_at", Instant),
                    required("screens_viewed", Integer),
                    required("actions_taken", Integer),
                ]
            }
        }
        Fact::Messages => {
            &const {
                [
                    required("message_id", Id),
                    required("sender", UserKey),
                    required("recipient", UserKey),
                    required("kind", Text),
                    required("created_at", Instant),
                ]
            }
        }
        Fact::Reports => {
            &const {
                [
                    required("id", Id),
                    required("reporter_id", UserKey),
                    required("reported_user_id", UserKey),
                    required("category", Text),
                    required("created_at", Instant),
                    optional("resolved_at", Instant),
                    required("updated_at", Instant),
                ]
            }
        }
        Fact::ModerationActions => {
            &const {
                [
                    required("id", Id),
                    required("user_id", UserKey),
                    required("action", Text),
                    required("automated", Boolean),
                    required("created_at", Instant),
                ]
            }
        }
        Fact::Events => {
            &const {
                [
                    required("event_id", Text),
                    optional("user_key", UserKey),
                    optional("anonymous_key", UserKey),
                    optional("session_id", Text),
                    required("event_name", Text),
                    required("properties", Text),
                    required("event_time", Instant),
                    required("received_at", Instant),
                    optional("platform", Text),
                    optional("app_version", Text),
                    optional("country", Text),
                ]
            }
        }
    }
}

/// The columns of a fact that hold user keys, of users or of devices.
#[must_use]
pub fn key_columns(fact: Fact) -> Vec<&'static str> {
    let keys = columns(fact).iter().filter(|column| column.content == Content::UserKey);
    keys.map(|column| column.name).collect()
}

/// The columns of a fact that must hold something.
pub fn required_columns(fact: Fact) -> impl Iterator<Item = &'static str> {
    let required = columns(fact).iter().filter(|column| !column.nullable);
    required.map(|column| column.name)
}

/// The Arrow schema that a fact leaves extraction with.
///
/// User keys are `Int64`; other ids `FixedSizeBinary(16)` with the canonical extension type `arrow.uuid`; instants
/// `Timestamp(µs, UTC)`; money `Decimal128(12, 2)`; counts `Int32`; text `Utf8`. A column is nullable where the source schema's is.
#[must_use]
pub fn fact_schema(fact: Fact) -> SchemaRef {
    Arc::new(Schema::new(columns(fact).iter().map(field).collect::<Vec<_>>()))
}

fn field(column: &Column) -> Field {
    let of = |data_type| Field::new(column.name, data_type, column.nullable);
    match column.content {
        Content::UserKey => of(DataType::Int64),
        Content::Id => of(DataType::FixedSizeBinary(16)).with_extension_type(UuidExtension),
        Content::Text => of(DataType::Utf8),
        Content::Money => of(DataType::Decimal128(MONEY.0, MONEY.1)),
        Content::Instant => of(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        Content::Boolean => of(DataType::Boolean),
        Content::Integer => of(DataType::Int32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_its_partition_column_and_the_instants_that_its_changes_affect() {
        for &fact in Fact::ALL {
            let schema = fact_schema(fact);
            let partition = schema
                .field_with_name(fact.partition_column())
                .expect("a partition column");
            assert!(!partition.is_nullable(), "{fact} could have a row without a date");
            for instant in fact.instants() {
                let data_type = schema.field_with_name(instant).expect("an instant").data_type();
                assert!(
                    matches!(data_type, DataType::Timestamp(..)),
                    "{fact}.{instant} is {data_type}"
                );
            }
        }
    }

    #[test]
    fn no_private_column_is_part_of_a_fact() {
        let private = [
            "email",
            "username",
            "password_hash",
            "date_of_birth",
            "content",
            "bio",
            "display_name",
        ];
        for &fact in Fact::ALL {
            for column in columns(fact) {
                assert!(!private.contains(&column.name), "{fact} lets {} out", column.name);
            }
        }
    }
}
