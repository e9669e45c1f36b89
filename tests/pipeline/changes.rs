//! A change of the sources restates what it must and nothing else, and gives what a clean backfill gives.

use std::collections::BTreeSet;

use kindred_model::{Job, RunStatus};
use kindred_warehouse::Run;

use super::{FROM, TOMORROW, YESTERDAY, empty_world, world, world_with};
use crate::support::World;

/// When the sources are changed: since the last run, and before the next one.
const NOW: &str = "updated_at = '2026-03-15T10:35:00Z'";

/// The tables whose rows look at many days.
const LONGER: [&str; 3] = ["conversion_funnels", "funnel_windows", "session_windows"];

/// Changes the sources and runs the day's job. Gives the rows that changed, as `table day`, after seeing that exactly
/// the rows with other figures were written, and that everything is as if it had been computed afresh.
async fn restated_by(world: &World, change: &str) -> BTreeSet<String> {
    let before = world.versions().await;
    world.change(change).await;
    world.wait(5);
    let run = world
        .run(YESTERDAY, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.status, RunStatus::Completed);
    let after = world.versions().await;
    let mut restated = BTreeSet::new();
    for key in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(key), after.get(key));
        let figures_differ = old.map(|(_, cells)| cells) != new.map(|(_, cells)| cells);
        let was_written = old.map(|(xmin, _)| xmin) != new.map(|(xmin, _)| xmin);
        assert_eq!(figures_differ, was_written, "{key:?}: {old:?} {new:?}");
        let (table, key) = key;
        // The longer windows and the funnels hold a day in many rows; that they are right is seen below.
        if figures_differ && !LONGER.contains(table) {
            restated.insert(format!("{table} {}", day_of(key)));
        }
    }
    world.assert_sound().await;
    world.assert_equals(&world.clean(FROM, TOMORROW).await).await;
    restated
}

/// `2026-03-14/platform/ios`, `hourly/2026-03-14 10:00:00+00`: the day or bucket.
fn day_of(key: &str) -> &str {
    match key.split_once('/') {
        Some((day, _)) if day.starts_with("20") => day,
        Some((_, bucket)) => bucket,
        None => key,
    }
}

fn set<const N: usize>(rows: [&str; N]) -> BTreeSet<String> {
    rows.map(str::to_owned).into()
}

