//! Runs that end in the middle, and lakes that lose files: the next run puts everything right.

use std::fs;

use kindred_model::{Job, RunStatus};
use kindred_testkit::at;
use kindred_warehouse::SUMMARY_TABLES;

use super::{FROM, world};
use crate::support::world::run_sql;
use crate::support::{Cells, World, differences};

/// What the next run finds: a new day, and a payment of last week that was refunded.
async fn time_passes(world: &World) {
    world.platform.clock.set(at("2026-03-16T03:00:00Z"));
    world
        .change(
            "update payments set status = 'refunded', refunded_at = '2026-03-10T09:00:00Z', refunded_amount = null,
                 updated_at = '2026-03-15T23:00:00Z'
             where status = 'succeeded' and paid_at > '2026-03-01' and paid_at < '2026-03-10';
             update user_sessions set ended_at = started_at + interval '90 seconds', updated_at = '2026-03-15T23:00:00Z'
             where started_at >= '2026-03-06' and started_at < '2026-03-07'",
        )
        .await;
}

async fn next_run_puts_it_right(world: &World) {
    world.wait(5);
    let run = world
        .run("2026-03-15", "2026-03-17")
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.status, RunStatus::Completed);
    world.assert_sound().await;
    world.assert_equals(&world.clean(FROM, "2026-03-17").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_refuses_the_files_publishes_nothing_and_the_next_run_succeeds() {
    let world = world().await;
    let rows = world.versions().await;
    time_passes(&world).await;
    // A file where a folder must be: the last table of the run cannot take its place.
    let obstacle = world.lake().join("kpi/lifecycle_daily/date=2026-03-16");
    assert!(!obstacle.exists());
    fs::write(&obstacle, "in the way").unwrap();
    let error = world.run("2026-03-15", "2026-03-17").await.unwrap_err();
    assert!(error.to_string().contains("nothing was published"), "{error}");
    let run = world.platform.warehouse.latest_run(Job::Daily).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Failed);
    let message = run.error_message.unwrap_or_default();
    assert!(message.contains("lifecycle_daily"), "{message}");
    assert!(world.versions().await == rows, "rows were published");

    fs::remove_file(&obstacle).unwrap();
    next_run_puts_it_right(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_files_and_the_commit_is_repaired_by_the_next_run() {
    let world = world().await;
    let tables: Vec<_> = SUMMARY_TABLES
        .iter()
        .map(|table| table.name)
        .chain(["lake_partitions", "source_watermarks", "kpi_revisions"])
        .collect();
    let keep: String = tables
        .iter()
        .map(|table| format!("create table kept.{table} as table {table};"))
        .collect();
    run_sql(&world.warehouse, &format!("create schema kept; {keep}")).await;
    time_passes(&world).await;
    let run = world
        .run("2026-03-15", "2026-03-17")
        .await
        .unwrap_or_else(|error| panic!("{error}"));

    // The lake stays ahead; the warehouse never heard of it, and the run seems to go on.
    let restore: String = tables
        .iter()
        .map(|table| format!("truncate {table}; insert into {table} table kept.{table};"))
        .collect();
    run_sql(&world.warehouse, &restore).await;
    let running = format!(
        "update etl_job_runs set status = 'running', end_time = null, error_message = null where id = '{}'",
        run.id
    );
    run_sql(&world.warehouse, &running).await;
    next_run_puts_it_right(&world).await;
    let crashed = world.platform.warehouse.run(run.id).await.unwrap().unwrap();
    assert_eq!(crashed.status, RunStatus::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_the_lake_has_lost_are_read_again() {
    let world = world().await;
    fs::remove_dir_all(world.lake().join("facts/payments")).unwrap();
    fs::remove_dir_all(world.lake().join("facts/user_sessions/date=2026-02-20")).unwrap();
    fs::remove_dir_all(world.lake().join("state")).unwrap();
    time_passes(&world).await;
    next_run_puts_it_right(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_is_lost_whole_is_filled_again_by_a_backfill() {
    let world = world().await;
    fs::remove_dir_all(world.lake()).unwrap();
    fs::create_dir(world.lake()).unwrap();
    time_passes(&world).await;
    world
        .backfill(FROM, "2026-03-17")
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    // Rows that stand in the warehouse as they are keep their run there.
    for table in SUMMARY_TABLES {
        let published = Cells::published(&world.warehouse, table, false).await;
        assert_eq!(
            differences(table, &world.mirrored(table, false).await, &published),
            Vec::<String>::new()
        );
    }
    world.assert_equals(&world.clean(FROM, "2026-03-17").await).await;
}
