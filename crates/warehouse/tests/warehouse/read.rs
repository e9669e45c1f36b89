use kindred_model::Granularity;

use crate::support::{Database, at, day};

/// Days of `daily_kpi_summaries` that hold 0 but for their actives.
async fn days(database: &Database, days: &[(&str, i64, bool)]) {
    for (date, active_users, is_partial) in days {
        sqlx::query(
            "insert into daily_kpi_summaries select $1::date, $2, 0, 0, 0, 0, null, 0, 0, 0, 0, 0, 0, 0, null, 0, 0, 0, 0,
                 0, 0, 0, 0, null, null, null, null, 0, 0, 0, 0, 0, 0, null, null, $3, gen_random_uuid(), now()",
        )
        .bind(day(date))
        .bind(active_users)
        .bind(is_partial)
        .execute(database.warehouse.pool())
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn an_empty_warehouse_has_no_overview() {
    let overview = Database::migrated().await.warehouse.overview(30).await.unwrap();
    assert_eq!(
        (overview.latest.is_none(), overview.days.len(), overview.as_of),
        (true, 0, None)
    );
}

#[tokio::test]
async fn the_days_asked_for_end_with_the_latest_complete_one_and_have_the_day_before_them() {
    let database = Database::migrated().await;
    days(
        &database,
        &[
            ("2026-01-28", 1, false),
            ("2026-01-29", 2, false),
            ("2026-01-30", 3, false),
            ("2026-02-27", 4, true),
            ("2026-02-28", 5, false),
            ("2026-03-01", 6, true),
        ],
    )
    .await;
    let overview = database.warehouse.overview(30).await.unwrap();
    assert_eq!(overview.latest.as_ref().map(|day| day.total_active_users), Some(6));
    let days: Vec<_> = overview
        .days
        .iter()
        .map(|day| (day.total_active_users, day.is_partial))
        .collect();
    assert_eq!(days, [(2, false), (3, false), (4, true), (5, false)]);
}

#[tokio::test]
async fn buckets_are_those_that_start_in_the_window() {
    let database = Database::migrated().await;
    sqlx::query(
        "insert into active_user_buckets
         select 'daily', start, start + interval '1 day', 7, 1, 9, start >= '2026-03-04 00:00+00', gen_random_uuid(), now()
         from generate_series(timestamptz '2026-03-01 00:00+00', '2026-03-05 00:00+00', interval '1 day') as start",
    )
    .execute(database.warehouse.pool())
    .await
    .unwrap();
    let warehouse = &database.warehouse;
    let (from, to) = (at("2026-03-02T00:00:00Z"), at("2026-03-05T00:00:00Z"));
    let buckets = warehouse
        .active_user_buckets(Granularity::Daily, from, to)
        .await
        .unwrap();
    let starts: Vec<_> = buckets
        .iter()
        .map(|bucket| (bucket.bucket_start, bucket.is_partial))
        .collect();
    assert_eq!(
        starts,
        [
            (from, false),
            (at("2026-03-03T00:00:00Z"), false),
            (at("2026-03-04T00:00:00Z"), true)
        ]
    );
    assert!(
        warehouse
            .active_user_buckets(Granularity::Hourly, from, to)
            .await
            .unwrap()
            .is_empty()
    );
    let latest = warehouse.latest_complete_bucket(Granularity::Daily).await.unwrap();
    assert_eq!(latest, Some(at("2026-03-03T00:00:00Z")));
    assert!(!warehouse.has_no_buckets().await.unwrap());
}
