//! A second way of computing: every cell that the daily job publishes, against plain PostgreSQL over the raw rows.
//!
//! `dirt.sql` puts into the sources what the definitions have a sentence for, `views.sql` reads them as the
//! definitions do, and one statement a table computes what must stand in it.

mod behavior;
mod bench;
mod funnels;
mod jobs;

use std::collections::BTreeSet;

use kindred_simulator::Population;
use kindred_testkit::at;
use kindred_warehouse::{
    ACTIVE_USER_BUCKETS, CONVERSION_FUNNELS, DAILY_KPI_SUMMARIES, FUNNEL_WINDOWS, LIFECYCLE_DAILY, MRR_MOVEMENTS_DAILY,
    REVENUE_METRICS, SEGMENT_KPI_DAILY, SESSION_EXITS_DAILY, SESSION_WINDOWS, SummaryTable,
};

use crate::support::world::{run_sql, simulated};
use crate::support::{Cells, World, differences};

const FROM: &str = "2025-12-05";
const TO: &str = "2026-03-16";

/// What the daily job publishes.
const DAILY_TABLES: [&SummaryTable; 10] = [
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
];

fn population() -> Population {
    Population {
        users: 300,
        days: 100,
        seed: 11,
        until: at("2026-03-15T10:30:00Z"),
    }
}

/// Dirty sources, and the days of `[from, to)` computed.
async fn world(from: &str, to: &str) -> World {
    let population = population();
    let world = World::new(&simulated(population).await, population.until).await;
    world.change(include_str!("dirt.sql")).await;
    run_sql(&world.source, include_str!("views.sql")).await;
    world.backfill(from, to).await.unwrap_or_else(|error| panic!("{error}"));
    world
}

/// What must stand in a table after the days of `[from, to)` were computed.
async fn expected(world: &World, table: &'static SummaryTable, from: &str, to: &str) -> Cells {
    let sql = match table.name {
        "daily_kpi_summaries" => include_str!("daily_kpi_summaries.sql"),
        "lifecycle_daily" => include_str!("lifecycle_daily.sql"),
        "segment_kpi_daily" => include_str!("segment_kpi_daily.sql"),
        "session_exits_daily" => include_str!("session_exits_daily.sql"),
        "active_user_buckets" => include_str!("active_user_buckets.sql"),
        "revenue_metrics" => include_str!("revenue_metrics.sql"),
        "mrr_movements_daily" => include_str!("mrr_movements_daily.sql"),
        "session_windows" => include_str!("session_windows.sql"),
        "hourly_metrics" => include_str!("hourly_metrics.sql"),
        "session_analytics" => include_str!("session_analytics.sql"),
        "retention_cohorts" => include_str!("retention_cohorts.sql"),
        "conversion_funnels" => include_str!("conversion_funnels.sql"),
        "funnel_windows" => include_str!("funnel_windows.sql"),
        other => panic!("{other} has no oracle: add tests/oracle/{other}.sql"),
    };
    let as_of = population().until.to_rfc3339();
    let sql = sql
        .replace("{from}", &format!("date '{from}'"))
        .replace("{to}", &format!("date '{to}'"))
        .replace("{as_of}", &format!("timestamptz '{as_of}'"));
    Cells::answered(&world.source, table, false, &sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_published_cell_is_what_plain_sql_computes_from_the_raw_rows() {
    let world = world(FROM, TO).await;
    let (mut wrong, mut cells) = (Vec::new(), 0);
    for table in DAILY_TABLES {
        let expected = expected(&world, table, FROM, TO).await;
        let published = Cells::published(&world.warehouse, table, false).await;
        cells += published.count();
        assert_says_something(table, &expected);
        let lines = differences(table, &published, &expected);
        let more = lines.len().saturating_sub(20);
        wrong.extend(lines.into_iter().take(20));
        if more > 0 {
            wrong.push(format!("{}: {more} more", table.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cells > 20_000, "only {cells} cells were compared");
    world.assert_sound().await;
}

/// The week of this day ends after the quarter does.
#[tokio::test(flavor = "multi_thread")]
async fn a_single_day_at_the_end_of_a_quarter_is_computed_from_all_that_its_buckets_hold() {
    let (from, to) = ("2025-12-31", "2026-01-01");
    let world = world(from, to).await;
    for table in DAILY_TABLES {
        let published = Cells::published(&world.warehouse, table, false).await;
        let lines = differences(table, &published, &expected(&world, table, from, to).await);
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}

/// A column that is the same in every row would be right by chance.
fn assert_says_something(table: &SummaryTable, cells: &Cells) {
    for column in table.figures() {
        let values: BTreeSet<_> = cells.rows.values().map(|row| &row[column.name]).collect();
        assert!(
            values.len() > 1,
            "{}.{} is {values:?} in every row: the history shows nothing",
            table.name,
            column.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_comparison_notices_every_kind_of_wrong_cell_and_row() {
    let population = population();
    let world = World::new(&simulated(population).await, population.until).await;
    world
        .run("2026-03-13", "2026-03-15")
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let table = &DAILY_KPI_SUMMARIES;
    let right = Cells::published(&world.warehouse, table, false).await;
    assert_eq!(differences(table, &right, &right), Vec::<String>::new());

    let mutations = [
        ("total_likes = total_likes + 1", "total_likes"),
        ("session_seconds = session_seconds * (1 + 1e-8)", "session_seconds"),
        ("total_revenue = total_revenue + 0.01", "total_revenue"),
        (
            "user_retention_day1 = user_retention_day1 + 1e-6",
            "user_retention_day1",
        ),
        ("total_reports = null", "total_reports"),
        ("is_partial = not is_partial", "is_partial"),
    ];
    for (mutation, column) in mutations {
        let sql = format!("update daily_kpi_summaries set {mutation} where date = '2026-03-14'");
        run_sql(&world.warehouse, "create table kept as table daily_kpi_summaries").await;
        run_sql(&world.warehouse, &sql).await;
        let wrong = Cells::published(&world.warehouse, table, false).await;
        let lines = differences(table, &wrong, &right);
        assert_eq!(lines.len(), 1, "{mutation}: {lines:?}");
        let named = format!("daily_kpi_summaries 2026-03-14, {column}: ");
        assert!(lines[0].starts_with(&named), "{lines:?}");
        let restore = "truncate daily_kpi_summaries; insert into daily_kpi_summaries table kept; drop table kept";
        run_sql(&world.warehouse, restore).await;
    }

    run_sql(
        &world.warehouse,
        "delete from daily_kpi_summaries where date = '2026-03-13'",
    )
    .await;
    let less = Cells::published(&world.warehouse, table, false).await;
    let key = "daily_kpi_summaries 2026-03-13";
    assert_eq!(
        differences(table, &less, &right),
        [format!("{key}: this row is missing")]
    );
    assert_eq!(
        differences(table, &right, &less),
        [format!("{key}: this row should not be")]
    );
}
