//! The same texts in every text column of the source tables, and texts that are far too long.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use kindred_model::Job;
use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

use super::hostile::{TEXTS, get, servers};
use super::rows::{computed, somebody_with};
use crate::pipeline::{history, population};
use crate::support::World;

/// Texts, of which each may stand in any row.
const SPOIL: &str = "update {table} t set {column} = ($1::text[])[1 + r % cardinality($1::text[])]
    from (select ctid as place, ('x' || substr(md5(ctid::text || '{column}'), 1, 7))::bit(28)::int as r from {table}) dice
    where dice.place = t.ctid and r % 3 > 0";

/// Puts hostile texts into two thirds of the rows, column by column, and says into which columns.
async fn spoil(source: &TestDatabase) -> BTreeSet<String> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns
         where table_schema = 'public' and data_type = 'text' and column_name not in ('email', 'event_id')
             and table_name in ('users', 'user_sessions', 'subscriptions', 'payments', 'swipes', 'interactions',
                 'matching_queue', 'messages', 'reports', 'moderation_actions', 'behavior_events')",
    )
    .fetch_all(source.pool())
    .await
    .unwrap();
    for (table, column) in &columns {
        let sql = SPOIL.replace("{table}", table).replace("{column}", column);
        let spoilt = sqlx::query(AssertSqlSafe(sql)).bind(TEXTS.as_slice());
        spoilt.execute(source.pool()).await.unwrap();
    }
    columns
        .into_iter()
        .map(|(table, column)| format!("{table}.{column}"))
        .collect()
}

