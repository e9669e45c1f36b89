use kindred_model::Instant;
use kindred_warehouse::{ACTIVE_USER_BUCKETS, LIFECYCLE_DAILY, SEGMENT_KPI_DAILY, Scope};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, at, day, lifecycle, segment, window};

const NOW: &str = "2026-03-10T01:00:00Z";
const LATER: &str = "2026-03-10T02:00:00Z";

type Revision = (String, String, Instant, Value, Option<Value>, Uuid);

async fn revisions(database: &Database) -> Vec<Revision> {
    sqlx::query_as("select table_name, key, revised_at, before, after, run_id from kpi_revisions order by 1, 2, 3")
        .fetch_all(database.warehouse.pool())
        .await
        .unwrap()
}

fn scope() -> Scope {
    Scope::Days(vec![window("2026-03-08", "2026-03-10")])
}

#[tokio::test]
async fn a_restated_closed_day_leaves_what_it_was_and_what_it_became() {
    let database = Database::migrated().await;
    let rows = [lifecycle("2026-03-08", 1), lifecycle("2026-03-09", 2)];
    database.publish(&LIFECYCLE_DAILY, scope(), &rows, at(NOW)).await;
    assert!(revisions(&database).await.is_empty(), "a first figure revises nothing");

    let rows = [lifecycle("2026-03-08", 4), lifecycle("2026-03-09", 2)];
    let (run_id, _) = database.publish(&LIFECYCLE_DAILY, scope(), &rows, at(LATER)).await;
    assert_eq!(
        revisions(&database).await,
        [(
            "lifecycle_daily".to_owned(),
            "2026-03-08".to_owned(),
            at(LATER),
            lifecycle("2026-03-08", 1),
            Some(lifecycle("2026-03-08", 4)),
            run_id,
        )]
    );
}

#[tokio::test]
async fn a_closed_day_that_vanishes_leaves_what_it_was() {
    let database = Database::migrated().await;
    let rows = [lifecycle("2026-03-08", 1), lifecycle("2026-03-09", 2)];
    database.publish(&LIFECYCLE_DAILY, scope(), &rows, at(NOW)).await;
    database.publish(&LIFECYCLE_DAILY, scope(), &rows[1..], at(LATER)).await;
    let noted = revisions(&database).await;
    assert_eq!(noted.len(), 1);
    assert_eq!((&noted[0].3, &noted[0].4), (&lifecycle("2026-03-08", 1), &None));
}

#[tokio::test]
async fn rows_that_do_not_say_whether_they_are_complete_are_so_with_their_day() {
    let database = Database::migrated().await;
    for (date, is_partial) in [("2026-03-08", false), ("2026-03-09", true)] {
        sqlx::query(
            "insert into daily_kpi_summaries select $1::date, 1, 0, 0, 0, 0, null, 0, 0, 0, 0, 0, 0, 0, null, 0, 0, 0, 0,
                 0, 0, 0, 0, null, null, null, null, 0, 0, 0, 0, 0, 0, null, null, $2, gen_random_uuid(), now()",
        )
        .bind(day(date))
        .bind(is_partial)
        .execute(database.warehouse.pool())
        .await
        .unwrap();
    }
    let rows = ["2026-03-08", "2026-03-09"].map(|date| segment(date, "de"));
    database.publish(&SEGMENT_KPI_DAILY, scope(), &rows, at(NOW)).await;
    assert!(revisions(&database).await.is_empty(), "a first figure revises nothing");

    let mut restated = rows.clone();
    restated
        .iter_mut()
        .for_each(|row| row["active_users"] = json!(1_000_000));
    database
        .publish(&SEGMENT_KPI_DAILY, scope(), &restated, at(LATER))
        .await;
    let noted = revisions(&database).await;
    assert_eq!(noted.len(), 1, "the other day is not over");
    let (key, before, after) = (&noted[0].1, &noted[0].3, noted[0].4.as_ref().unwrap());
    assert_eq!(key, "2026-03-08/country/de");
    assert_eq!(
        (&before["active_users"], &after["active_users"]),
        (&json!(4), &json!(1_000_000))
    );
}

#[tokio::test]
async fn a_partial_row_may_change_and_close_without_a_revision() {
    let database = Database::migrated().await;
    let bucket = |active_users: i64, is_partial: bool| {
        json!({
            "granularity": "hourly", "bucket_start": "2026-03-09T23:00:00Z", "bucket_end": "2026-03-10T00:00:00Z",
            "active_users": active_users, "new_registrations": 0, "total_sessions": 1, "is_partial": is_partial,
        })
    };
    for (active_users, is_partial) in [(1, true), (2, true), (3, false)] {
        let rows = [bucket(active_users, is_partial)];
        database
            .publish(&ACTIVE_USER_BUCKETS, Scope::Keys, &rows, at(NOW))
            .await;
    }
    assert!(revisions(&database).await.is_empty());

    database
        .publish(&ACTIVE_USER_BUCKETS, Scope::Keys, &[bucket(5, false)], at(LATER))
        .await;
    let noted = revisions(&database).await;
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].1, "hourly/2026-03-09T23:00:00Z");
}