/// A row of a table on a day, of somebody who counts.
fn one(table: &str, instant: &str, day: &str, user: &str) -> String {
    format!(
        "(select t.id from {table} t join users u on u.id = t.{user} and not u.is_internal
          where t.{instant} >= timestamptz '{day} 01:00Z' and t.{instant} < timestamptz '{day} 22:00Z'
          order by t.{instant}, t.id limit 1)"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_late_restates_the_day_on_which_it_began() {
    let session = one("user_sessions", "started_at", "2026-03-05", "user_id");
    let open = format!(
        "update user_sessions set ended_at = null, last_seen_at = started_at + interval '2 seconds' where id = {session}"
    );
    let world = world_with(&open).await;
    let ended = format!("update user_sessions set ended_at = last_seen_at, {NOW} where id = {session}");
    let restated = restated_by(&world, &ended).await;
    assert_eq!(
        restated,
        set([
            "daily_kpi_summaries 2026-03-05",
            "segment_kpi_daily 2026-03-05",
            "session_exits_daily 2026-03-05",
        ])
    );
    // Every table of the day says what it was, also those whose rows do not say themselves that they are complete.
    let noted = "select string_agg(distinct table_name, ', ') from kpi_revisions where key like '2026-03-05%'";
    let tables = "daily_kpi_summaries, segment_kpi_daily, session_exits_daily, session_windows";
    assert_eq!(world.ask(noted).await.as_deref(), Some(tables));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_that_is_told_late_restates_the_exits_of_its_day_alone() {
    let session = one("user_sessions", "started_at", "2026-03-05", "user_id");
    let world = world().await;
    let told = format!("update user_sessions set exit_reason = 'force_quit', {NOW} where id = {session}");
    let restated = restated_by(&world, &told).await;
    assert_eq!(restated, set(["session_exits_daily 2026-03-05"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn swipes_that_arrive_late_are_found_in_the_look_back_and_by_their_number_before_it() {
    let world = world().await;
    let late = |day: &str| {
        format!(
            "insert into swipes (id, user_id, target_user_id, action, created_at)
             select gen_random_uuid(), min(id::text)::uuid, max(id::text)::uuid, 'like', timestamptz '{day} 12:00Z'
             from users where not is_internal"
        )
    };
    let restated = restated_by(&world, &late("2026-03-13")).await;
    assert_eq!(restated, set(["daily_kpi_summaries 2026-03-13"]));
    let both = [late("2026-02-23"), late("2026-03-09")].join(";");
    let restated = restated_by(&world, &both).await;
    assert_eq!(
        restated,
        set(["daily_kpi_summaries 2026-02-23", "daily_kpi_summaries 2026-03-09"])
    );
    // A swipe has no id: the same one again is one more.
    let restated = restated_by(&world, &late("2026-03-13")).await;
    assert_eq!(restated, set(["daily_kpi_summaries 2026-03-13"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_were_committed_long_after_they_arrived_are_found_by_the_number_of_their_day() {
    let world = world().await;
    let late = |day: &str| {
        format!(
            "insert into behavior_events (event_id, anonymous_id, event_name, event_time, received_at, platform)
             values ('late-{day}', 'device-of-{day}', 'app_open', '{day} 12:00Z', '{day} 12:00:05Z', 'ios')"
        )
    };
    for day in ["2026-03-09", "2026-02-20"] {
        let id = format!("late-{day}");
        assert_eq!(world.events(&id).await, 0);
        restated_by(&world, &late(day)).await;
        assert_eq!(world.events(&id).await, 1, "{day}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_apart_that_share_a_changed_quarter_are_restated_in_one_run() {
    let world = empty_world().await;
    for (day, next) in [("2026-02-10", "2026-02-11"), ("2026-03-01", "2026-03-02")] {
        world
            .backfill(day, next)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }
    // On both days somebody registers, which the quarter counts: three windows answer for it.
    world
        .change(&format!(
            "update users set created_at = '2026-02-10T12:00:00Z', {NOW} where id = (select min(id::text)::uuid from users where created_at > '2026-02-12');
             update users set created_at = '2026-03-01T12:00:00Z', {NOW} where id = (select max(id::text)::uuid from users where created_at > '2026-02-12')"
        ))
        .await;
    world.wait(5);
    world
        .run(YESTERDAY, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    world.assert_sound().await;
    let quarter = "select new_registrations::text from active_user_buckets where granularity = 'quarterly'";
    let all = world.clean(YESTERDAY, TOMORROW).await.ask(quarter).await;
    assert_eq!(world.ask(quarter).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_counts_on_its_own_day_and_leaves_the_day_of_the_payment() {
    let payment = "(select p.id from payments p join users u on u.id = p.user_id and not u.is_internal
        where p.status = 'succeeded' and p.paid_at < '2026-03-06' order by p.paid_at desc limit 1)";
    let world = world().await;
    let refunded = format!(
        "update payments set status = 'refunded', refunded_at = '2026-03-12T09:00:00Z',
             refunded_amount = 1.25, {NOW} where id = {payment}"
    );
    let restated = restated_by(&world, &refunded).await;
    assert_eq!(
        restated,
        set([
            "daily_kpi_summaries 2026-03-12",
            "revenue_metrics 2026-03-12",
            "segment_kpi_daily 2026-03-12",
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_rows_leave_every_figure_that_they_were_in() {
    let world = world().await;
    let message = "(select m.id from messages m
        join users a on a.id = m.sender_id and not a.is_internal join users b on b.id = m.recipient_id and not b.is_internal
        where m.created_at < '2026-03-10' order by m.created_at desc limit 1)";
    let restated = restated_by(&world, &format!("delete from messages where id = {message}")).await;
    let tables: Vec<_> = restated
        .iter()
        .filter_map(|row| row.split_once(' '))
        .map(|(table, _)| table)
        .collect();
    assert_eq!(tables, ["daily_kpi_summaries", "segment_kpi_daily"]);

    // A whole day of sessions: the days after it lose returning users, and weeks and months lose active ones.
    let day = "started_at >= timestamptz '2026-03-03 00:00Z' and started_at < timestamptz '2026-03-04 00:00Z'";
    let restated = restated_by(&world, &format!("delete from user_sessions where {day}")).await;
    for row in [
        "daily_kpi_summaries 2026-03-03",
        "lifecycle_daily 2026-03-04",
        "active_user_buckets 2026-01-01 00:00:00+00",
        "active_user_buckets 2026-03-02 00:00:00+00",
    ] {
        assert!(restated.contains(row), "{row} is not among {restated:?}");
    }
    assert!(
        restated
            .iter()
            .all(|row| row.as_str() != "daily_kpi_summaries 2026-03-02"),
        "{restated:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_rows_of_facts_that_only_other_jobs_count_are_found_by_the_daily_run() {
    let world = empty_world().await;
    for job in [Job::Hourly, Job::Sessions] {
        let done = world.backfill_job(job, "2026-03-11", TOMORROW).await;
        done.unwrap_or_else(|error| panic!("{error}"));
    }
    let counted = async || {
        let queue = "select sum(queue_length) from hourly_metrics where \"timestamp\"::date = '2026-03-12'";
        let told = "select count(screens_viewed) from session_analytics where session_start::date = '2026-03-12'";
        let both = format!("select concat_ws(' ', ({queue}) > 0, ({told}) > 0)");
        world.ask(&both).await.unwrap()
    };
    assert_eq!(counted().await, "t t");
    world
        .change("delete from matching_queue; delete from session_telemetry")
        .await;
    world.wait(5);
    for job in [Job::Daily, Job::Hourly, Job::Sessions] {
        world.trigger(job).await.unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(counted().await, "f f");
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_moves_to_another_date_leaves_the_one_and_joins_the_other() {
    let world = world().await;
    let match_id = "(select m.id from matches m
        join users a on a.id = m.user_a_id and not a.is_internal join users b on b.id = m.user_b_id and not b.is_internal
        where m.created_at >= '2026-02-20' and m.created_at < '2026-03-10'
        order by m.created_at limit 1)";
    let moved = format!("update matches set created_at = '2026-03-11T12:00:00Z' where id = {match_id}");
    let restated = restated_by(&world, &moved).await;
    assert!(restated.contains("daily_kpi_summaries 2026-03-11"), "{restated:?}");
    assert_eq!(restated.len(), 2, "{restated:?}");

    let session = one("user_sessions", "started_at", "2026-03-04", "user_id");
    let moved = format!(
        "update user_sessions set started_at = started_at - interval '2 days', last_seen_at = last_seen_at - interval '2 days',
             ended_at = ended_at - interval '2 days', {NOW} where id = {session}"
    );
    let restated = restated_by(&world, &moved).await;
    for day in ["2026-03-02", "2026-03-04"] {
        assert!(restated.contains(&format!("daily_kpi_summaries {day}")), "{restated:?}");
    }
    let payment = "(select p.id from payments p join users u on u.id = p.user_id and not u.is_internal
        where p.status = 'succeeded' and p.kind = 'initial' and p.paid_at < '2026-03-08' order by p.paid_at desc limit 1)";
    let moved = format!("update payments set paid_at = '2026-03-09T12:00:00Z', {NOW} where id = {payment}");
    let restated = restated_by(&world, &moved).await;
    assert!(restated.contains("daily_kpi_summaries 2026-03-09"), "{restated:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_to_be_restated_is_named_and_waits_for_a_backfill() {
    let world = world().await;
    let before = world.versions().await;
    let session = one("user_sessions", "started_at", "2026-02-05", "user_id");
    let change =
        format!("update user_sessions set ended_at = started_at + interval '7 seconds', {NOW} where id = {session}");
    world.change(&change).await;
    world.wait(5);
    let run: Run = world
        .run(YESTERDAY, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.data_quality_checks["lateChanges"].to_string(), "[\"2026-02-05\"]");
    let rewritten = world.versions().await.into_iter();
    let rewritten: Vec<_> = rewritten.filter(|(key, row)| before.get(key) != Some(row)).collect();
    // The windows that end with the asked days hold what is known.
    assert!(
        rewritten.iter().all(|((table, _), _)| LONGER.contains(table)),
        "{rewritten:?}"
    );
    world.assert_sound().await;

    world
        .backfill("2026-02-05", TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    world.assert_sound().await;
    world.assert_equals(&world.clean(FROM, TOMORROW).await).await;
}
