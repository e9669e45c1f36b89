//! Rows that lack what they must have are left out, counted and told of, and taken when the source has mended them.

use kindred_model::RunStatus;
use kindred_warehouse::{Alert, AlertFilter, Severity};

use super::{TOMORROW, YESTERDAY, empty_world};
use crate::support::World;

/// Every third of March's sessions has never been seen; the share of all of them in per cent.
async fn unseen(world: &World) -> f64 {
    world
        .change(
            "alter table user_sessions alter last_seen_at drop not null;
             create table seen as select id, last_seen_at from user_sessions;
             update user_sessions set last_seen_at = null, updated_at = updated_at + interval '1 second' where id in (
                 select id from (select id, row_number() over (order by id) as n from user_sessions
                     where started_at >= '2026-03-01') as of_march
                 where n % 3 = 0)",
        )
        .await;
    let share = "select (100.0 * count(*) filter (where last_seen_at is null) / count(*))::float8 from user_sessions";
    sqlx::query_scalar(share).fetch_one(world.source.pool()).await.unwrap()
}

async fn of_check(world: &World, check: &str) -> Vec<Alert> {
    let mut alerts = world.platform.warehouse.alerts(&AlertFilter::default()).await.unwrap();
    alerts.retain(|alert| alert.key.check == check);
    alerts
}

async fn run(world: &World) -> kindred_warehouse::Run {
    world.wait(5);
    let run = world.run(YESTERDAY, TOMORROW).await;
    run.unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)))
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_without_a_required_column_are_left_out_until_they_have_it_and_an_alert_says_so() {
    let world = empty_world().await;
    let share = unseen(&world).await;
    assert!((5.0..20.0).contains(&share), "{share}");
    assert_eq!(run(&world).await.status, RunStatus::Completed);
    world.assert_sound().await;
    let found = of_check(&world, "required_column").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].severity, found[0].key.table.as_str()),
        (Severity::High, "user_sessions")
    );
    assert_eq!(found[0].key.column.as_deref(), Some("last_seen_at"));
    assert!((found[0].actual.unwrap() - share).abs() < 1e-6, "{:?}", found[0]);
    let whole = "select count(*)::text from user_sessions where last_seen_at is not null";
    let whole: String = sqlx::query_scalar(whole).fetch_one(world.source.pool()).await.unwrap();
    let taken = "select sum(rows)::text from lake_partitions where dataset = 'facts/user_sessions'";
    assert_eq!(world.ask(taken).await, Some(whole));

    // They are not looked for again while nothing changes.
    let idle = run(&world).await;
    assert_eq!(idle.steps[0]["detail"]["user_sessions"]["partitionsReplaced"], 0);

    let mended = "update user_sessions s set last_seen_at = seen.last_seen_at, updated_at = '2026-03-15T10:42:00Z'
        from seen where seen.id = s.id and s.last_seen_at is null";
    world.change(mended).await;
    run(&world).await;
    world.assert_equals(&world.clean(YESTERDAY, TOMORROW).await).await;
    assert!(
        of_check(&world, "required_column").await[0].is_resolved,
        "missing data is there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_cannot_be_read_or_are_ahead_of_their_arrival_are_told_of() {
    let world = empty_world().await;
    world
        .change(
            "insert into behavior_events (event_id, anonymous_id, event_name, event_time, received_at) values
             ('ahead', 'a device', 'tap', '2026-03-17T00:00:00Z', '2026-03-14T10:00:00Z'),
             ('unreadable', 'a device', repeat('x', 600), '2026-03-14T10:00:00Z', '2026-03-14T10:00:00Z')",
        )
        .await;
    run(&world).await;
    for (check, words) in [("readable", "1 of "), ("not_ahead_of_arrival", "a clock is wrong")] {
        let found = of_check(&world, check).await;
        assert_eq!(found.len(), 1, "{check}");
        assert_eq!(
            (found[0].severity, found[0].key.table.as_str()),
            (Severity::Low, "events")
        );
        assert!(found[0].message.contains(words), "{}", found[0].message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_table_without_a_name_is_told_of_and_stops_no_run() {
    let world = empty_world().await;
    world
        .change(
            "alter table behavior_events alter event_name drop not null;
             insert into behavior_events (event_id, anonymous_id, event_name, event_time, received_at) values
             ('nameless', 'a device', null, '2026-03-14T10:00:00Z', '2026-03-14T10:00:00Z')",
        )
        .await;
    assert_eq!(run(&world).await.status, RunStatus::Completed);
    assert_eq!(world.events("nameless").await, 0);
    let found = of_check(&world, "required_column").await;
    let [alert] = &found[..] else { panic!("{found:?}") };
    let of = (alert.key.table.as_str(), alert.key.column.as_deref());
    assert_eq!((of, alert.severity), (("events", Some("event_name")), Severity::Low));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_the_instant_of_its_partition_stops_no_run() {
    let world = empty_world().await;
    run(&world).await;
    world
        .change(
            "alter table user_sessions alter started_at drop not null;
             update user_sessions set started_at = null, updated_at = '2026-03-15T10:36:00Z'
             where id = (select id from user_sessions order by started_at desc limit 1)",
        )
        .await;
    assert_eq!(run(&world).await.status, RunStatus::Completed);
    world.assert_sound().await;
}
