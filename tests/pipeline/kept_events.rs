//! Events are kept for so many days and no longer: in the lake by `EVENTS_LAKE_DAYS`.

use std::sync::Arc;

use kindred_model::Job;
use kindred_warehouse::SUMMARY_TABLES;

use super::{FROM, TOMORROW, YESTERDAY, world};
use crate::support::{Cells, World, differences};

/// The first day of the last three.
const KEPT_SINCE: &str = "2026-03-13";

/// The days of a dataset that the lake has.
async fn days(world: &World, dataset: &str) -> Vec<String> {
    let known = world.platform.warehouse.partitions(Some(dataset)).await.unwrap();
    let mut days: Vec<_> = known
        .into_iter()
        .map(|known| known.partition[5..15].to_owned())
        .collect();
    days.dedup();
    days
}

async fn published(world: &World) -> Vec<Cells> {
    let mut all = Vec::new();
    for table in SUMMARY_TABLES {
        all.push(Cells::published(&world.warehouse, table, true).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn events_older_than_what_is_kept_leave_the_lake_and_no_figure_changes_by_that() {
    let mut world = world().await;
    world.backfill_job(Job::Hourly, "2026-03-13", TOMORROW).await.unwrap();
    assert!(days(&world, "facts/events").await.len() > 30);
    let before = published(&world).await;

    Arc::get_mut(&mut world.platform).unwrap().settings.events_lake_days = Some(3);
    world.wait(5);
    world.run(YESTERDAY, TOMORROW).await.unwrap();
    let kept = ["2026-03-13", "2026-03-14", "2026-03-15"];
    assert_eq!(days(&world, "facts/events").await, kept);
    for state in ["state/event_ids", "state/event_counts"] {
        assert!(
            days(&world, state).await.iter().all(|day| day.as_str() >= KEPT_SINCE),
            "{state}"
        );
    }
    let folders = std::fs::read_dir(world.lake().join("facts/events")).unwrap();
    assert_eq!(folders.count(), 3, "no empty folders are left");
    world.assert_sound().await;

    // Neither read again, nor computed from what is not there any more.
    world.wait(5);
    let again = world.trigger(Job::Hourly).await.unwrap();
    assert_eq!(again.data_quality_checks["events"]["taken"], 0);
    world.backfill(FROM, TOMORROW).await.unwrap();
    world.backfill_job(Job::Hourly, FROM, TOMORROW).await.unwrap();
    assert_eq!(days(&world, "facts/events").await, kept);
    world.assert_sound().await;
    for ((table, was), is) in SUMMARY_TABLES.iter().zip(before).zip(published(&world).await) {
        let closed = |cells: Cells| {
            let rows = cells
                .rows
                .into_iter()
                .filter(|(key, _)| !key.iter().any(|part| part.starts_with("2026-03-15")));
            Cells {
                rows: rows
                    .map(|(key, mut row)| {
                        row.retain(|column, _| !["run_id", "computed_at"].contains(column));
                        (key, row)
                    })
                    .collect(),
            }
        };
        // What the hours have that no hourly run had computed yet may be more.
        let (was, mut is) = (closed(was), closed(is));
        is.rows.retain(|key, _| was.rows.contains_key(key));
        assert_eq!(differences(table, &is, &was), Vec::<String>::new(), "{}", table.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_older_than_what_is_kept_is_counted_and_not_taken() {
    let mut world = world().await;
    Arc::get_mut(&mut world.platform).unwrap().settings.events_lake_days = Some(3);
    world
        .change(
            "insert into behavior_events (event_id, anonymous_id, event_name, event_time, received_at) values
             ('too old', 'a device', 'tap', '2026-03-12T23:59:59Z', '2026-03-15T10:31:00Z'),
             ('just kept', 'a device', 'tap', '2026-03-13T00:00:00Z', '2026-03-15T10:31:00Z')",
        )
        .await;
    world.wait(5);
    let run = world.trigger(Job::Hourly).await.unwrap();
    assert_eq!((world.events("too old").await, world.events("just kept").await), (0, 1));
    assert_eq!(run.data_quality_checks["events"]["expired"], 1);
}
