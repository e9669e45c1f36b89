//! The databases have exactly the columns that extractions rely on, and the indexes that make them fast.

use kindred_testkit::TestDatabase;

use crate::{everything_in, population, simulate};

/// Table, then its columns as `name type`, `!` where a value is required.
const CONTRACT: &[(&str, &str)] = &[
    (
        "users",
        "id uuid!, email text!, username text!, password_hash text!, date_of_birth date, gender text, country text, \
         signup_platform text, status text!, is_internal boolean!, created_at timestamp with time zone!, \
         updated_at timestamp with time zone!",
    ),
    (
        "user_profiles",
        "user_id uuid!, display_name text, bio text, interests text[], city text, updated_at timestamp with time zone!",
    ),
    (
        "user_sessions",
        "id uuid!, user_id uuid!, platform text, app_version text, country text, \
         started_at timestamp with time zone!, last_seen_at timestamp with time zone!, \
         ended_at timestamp with time zone, exit_reason text, updated_at timestamp with time zone!",
    ),
    (
        "subscriptions",
        "id uuid!, user_id uuid!, plan text!, billing_interval text, price numeric(12,2)!, currency character(3)!, \
         status text!, started_at timestamp with time zone!, trial_ends_at timestamp with time zone, \
         canceled_at timestamp with time zone, ended_at timestamp with time zone, \
         updated_at timestamp with time zone!",
    ),
    (
        "payments",
        "id uuid!, user_id uuid!, subscription_id uuid, kind text!, amount numeric(12,2)!, currency character(3)!, \
         status text!, paid_at timestamp with time zone!, refunded_at timestamp with time zone, \
         refunded_amount numeric(12,2), updated_at timestamp with time zone!",
    ),
    (
        "swipes",
        "id uuid!, user_id uuid!, target_user_id uuid!, action text!, created_at timestamp with time zone!",
    ),
    (
        "matches",
        "id uuid!, user_a_id uuid!, user_b_id uuid!, created_at timestamp with time zone!",
    ),
    (
        "interactions",
        "id uuid!, kind text!, initiator_id uuid!, partner_id uuid!, started_at timestamp with time zone!, \
         ended_at timestamp with time zone, end_reason text, updated_at timestamp with time zone!",
    ),
    (
        "matching_queue",
        "id uuid!, user_id uuid!, joined_at timestamp with time zone!, left_at timestamp with time zone, \
         outcome text, updated_at timestamp with time zone!",
    ),
    (
        "session_telemetry",
        "session_id uuid!, user_id uuid!, started_at timestamp with time zone!, screens_viewed integer!, \
         actions_taken integer!, updated_at timestamp with time zone!",
    ),
    (
        "behavior_events",
        "event_id text!, user_id uuid, anonymous_id text, session_id uuid, event_name text!, properties jsonb!, \
         event_time timestamp with time zone!, received_at timestamp with time zone!, platform text, \
         app_version text, country text",
    ),
    (
        "messages",
        "id uuid!, conversation_id uuid!, sender_id uuid!, recipient_id uuid!, kind text!, content text, \
         created_at timestamp with time zone!",
    ),
    (
        "reports",
        "id uuid!, reporter_id uuid!, reported_user_id uuid!, category text!, created_at timestamp with time zone!, \
         resolved_at timestamp with time zone, updated_at timestamp with time zone!",
    ),
    (
        "moderation_actions",
        "id uuid!, user_id uuid!, action text!, automated boolean!, created_at timestamp with time zone!",
    ),
];

/// The indexes beside those of primary keys and unique constraints, each on one column of a table.
const INDEXED: &[(&str, &[&str])] = &[
    ("behavior_events", &["event_time", "received_at"]),
    ("interactions", &["started_at", "updated_at"]),
    ("matches", &["created_at"]),
    ("matching_queue", &["joined_at", "updated_at"]),
    ("messages", &["created_at"]),
    ("moderation_actions", &["created_at"]),
    ("payments", &["paid_at", "updated_at"]),
    ("reports", &["created_at", "updated_at"]),
    ("session_telemetry", &["started_at", "updated_at"]),
    ("subscriptions", &["started_at", "updated_at"]),
    ("swipes", &["created_at"]),
    ("user_sessions", &["started_at", "updated_at"]),
    ("users", &["created_at", "updated_at"]),
];

#[tokio::test]
async fn the_databases_have_exactly_the_contracts_columns_and_indexes() {
    let database = TestDatabase::create("schema").await;
    simulate(&population(20, 3), &everything_in(&database)).await.unwrap();

    let columns = "
        select relname::text, string_agg(attname || ' ' || format_type(atttypid, atttypmod)
            || case when attnotnull then '!' else '' end, ', ' order by attnum)
        from pg_class join pg_attribute on attrelid = pg_class.oid
        where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
        group by relname order by min(pg_class.oid)";
    let mut found: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(database.pool()).await.unwrap();
    found.sort();
    let mut expected: Vec<_> = CONTRACT
        .iter()
        .map(|(t, c)| ((*t).to_owned(), (*c).to_owned()))
        .collect();
    expected.sort();
    assert_eq!(found, expected);

    let indexes = "
        select indrelid::regclass::text, array_agg(pg_get_indexdef(indexrelid, 1, false) order by 1)
        from pg_index join pg_class on pg_class.oid = indrelid
        where relnamespace = 'public'::regnamespace and not indisunique group by 1 order by 1";
    let found: Vec<(String, Vec<String>)> = sqlx::query_as(indexes).fetch_all(database.pool()).await.unwrap();
    let owned = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect();
    let expected: Vec<(String, Vec<String>)> = INDEXED.iter().map(|(t, c)| ((*t).to_owned(), owned(c))).collect();
    assert_eq!(found, expected);
}
