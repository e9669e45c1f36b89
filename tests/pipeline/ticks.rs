//! Days that pass: the clock moves on, and the sources with it.

use kindred_model::{Instant, RunStatus};
use kindred_testkit::at;

use super::{empty_world, population};
use crate::support::World;

/// Puts the history aside, so that the sources can be filled with what they held at an instant.
const PUT_ASIDE: &str = include_str!("put_aside.sql");

/// Fills the sources with what they held at `{now}`.
const AS_OF: &str = include_str!("as_of.sql");

async fn live_until(world: &World, now: Instant) {
    world.platform.clock.set(now);
    world
        .change(&AS_OF.replace("{now}", &format!("timestamptz '{}'", now.to_rfc3339())))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_days_run_as_they_pass_give_what_one_backfill_gives() {
    let world = empty_world().await;
    world.change(PUT_ASIDE).await;
    for day in 1..=15 {
        live_until(&world, at(&format!("2026-03-{day:02}T02:00:00Z"))).await;
        let today = format!("2026-03-{day:02}");
        let yesterday = if day == 1 {
            "2026-02-28".to_owned()
        } else {
            format!("2026-03-{:02}", day - 1)
        };
        let tomorrow = format!("2026-03-{:02}", day + 1);
        let run = world
            .run(&yesterday, &tomorrow)
            .await
            .unwrap_or_else(|error| panic!("{today}: {error}"));
        assert_eq!(run.status, RunStatus::Completed);
    }
    world.assert_sound().await;
    world
        .assert_equals(&world.clean("2026-02-28", "2026-03-16").await)
        .await;

    // The sources are read again in the course of the day.
    live_until(&world, population().until).await;
    world
        .run("2026-03-15", "2026-03-16")
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    world.assert_sound().await;
    world
        .assert_equals(&world.clean("2026-02-28", "2026-03-16").await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_day_becomes_a_complete_one_when_it_is_over() {
    let world = empty_world().await;
    let partial = "select string_agg(is_partial::text, ' ') from daily_kpi_summaries where date = '2026-03-15'";
    let hours = "select count(*)::text from active_user_buckets
        where granularity = 'hourly' and bucket_start >= '2026-03-15' and bucket_start < '2026-03-16' and";
    let (begun, open) = (format!("{hours} true"), format!("{hours} is_partial"));

    world
        .run("2026-03-14", "2026-03-16")
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(world.ask(partial).await.as_deref(), Some("true"));
    assert_eq!(world.ask(&begun).await.as_deref(), Some("11"));
    assert_eq!(world.ask(&open).await.as_deref(), Some("1"));

    world.platform.clock.set(at("2026-03-16T00:00:00Z"));
    world
        .run("2026-03-15", "2026-03-16")
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(world.ask(partial).await.as_deref(), Some("false"));
    assert_eq!(world.ask(&begun).await.as_deref(), Some("24"));
    assert_eq!(world.ask(&open).await.as_deref(), Some("0"));
    world.assert_sound().await;
    world
        .assert_equals(&world.clean("2026-03-14", "2026-03-16").await)
        .await;
}