/// The rows of three texts that a statement answers.
async fn rows(database: &TestDatabase, sql: &str) -> BTreeSet<(String, String, String)> {
    let rows = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(database.pool()).await;
    let rows: Vec<_> = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_by_plan_country_version_and_reason_come_out_under_the_texts_of_their_rows() {
    let source = TestDatabase::from_template(&history().await, "source").await;
    let spoilt = spoil(&source).await;
    for column in [
        "users.country",
        "user_sessions.exit_reason",
        "subscriptions.plan",
        "behavior_events.event_name",
    ] {
        assert!(spoilt.contains(column), "{spoilt:?}");
    }
    // A subscription of each plan, and money for it: the words of the others' payments were spoilt, too.
    let subscribed = "with bought as (
            insert into subscriptions (id, user_id, plan, price, status, started_at)
            select gen_random_uuid(), (select id from users where not is_internal limit 1), plan, 5, 'active',
                '2026-03-09T12:00Z'
            from unnest($1::text[]) plan
            returning *
        )
        insert into payments (id, user_id, subscription_id, kind, amount, status, paid_at)
        select gen_random_uuid(), user_id, id, 'initial', 5, 'succeeded', '2026-03-10T12:00Z' from bought";
    let subscribed = sqlx::query(subscribed).bind(TEXTS.as_slice());
    subscribed.execute(source.pool()).await.unwrap();
    let world = World::over(source.into(), population().until, |_| {}).await;
    let tables =
        "select relname::text, relkind::text, '' from pg_class where relkind in ('r', 'p') and not relispartition
        and relnamespace = 'public'::regnamespace";
    let before = (rows(&world.source, tables).await, rows(&world.warehouse, tables).await);
    for job in [Job::Daily, Job::Hourly, Job::Weekly, Job::Sessions] {
        let done = world.backfill_job(job, "2026-03-08", "2026-03-16").await;
        done.unwrap_or_else(|error| panic!("{job}: {}", kindred_jobs::describe(&error)));
    }
    world.assert_sound().await;
    let after = (rows(&world.source, tables).await, rows(&world.warehouse, tables).await);
    assert_eq!(before, after, "tables came or went");

    let exits = "select (started_at at time zone 'UTC')::date::text,
            case when ended_at is null then 'open' else coalesce(exit_reason, 'unknown') end, count(*)::text
        from user_sessions s join users u on u.id = s.user_id
        where not u.is_internal and started_at >= '2026-03-08Z' and started_at < '2026-03-16Z' group by 1, 2";
    let found = "select date::text, exit_reason, sessions::text from session_exits_daily where date >= '2026-03-08'";
    assert_eq!(rows(&world.warehouse, found).await, rows(&world.source, exits).await);

    let plans = "select distinct case plan when 'all' then 'plan all' else plan end, '', ''
        from subscriptions s join users u on u.id = s.user_id
        where not u.is_internal and s.currency = 'USD' and plan <> 'unknown'";
    let found = "select distinct subscription_plan, '', '' from revenue_metrics
        where subscription_plan not in ('all', 'one_off', 'unknown')";
    assert_eq!(rows(&world.warehouse, found).await, rows(&world.source, plans).await);

    let registered = "select (created_at at time zone 'UTC')::date::text, coalesce(country, 'unknown'), count(*)::text
        from users where not is_internal and created_at >= '2026-03-08Z' and created_at < '2026-03-16Z' group by 1, 2";
    let found = "select date::text, value, new_registrations::text from segment_kpi_daily
        where date >= '2026-03-08' and dimension = 'country' and new_registrations > 0";
    assert_eq!(
        rows(&world.warehouse, found).await,
        rows(&world.source, registered).await
    );

    let (kpi, _) = servers(&world);
    for address in [
        "/kpis/revenue?timeframe=7d",
        "/kpis/sessions?timeframe=7d",
        "/kpis/user-behavior?timeframe=7d",
        "/kpis/active-users?range=7d&breakdown=country",
        "/kpis/active-users?range=7d&breakdown=app_version",
        "/kpis/active-users?range=7d&breakdown=platform",
        "/kpis/overview",
        "/kpis/funnel",
    ] {
        for accept in ["application/json", "text/csv"] {
            let (status, body) = get(&kpi, address, accept).await;
            assert_eq!(status, StatusCode::OK, "{address}: {body}");
            let is_formula = |line: &str| line.starts_with(['=', '@', '+']);
            assert!(!body.lines().any(is_formula), "{address}: {body}");
        }
    }
    let (_, revenue) = get(&kpi, "/kpis/revenue?timeframe=30d", "application/json").await;
    let revenue: serde_json::Value = serde_json::from_str(&revenue).unwrap();
    let plans = revenue["planBreakdown"].as_array().unwrap().iter();
    let plans: BTreeSet<_> = plans.map(|plan| plan["plan"].as_str().unwrap()).collect();
    for text in TEXTS {
        let plan = if text == "all" { "plan all" } else { text };
        assert!(plans.contains(plan), "{plan:?} is not among {plans:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_no_index_holds_is_cut_and_stops_no_run() {
    // More than a MiB that does not compress, and of two bytes a letter at its end.
    let long = "(select string_agg(md5(i::text), '') || 'é' from generate_series(1, 40000) i)";
    let world = somebody_with(
        &"insert into user_sessions (id, user_id, platform, app_version, country, started_at, last_seen_at, ended_at, exit_reason)
            select gen_random_uuid(), {somebody}, t, t, t, '2026-02-10T12:00Z', '2026-02-10T13:00Z', '2026-02-10T13:00Z', t
            from (select LONG as t) texts;
        update users set country = LONG, signup_platform = LONG, gender = LONG, created_at = '2026-02-10T08:00Z';
        insert into subscriptions (id, user_id, plan, billing_interval, price, currency, status, started_at)
            select gen_random_uuid(), {somebody}, t, t, 5, 'USD', 'active', '2026-02-10T12:00Z' from (select LONG as t) texts;
        insert into behavior_events (event_id, user_id, event_name, properties, event_time, received_at)
            values ('long', {somebody}, LONG, '{}', '2026-02-10T12:00Z', '2026-02-10T12:00Z')"
            .replace("LONG", long),
    )
    .await;
    for job in [Job::Daily, Job::Sessions, Job::Hourly] {
        computed(&world, job, "2026-02-10", "2026-02-11").await;
    }
    for (table, column, keys) in [
        ("segment_kpi_daily", "value", 4),
        ("session_exits_daily", "exit_reason", 1),
        ("revenue_metrics", "subscription_plan", 1),
    ] {
        let sql = format!(
            "select count(*) || '/' || max(octet_length({column})) from {table} where octet_length({column}) > 99"
        );
        let found = world.ask(&sql).await;
        assert_eq!(found.as_deref(), Some(format!("{keys}/512").as_str()), "{table}");
    }
    let version = "select left(app_version, 32) from session_analytics";
    assert_eq!(
        world.ask(version).await.as_deref(),
        Some("c4ca4238a0b923820dcc509a6f75849b")
    );
    let aside = "select sum(rows)::text from lake_partitions where dataset = 'rejected/events'";
    assert_eq!(
        world.ask(aside).await.as_deref(),
        Some("1"),
        "the event without a storable name"
    );
}
