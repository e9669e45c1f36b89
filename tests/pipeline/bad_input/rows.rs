//! Rows that make no sense, or are of a kind that nobody knows, in the platform's tables.

use kindred_model::Job;
use kindred_testkit::TestDatabase;

use super::{EMPTY, SOMEBODY};
use crate::pipeline::{history, population};
use crate::support::World;
use crate::support::world::run_sql;

/// A platform of one person who has nothing but these rows.
pub(super) async fn somebody_with(rows: &str) -> World {
    let source = TestDatabase::from_template(&history().await, "source").await;
    run_sql(&source, EMPTY).await;
    let person = format!(
        "insert into users (id, email, username, password_hash, created_at, updated_at)
         values ('{SOMEBODY}', 'a', 'a', 'a', '2026-02-01T08:00Z', '2026-02-01T08:00Z')"
    );
    run_sql(&source, &person).await;
    run_sql(&source, &rows.replace("{somebody}", &format!("'{SOMEBODY}'"))).await;
    World::over(source.into(), population().until, |_| {}).await
}

pub(super) async fn computed(world: &World, job: Job, from: &str, to: &str) {
    let done = world.backfill_job(job, from, to).await;
    done.unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)));
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_before_it_begins_counts_without_length_and_a_month_long_one_lasts_a_day() {
    let world = somebody_with(
        "insert into user_sessions (id, user_id, platform, started_at, last_seen_at, ended_at) values
            (gen_random_uuid(), {somebody}, 'ios', '2026-02-10T12:00Z', '2026-03-12T12:00Z', '2026-03-12T12:00Z'),
            (gen_random_uuid(), {somebody}, 'ios', '2026-02-14T12:00Z', '2026-02-14T12:00Z', '2026-02-14T11:00Z')",
    )
    .await;
    computed(&world, Job::Daily, "2026-02-10", "2026-02-15").await;
    let days =
        "select string_agg(concat_ws('/', to_char(date, 'DD'), total_active_users, total_sessions, closed_sessions,
                coalesce(avg_session_duration::text, 'null')), ', ' order by date)
            from daily_kpi_summaries";
    assert_eq!(
        world.ask(days).await.as_deref(),
        Some("10/1/1/1/86400, 11/1/0/0/null, 12/0/0/0/null, 13/0/0/0/null, 14/1/1/0/null")
    );
    computed(&world, Job::Sessions, "2026-02-10", "2026-02-15").await;
    let sessions = "select string_agg(coalesce(session_duration::text, 'null'), ', ' order by session_start)
            from session_analytics";
    assert_eq!(world.ask(sessions).await.as_deref(), Some("86400, null"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_nobody_knows_has_its_row_and_other_currencies_have_none() {
    let subscription = |id: u32, plan: &str, currency: &str| {
        format!(
            "insert into subscriptions (id, user_id, plan, billing_interval, price, currency, status, started_at)
             values ('{id:08}-0000-4000-8000-000000000000', {{somebody}}, '{plan}', null, 12, '{currency}', 'active',
                 '2026-02-10T12:00Z');
             insert into payments (id, user_id, subscription_id, kind, amount, currency, status, paid_at)
             values (gen_random_uuid(), {{somebody}}, '{id:08}-0000-4000-8000-000000000000', 'initial', 12, '{currency}',
                 'succeeded', '2026-02-10T12:00Z');"
        )
    };
    let rows = [
        subscription(1, "mystery", "USD"),
        subscription(2, "enigma_annual", "USD"),
        subscription(3, "gold_monthly", "EUR"),
    ];
    let world = somebody_with(&rows.concat()).await;
    computed(&world, Job::Daily, "2026-02-10", "2026-02-11").await;
    let plans = "select string_agg(concat_ws(' ', subscription_plan, new_subscriptions, trim_scale(total_revenue),
                trim_scale(monthly_recurring_revenue)), ', ' order by subscription_plan collate \"C\")
            from revenue_metrics";
    assert_eq!(
        world.ask(plans).await.as_deref(),
        Some("all 2 24 13, enigma_annual 1 12 1, mystery 1 12 12")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_leaves_the_queue_waits_until_the_watermark_and_for_a_day_at_most() {
    let world = somebody_with(
        "insert into matching_queue (id, user_id, joined_at) values
            (gen_random_uuid(), {somebody}, '2026-03-13T08:15Z'), (gen_random_uuid(), {somebody}, '2026-03-15T09:40Z')",
    )
    .await;
    computed(&world, Job::Hourly, "2026-03-13", "2026-03-16").await;
    let waiting = "select string_agg(queue_length || ' from ' || first || ' to ' || last, ', ' order by first)
        from (
            select queue_length, to_char(min(timestamp) at time zone 'UTC', 'DD HH24') as first,
                to_char(max(timestamp) at time zone 'UTC', 'DD HH24') as last
            from hourly_metrics where queue_length > 0 group by queue_length, timestamp > '2026-03-15'
        ) as spans";
    assert_eq!(
        world.ask(waiting).await.as_deref(),
        Some("1 from 13 08 to 14 08, 1 from 15 09 to 15 10")
    );
}
