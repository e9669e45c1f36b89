//! The datasets of the lake that jobs read and write, their schemas and sort orders.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_schema::extension::Uuid as UuidExtension;
use kindred_engine::Session;
use kindred_extract::fact_schema;
use kindred_lake::{Dataset, Snapshot};
use kindred_model::Fact;
use kindred_warehouse::{ColumnType, SUMMARY_TABLES, SummaryTable};

use crate::Platform;
use crate::error::JobError;

/// Who was active on which day: the compact state that long windows are counted from.
pub(crate) const ACTIVE_DAYS: &str = "active_days";

/// How often each identity met each event in each hour: what behaviour is counted from.
pub(crate) const EVENT_COUNTS: &str = "event_counts";

/// A hash of each event's id, and the hour where it lies: where a copy that arrives again may lie is asked here.
pub(crate) const EVENT_IDS: &str = "event_ids";

/// The user key that each anonymous key was first seen with.
pub(crate) const ALIASES: &str = "aliases";

/// The first ever instant of each kind of moment, by identity.
pub(crate) const FIRST_MOMENTS: &str = "first_moments";

/// How far each person came in each funnel, by the date of entry.
pub(crate) const FUNNEL_PEOPLE: &str = "funnel_people";

const STATES: [&str; 6] = [
    ACTIVE_DAYS,
    EVENT_COUNTS,
    EVENT_IDS,
    ALIASES,
    FIRST_MOMENTS,
    FUNNEL_PEOPLE,
];

/// The dataset of a fact's rows: days, and hours of the events.
pub(crate) fn facts(fact: Fact) -> Dataset {
    let dataset = Dataset::facts(fact.as_str());
    if fact == Fact::Events {
        dataset.by_hour()
    } else {
        dataset
    }
}

/// Every dataset that jobs read or write.
pub(crate) fn all() -> Vec<Dataset> {
    let facts = Fact::ALL.iter().map(|fact| facts(*fact));
    let tables = SUMMARY_TABLES.iter().map(|table| Dataset::kpi(table.name));
    let rejected = Dataset::rejected(Fact::Events.as_str());
    let states = STATES.map(Dataset::state);
    facts.chain([rejected]).chain(states).chain(tables).collect()
}

/// Every table that lies in the lake: its name in SQL, its dataset, and the columns of its files.
#[must_use]
pub fn lake_tables() -> Vec<(&'static str, Dataset, SchemaRef)> {
    let facts = Fact::ALL
        .iter()
        .map(|fact| (fact.as_str(), facts(*fact), fact_schema(*fact)));
    let state = STATES.map(|name| (name, Dataset::state(name), state_schema(name)));
    let tables = SUMMARY_TABLES
        .iter()
        .map(|table| (table.name, Dataset::kpi(table.name), summary_schema(table)));
    facts.chain(state).chain(tables).collect()
}

/// A session that sees the facts and the state of a snapshot; summary tables are registered as they are computed.
pub(crate) fn session(platform: &Platform, snapshot: Snapshot) -> Result<Session, JobError> {
    let session = platform.engine.session(&platform.lake, snapshot);
    for fact in Fact::ALL {
        session.register_dataset(fact.as_str(), &facts(*fact), &fact_schema(*fact))?;
    }
    for name in STATES {
        session.register_dataset(name, &Dataset::state(name), &state_schema(name))?;
    }
    Ok(session)
}

