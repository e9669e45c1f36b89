//! The same for what the hourly, weekly and sessions jobs publish.

use kindred_extract::UserKeys;
use kindred_model::Job;
use kindred_warehouse::{
    BEHAVIOR_ROLLUPS, HOURLY_METRICS, RETENTION_COHORTS, SESSION_ANALYTICS, SummaryTable, USER_BEHAVIOR_EVENTS,
};

use super::behavior::name_keys;
use super::{assert_says_something, expected, population};
use crate::support::world::{run_sql, simulated};
use crate::support::{Cells, World, differences};

const FROM: &str = "2026-02-20";
const TO: &str = "2026-03-16";

/// Dirty sources whose events say nothing beside their columns: properties are what extraction makes of them.
async fn world() -> World {
    let population = population();
    let world = World::new(&simulated(population).await, population.until).await;
    world.change(include_str!("dirt.sql")).await;
    world.change("update behavior_events set properties = '{}'").await;
    run_sql(&world.source, include_str!("views.sql")).await;
    world
        .change("create table oracle.user_keys (id uuid primary key, user_key bigint not null)")
        .await;
    name_keys(&world.source, &UserKeys::new("a secret for tests alone").unwrap()).await;
    world
}

/// Computes the days by a backfill of the job, and what is open by a run without a date.
async fn compute(world: &World, job: Job) {
    let done = world.backfill_job(job, FROM, TO).await;
    done.unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)));
    let done = world.trigger(job).await;
    done.unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)));
}

fn assert_same(table: &SummaryTable, published: &Cells, expected: &Cells, least: usize) {
    let lines = differences(table, published, expected);
    let shown = lines.len().min(20);
    assert!(lines.is_empty(), "{}\n{} lines", lines[..shown].join("\n"), lines.len());
    assert!(
        published.count() > least,
        "only {} cells were compared",
        published.count()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hour_is_what_plain_sql_computes_from_the_raw_rows() {
    let world = world().await;
    compute(&world, Job::Hourly).await;
    let (found, wanted) = (
        Cells::published(&world.warehouse, &HOURLY_METRICS, false).await,
        expected(&world, &HOURLY_METRICS, FROM, TO).await,
    );
    assert_says_something(&HOURLY_METRICS, &wanted);
    assert_same(&HOURLY_METRICS, &found, &wanted, 3_000);

    // Every midnight, and the last closed hour.
    let instants = "select count(distinct as_of) || ' ' || max(as_of at time zone 'UTC') from behavior_rollups";
    assert_eq!(world.ask(instants).await.as_deref(), Some("24 2026-03-15 10:00:00"));
    for (as_of, least) in [("2026-03-15T10:00:00Z", 4_000), ("2026-03-02T00:00:00Z", 3_000)] {
        let sql = include_str!("behavior_rollups.sql").replace("{rollup_as_of}", &format!("timestamptz '{as_of}'"));
        let wanted = Cells::answered(&world.source, &BEHAVIOR_ROLLUPS, false, &sql).await;
        let published = format!("select * from behavior_rollups where as_of = '{as_of}'");
        let found = Cells::answered(&world.warehouse, &BEHAVIOR_ROLLUPS, false, &published).await;
        assert_same(&BEHAVIOR_ROLLUPS, &found, &wanted, least);
    }

    let sql = include_str!("user_behavior_events.sql")
        .replace("{from}", &format!("timestamptz '{FROM}T00:00:00Z'"))
        .replace("{to}", &format!("timestamptz '{TO}T00:00:00Z'"));
    let wanted = Cells::answered(&world.source, &USER_BEHAVIOR_EVENTS, false, &sql).await;
    let found = Cells::published(&world.warehouse, &USER_BEHAVIOR_EVENTS, false).await;
    assert_same(&USER_BEHAVIOR_EVENTS, &found, &wanted, 50_000);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_is_what_plain_sql_finds_in_the_raw_rows() {
    let world = world().await;
    compute(&world, Job::Sessions).await;
    let wanted = expected(&world, &SESSION_ANALYTICS, FROM, TO).await;
    assert_says_something(&SESSION_ANALYTICS, &wanted);
    let found = Cells::published(&world.warehouse, &SESSION_ANALYTICS, false).await;
    assert_same(&SESSION_ANALYTICS, &found, &wanted, 3_000);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cohort_is_what_plain_sql_finds_in_the_raw_rows() {
    let world = world().await;
    compute(&world, Job::Weekly).await;
    // The cohorts of thirteen weeks, up to the current one.
    let wanted = expected(&world, &RETENTION_COHORTS, "2025-11-24", TO).await;
    assert_says_something(&RETENTION_COHORTS, &wanted);
    let found = Cells::published(&world.warehouse, &RETENTION_COHORTS, false).await;
    assert_same(&RETENTION_COHORTS, &found, &wanted, 500);
    world.assert_sound().await;
}
