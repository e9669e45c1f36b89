//! The summary tables that a run may write: the one list from which the merges' SQL is built.
//!
//! It repeats what `migrations/` creates, and a test holds the two together. The lake's `kpi/` datasets have the same
//! names and columns.

use ColumnType::{BigInt, Boolean, Date, Double, Instant, Numeric, Text, Uuid};

/// A table of summary rows.
#[derive(Debug, PartialEq, Eq)]
pub struct SummaryTable {
    /// Its name, also the lake's dataset below `kpi/`.
    pub name: &'static str,
    /// The columns of its primary key.
    pub key: &'static [&'static str],
    /// The column whose UTC day is the row's day: the partition in the lake, and what a scope of days refers to.
    pub day_column: &'static str,
    /// Every column, in the table's order.
    pub columns: &'static [Column],
}

/// A column of a summary table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub column_type: ColumnType,
}

/// What a column of a summary table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// `date`: a UTC day.
    Date,
    /// `text`.
    Text,
    /// `bigint`: a count.
    BigInt,
    /// `numeric`: a rate from 0 to 100, or money.
    Numeric,
    /// `double precision`: seconds.
    Double,
    /// `boolean`.
    Boolean,
    /// `timestamptz`.
    Instant,
    /// `uuid`.
    Uuid,
}

impl ColumnType {
    /// The type's name in PostgreSQL, as `format_type` prints it.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Date => "date",
            Text => "text",
            BigInt => "bigint",
            Numeric => "numeric",
            Double => "double precision",
            Boolean => "boolean",
            Instant => "timestamp with time zone",
            Uuid => "uuid",
        }
    }
}

/// The columns that say which run last changed a row, and when: no figures.
const PROVENANCE: [&str; 2] = ["run_id", "computed_at"];

impl SummaryTable {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns that hold what the row says: neither its key nor who wrote it.
    pub fn figures(&self) -> impl Iterator<Item = &'static Column> {
        let described = |name| self.key.contains(&name) || PROVENANCE.contains(&name);
        self.columns.iter().filter(move |column| !described(column.name))
    }

    /// Whether its rows say that they are not yet complete; only then is a later change a revision.
    #[must_use]
    pub fn has_partial_rows(&self) -> bool {
        self.column("is_partial").is_some()
    }
}

/// Writes a table's columns: `name: Type, …`, then the two that say who wrote the row.
macro_rules! columns {
    ($($name:ident: $type:ident),+ $(,)?) => {
        &[
            $(Column { name: stringify!($name), column_type: $type },)+
            Column { name: "run_id", column_type: Uuid },
            Column { name: "computed_at", column_type: Instant },
        ]
    };
}

/// Key figures of the whole platform, a row a day.
pub const DAILY_KPI_SUMMARIES: SummaryTable = SummaryTable {
    name: "daily_kpi_summaries",
    key: &["date"],
    day_column: "date",
    columns: columns! {
        date: Date,
        total_active_users: BigInt, weekly_active_users: BigInt, monthly_active_users: BigInt,
        new_registrations: BigInt,
        total_sessions: BigInt, avg_session_duration: Double, closed_sessions: BigInt, session_seconds: Double,
        total_likes: BigInt, total_matches: BigInt, total_messages: BigInt,
        total_interactions: BigInt,
        total_video_calls: BigInt, avg_video_call_duration: Double, video_call_minutes: Double,
        gross_revenue: Numeric, refunds: Numeric, total_revenue: Numeric,
        subscription_purchases: BigInt, first_subscriptions: BigInt,
        active_non_subscribers: BigInt, converted_non_subscribers: BigInt, conversion_to_subscription: Numeric,
        user_retention_day1: Numeric, user_retention_day7: Numeric, user_retention_day30: Numeric,
        retention_day1_cohort: BigInt, retention_day7_cohort: BigInt, retention_day30_cohort: BigInt,
        retention_day1_returned: BigInt, retention_day7_returned: BigInt, retention_day30_returned: BigInt,
        total_reports: BigInt, total_moderation_actions: BigInt,
        is_partial: Boolean,
    },
};

/// New, returning, resurrected and dormant users, a row a day.
pub const LIFECYCLE_DAILY: SummaryTable = SummaryTable {
    name: "lifecycle_daily",
    key: &["date"],
    day_column: "date",
    columns: columns! {
        date: Date,
        new_active: BigInt, returning: BigInt, resurrected: BigInt, dormant: BigInt,
        is_partial: Boolean,
    },
};

/// Key figures by platform, country, app version and gender, a row a day and value.
pub const SEGMENT_KPI_DAILY: SummaryTable = SummaryTable {
    name: "segment_kpi_daily",
    key: &["date", "dimension", "value"],
    day_column: "date",
    columns: columns! {
        date: Date, dimension: Text, value: Text,
        active_users: BigInt, new_registrations: BigInt,
        total_sessions: BigInt, session_seconds: Double, closed_sessions: BigInt,
        total_messages: BigInt, total_revenue: Numeric,
    },
};

/// Active users by calendar bucket: hours, days, weeks, months, quarters.
pub const ACTIVE_USER_BUCKETS: SummaryTable = SummaryTable {
    name: "active_user_buckets",
    key: &["granularity", "bucket_start"],
    day_column: "bucket_start",
    columns: columns! {
        granularity: Text, bucket_start: Instant, bucket_end: Instant,
        active_users: BigInt, new_registrations: BigInt, total_sessions: BigInt,
        is_partial: Boolean,
    },
};

/// Every summary table.
pub const SUMMARY_TABLES: &[&SummaryTable] = &[
    &DAILY_KPI_SUMMARIES,
    &LIFECYCLE_DAILY,
    &SEGMENT_KPI_DAILY,
    &ACTIVE_USER_BUCKETS,
];
