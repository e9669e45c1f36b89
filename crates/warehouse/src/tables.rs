//! The summary tables that a run may write: the one list from which the merges' SQL is built.
//!
//! It repeats what `migrations/` creates, and a test holds the two together. The lake's `kpi/` datasets have the same
//! names and columns.

use ColumnType::{BigInt, Boolean, Date, Double, Instant, Json, Numeric, Text, Uuid};

/// A table of summary rows.
#[derive(Debug, PartialEq, Eq)]
pub struct SummaryTable {
    /// Its name, also the lake's dataset below `kpi/`.
    pub name: &'static str,
    /// The columns of its primary key.
    pub key: &'static [&'static str],
    /// The column whose UTC day is the row's day: the partition in the lake, and what a scope of days refers to.
    pub day_column: &'static str,
    /// When a row is final, as far as anybody knows: changing it later is a revision.
    pub closed: Closed,
    /// Every column, in the table's order.
    pub columns: &'static [Column],
}

/// What tells that a row is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Its column `is_partial` is false.
    Complete,
    /// Its column `is_mature` is true.
    Mature,
    /// The key figures of its day are complete.
    WithItsDay,
    /// Nothing: it is expected to change, or is replaced whole.
    Never,
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
    /// `jsonb`: an object as text.
    Json,
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
            Json => "jsonb",
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
    closed: Closed::Complete,
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
    closed: Closed::Complete,
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
    closed: Closed::WithItsDay,
    columns: columns! {
        date: Date, dimension: Text, value: Text,
        active_users: BigInt, new_registrations: BigInt,
        total_sessions: BigInt, session_seconds: Double, closed_sessions: BigInt,
        total_messages: BigInt, total_revenue: Numeric,
    },
};

/// How the sessions of each day ended, a row a day and reason.
pub const SESSION_EXITS_DAILY: SummaryTable = SummaryTable {
    name: "session_exits_daily",
    key: &["date", "exit_reason"],
    day_column: "date",
    closed: Closed::WithItsDay,
    columns: columns! {
        date: Date, exit_reason: Text,
        sessions: BigInt,
    },
};

/// Active users by calendar bucket: hours, days, weeks, months, quarters.
pub const ACTIVE_USER_BUCKETS: SummaryTable = SummaryTable {
    name: "active_user_buckets",
    key: &["granularity", "bucket_start"],
    day_column: "bucket_start",
    closed: Closed::Complete,
    columns: columns! {
        granularity: Text, bucket_start: Instant, bucket_end: Instant,
        active_users: BigInt, new_registrations: BigInt, total_sessions: BigInt,
        is_partial: Boolean,
    },
};

/// Money by plan, a row a day and plan.
pub const REVENUE_METRICS: SummaryTable = SummaryTable {
    name: "revenue_metrics",
    key: &["date", "subscription_plan"],
    day_column: "date",
    closed: Closed::Complete,
    columns: columns! {
        date: Date, subscription_plan: Text,
        new_subscriptions: BigInt, renewed_subscriptions: BigInt,
        canceled_subscriptions: BigInt, churned_subscriptions: BigInt,
        active_at_start: BigInt, active_at_end: BigInt,
        gross_revenue: Numeric, refunds: Numeric, total_revenue: Numeric,
        monthly_recurring_revenue: Numeric, annual_recurring_revenue: Numeric,
        customer_lifetime_value: Numeric, churn_rate: Numeric,
        is_partial: Boolean,
    },
};

/// How recurring revenue moved, a row a day.
pub const MRR_MOVEMENTS_DAILY: SummaryTable = SummaryTable {
    name: "mrr_movements_daily",
    key: &["date"],
    day_column: "date",
    closed: Closed::WithItsDay,
    columns: columns! {
        date: Date,
        opening_mrr: Numeric,
        new: Numeric, reactivation: Numeric, expansion: Numeric, contraction: Numeric, churn: Numeric,
        closing_mrr: Numeric,
    },
};

/// Persons by the date on which they entered a funnel, a row a step.
pub const CONVERSION_FUNNELS: SummaryTable = SummaryTable {
    name: "conversion_funnels",
    key: &["date", "funnel_name", "step_order"],
    day_column: "date",
    closed: Closed::Mature,
    columns: columns! {
        date: Date, funnel_name: Text, step_order: BigInt, funnel_step: Text,
        total_users: BigInt, converted_users: BigInt, conversion_rate: Numeric,
        avg_time_to_convert: Double, median_time_to_convert: Double, p90_time_to_convert: Double,
        is_mature: Boolean,
    },
};