/// The columns of a state's files.
pub(crate) fn state_schema(name: &str) -> SchemaRef {
    let key = |name| Field::new(name, DataType::Int64, true);
    let text = |name| Field::new(name, DataType::Utf8, true);
    let instant = |name| {
        Field::new(
            name,
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            false,
        )
    };
    let seconds = Arc::new(Field::new_list_field(DataType::Float64, true));
    Arc::new(Schema::new(match name {
        ACTIVE_DAYS => vec![
            Field::new("user_key", DataType::Int64, false),
            text("platform"),
            text("app_version"),
        ],
        EVENT_COUNTS => vec![
            key("user_key"),
            key("anonymous_key"),
            Field::new("event_name", DataType::Utf8, false),
            Field::new("platform", DataType::Utf8, false),
            Field::new("hour", DataType::Int32, false),
            Field::new("events", DataType::Int64, false),
        ],
        EVENT_IDS => vec![
            Field::new("id_hash", DataType::Int64, false),
            Field::new("hour", DataType::Int32, false),
        ],
        ALIASES => vec![
            Field::new("anonymous_key", DataType::Int64, false),
            Field::new("user_key", DataType::Int64, false),
            instant("event_time"),
            Field::new("event_id", DataType::Utf8, false),
        ],
        FIRST_MOMENTS => vec![
            Field::new("kind", DataType::Utf8, false),
            key("user_key"),
            key("anonymous_key"),
            instant("at"),
        ],
        FUNNEL_PEOPLE => vec![
            Field::new("funnel_name", DataType::Utf8, false),
            Field::new("person", DataType::Int64, false),
            Field::new("reached", DataType::Int32, false),
            Field::new("seconds", DataType::List(seconds), true),
        ],
        other => unreachable!("{other} is no state"),
    }))
}

/// The columns by which a state's readers like it sorted.
pub(crate) fn state_sort(name: &str) -> &'static [&'static str] {
    match name {
        ACTIVE_DAYS => &["user_key", "platform", "app_version"],
        EVENT_COUNTS => &["user_key", "anonymous_key", "event_name"],
        EVENT_IDS => &["id_hash"],
        ALIASES => &["anonymous_key"],
        FIRST_MOMENTS => &["kind", "user_key", "anonymous_key"],
        _ => &["funnel_name", "person"],
    }
}

/// The columns by which a fact's readers like it sorted: by person, then time.
pub(crate) const fn sort_of(fact: Fact) -> &'static [&'static str] {
    match fact {
        Fact::Users | Fact::Swipes => &["user_key", "created_at"],
        Fact::UserSessions | Fact::Subscriptions => &["user_key", "started_at"],
        Fact::Payments => &["user_key", "paid_at"],
        Fact::Matches => &["user_a", "created_at"],
        Fact::Interactions => &["initiator", "started_at"],
        Fact::Messages => &["sender", "created_at"],
        Fact::Reports => &["reported_user_id", "created_at"],
        Fact::ModerationActions => &["user_id", "created_at"],
        Fact::MatchingQueue => &["user_key", "joined_at"],
        Fact::SessionTelemetry => &["user_key", "started_at"],
        Fact::Events => &["user_key", "event_time"],
    }
}

/// The Arrow schema of a summary table: that of its Parquet files and of the rows which are published.
#[must_use]
pub fn summary_schema(table: &SummaryTable) -> SchemaRef {
    let fields = table.columns.iter().map(|column| {
        let field = Field::new(column.name, arrow_type(table, column.name), true);
        match column.column_type {
            // Readers of Parquet see a UUID, not bytes.
            ColumnType::Uuid => field.with_extension_type(UuidExtension),
            _ => field,
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn arrow_type(table: &SummaryTable, name: &str) -> DataType {
    let column_type = table.column(name).map_or(ColumnType::Text, |column| column.column_type);
    match column_type {
        ColumnType::Date => DataType::Date32,
        ColumnType::Text => DataType::Utf8,
        ColumnType::BigInt => DataType::Int64,
        // Money is exact; a rate is a quotient, which no decimal holds.
        ColumnType::Numeric => decimals(table, name).map_or(DataType::Float64, |scale| DataType::Decimal128(20, scale)),
        ColumnType::Double => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnType::Uuid => DataType::FixedSizeBinary(16),
        ColumnType::Json => DataType::Utf8,
    }
}

/// The digits behind the point of a column of money: cents, and of recurring revenue, which is of prices divided by
/// months, six.
fn decimals(table: &SummaryTable, column: &str) -> Option<i8> {
    match (table.name, column) {
        (_, "gross_revenue" | "refunds" | "total_revenue") => Some(2),
        ("revenue_metrics", "monthly_recurring_revenue" | "annual_recurring_revenue") => Some(6),
        // All that moves is recurring revenue.
        ("mrr_movements_daily", _) => Some(6),
        _ => None,
    }
}