/// The same over the 7, 30 and 90 entry dates that end with a day.
pub const FUNNEL_WINDOWS: SummaryTable = SummaryTable {
    name: "funnel_windows",
    key: &["funnel_name", "as_of", "timeframe", "step_order"],
    day_column: "as_of",
    closed: Closed::Never,
    columns: columns! {
        funnel_name: Text, as_of: Date, timeframe: Text, step_order: BigInt,
        total_users: BigInt, converted_users: BigInt,
        avg_time_to_convert: Double, median_time_to_convert: Double, p90_time_to_convert: Double,
    },
};

/// How long the sessions of the 7, 30 and 90 days that end with a day lasted.
pub const SESSION_WINDOWS: SummaryTable = SummaryTable {
    name: "session_windows",
    key: &["as_of", "timeframe"],
    day_column: "as_of",
    closed: Closed::WithItsDay,
    columns: columns! {
        as_of: Date, timeframe: Text,
        sessions: BigInt, mean_duration: Double, median_duration: Double, p90_duration: Double,
    },
};

/// What went on in each hour.
pub const HOURLY_METRICS: SummaryTable = SummaryTable {
    name: "hourly_metrics",
    key: &["timestamp"],
    day_column: "timestamp",
    closed: Closed::Complete,
    columns: columns! {
        timestamp: Instant,
        concurrent_users: BigInt, active_users: BigInt, active_interactions: BigInt, queue_length: BigInt,
        new_users: BigInt, new_interactions: BigInt, new_messages: BigInt,
        is_partial: Boolean,
    },
};

/// What happened in each session.
pub const SESSION_ANALYTICS: SummaryTable = SummaryTable {
    name: "session_analytics",
    key: &["session_id"],
    day_column: "session_start",
    closed: Closed::Never,
    columns: columns! {
        session_id: Uuid, user_id: BigInt,
        session_start: Instant, session_end: Instant, session_duration: Double,
        screens_viewed: BigInt, actions_taken: BigInt,
        matches_in_session: BigInt, messages_in_session: BigInt,
        exit_reason: Text, platform: Text, app_version: Text, country: Text,
    },
};

/// Who came back, by the week of registration and the weeks since.
pub const RETENTION_COHORTS: SummaryTable = SummaryTable {
    name: "retention_cohorts",
    key: &["cohort_week", "period_number"],
    day_column: "cohort_week",
    closed: Closed::Complete,
    columns: columns! {
        cohort_week: Date, period_number: BigInt,
        cohort_size: BigInt, users_returned: BigInt, retention_rate: Numeric,
        avg_sessions_per_user: Double, avg_matches_per_user: Double, avg_revenue_per_user: Numeric,
        subscription_conversion_rate: Numeric,
        is_partial: Boolean,
    },
};

/// Events and persons of the 24 hours, 7, 30 and 90 days that end with an hour.
pub const BEHAVIOR_ROLLUPS: SummaryTable = SummaryTable {
    name: "behavior_rollups",
    key: &["timeframe", "as_of", "event_name", "facet", "facet_value"],
    day_column: "as_of",
    closed: Closed::Never,
    columns: columns! {
        timeframe: Text, as_of: Instant, event_name: Text, facet: Text, facet_value: Text,
        event_count: BigInt, unique_users: BigInt,
    },
};

/// The events of the last days. Not mirrored in the lake, whose `facts/events` holds them all.
pub const USER_BEHAVIOR_EVENTS: SummaryTable = SummaryTable {
    name: "user_behavior_events",
    key: &["event_time", "event_id"],
    day_column: "event_time",
    closed: Closed::Never,
    columns: columns! {
        event_time: Instant, event_id: Text,
        user_id: BigInt, session_id: Text, event_name: Text, event_properties: Json,
        platform: Text, app_version: Text, location_country: Text,
    },
};

/// Every summary table that the lake mirrors.
pub const SUMMARY_TABLES: &[&SummaryTable] = &[
    &DAILY_KPI_SUMMARIES,
    &LIFECYCLE_DAILY,
    &SEGMENT_KPI_DAILY,
    &SESSION_EXITS_DAILY,
    &ACTIVE_USER_BUCKETS,
    &REVENUE_METRICS,
    &MRR_MOVEMENTS_DAILY,
    &CONVERSION_FUNNELS,
    &FUNNEL_WINDOWS,
    &SESSION_WINDOWS,
    &HOURLY_METRICS,
    &SESSION_ANALYTICS,
    &RETENTION_COHORTS,
    &BEHAVIOR_ROLLUPS,
];
