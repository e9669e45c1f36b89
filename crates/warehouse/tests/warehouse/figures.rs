//! Every type of figure arrives as it was.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use kindred_model::DayWindow;
use kindred_warehouse::{
    DAILY_KPI_SUMMARIES, LIFECYCLE_DAILY, Publication, PublishError, SEGMENT_KPI_DAILY, Scope, TableChange,
    WarehouseError,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, Never, at, batch, day, days, lifecycle, publication, published, segment};

const NOW: &str = "2026-03-10T01:00:00Z";

#[tokio::test]
async fn nulls_counts_rates_money_instants_and_ids_arrive_as_they_were() {
    let database = Database::migrated().await;
    let mut row = serde_json::Map::new();
    for (number, column) in DAILY_KPI_SUMMARIES.figures().enumerate() {
        row.insert(column.name.to_owned(), json!(number));
    }
    row.extend([
        ("date".to_owned(), json!("2024-02-29")),
        ("total_active_users".to_owned(), json!(i64::MAX)),
        ("avg_session_duration".to_owned(), json!(1_110.123_456_789_012)),
        ("total_revenue".to_owned(), json!(1250.5)),
        ("conversion_to_subscription".to_owned(), json!(100.0 / 3.0)),
        ("user_retention_day7".to_owned(), Value::Null),
        ("total_reports".to_owned(), Value::Null),
        ("is_partial".to_owned(), json!(false)),
    ]);
    let (run_id, _) = database
        .publish(
            &DAILY_KPI_SUMMARIES,
            days("2024-02-29", "2024-03-01"),
            &[Value::Object(row)],
            at(NOW),
        )
        .await;
    let stored: Value = database.one("select to_jsonb(d) from daily_kpi_summaries d").await;
    assert_eq!(stored["date"], "2024-02-29");
    assert_eq!(stored["total_active_users"], json!(i64::MAX));
    assert_eq!(stored["avg_session_duration"], json!(1_110.123_456_789_012));
    assert_eq!(stored["total_revenue"], json!(1250.5));
    assert_eq!(stored["conversion_to_subscription"], json!(33.333_333_333_333_3));
    assert_eq!(
        (&stored["user_retention_day7"], &stored["total_reports"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(stored["run_id"], json!(run_id));
    assert_eq!(
        database
            .one::<kindred_model::Instant>("select computed_at from daily_kpi_summaries")
            .await,
        at(NOW)
    );
    // Every figure has a number of its own: none changed places with another.
    for (number, column) in DAILY_KPI_SUMMARIES.figures().enumerate() {
        let touched = [
            "total_active_users",
            "avg_session_duration",
            "total_revenue",
            "conversion_to_subscription",
        ];
        if !touched.contains(&column.name) && stored[column.name].is_i64() {
            assert_eq!(stored[column.name], json!(number), "{}", column.name);
        }
    }
}

#[tokio::test]
async fn decimals_are_exact_and_a_run_id_may_be_text() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, DayWindow::day(day("2026-03-09")), at(NOW))
        .await;
    let rows = batch(&SEGMENT_KPI_DAILY, run_id, at(NOW), &[segment("2026-03-09", "de")]);
    let money = Decimal128Array::from(vec![12_345_678_901_234_567_890_123_456_i128]).with_precision_and_scale(38, 6);
    let rows = replaced(&rows, "total_revenue", Arc::new(money.unwrap()));
    let rows = replaced(&rows, "run_id", Arc::new(StringArray::from(vec![run_id.to_string()])));
    let change = TableChange {
        table: &SEGMENT_KPI_DAILY,
        rows: vec![rows].into(),
        scope: Scope::Keys,
    };
    published(
        &database,
        &Publication {
            tables: vec![change],
            ..publication(run_id, owner, at(NOW))
        },
    )
    .await;
    let money: Decimal = database.one("select total_revenue from segment_kpi_daily").await;
    assert_eq!(money.to_string(), "12345678901234567890.123456");
    assert_eq!(
        database.one::<Uuid>("select run_id from segment_kpi_daily").await,
        run_id
    );
}

/// Up to thousands go in one statement, more by COPY.
#[tokio::test]
async fn figures_are_the_same_however_many_rows_there_are() {
    for count in [5_i64, 5_000] {
        let database = Database::migrated().await;
        let segments = (0..count).map(|number| {
            let mut row = segment("2026-03-09", &format!("country {number}"));
            row["total_revenue"] = json!(number as f64 / 3.0);
            row["total_messages"] = if number % 2 == 0 { json!(number) } else { Value::Null };
            row
        });
        let (scope, segments) = (days("2026-03-09", "2026-03-10"), segments.collect::<Vec<_>>());
        let changed = database.publish(&SEGMENT_KPI_DAILY, scope, &segments, at(NOW)).await.1;
        assert_eq!(i64::try_from(changed), Ok(count));
        let wrong: i64 = database
            .one(
                "select count(*) from (
                     select *, substr(value, 9)::bigint as number from segment_kpi_daily
                 ) s where (date, dimension, total_messages, session_seconds, total_revenue) is distinct from
                     ('2026-03-09', 'country', case when number % 2 = 0 then number end, 90.5, (number / 3.0::float8)::numeric)",
            )
            .await;
        assert_eq!(wrong, 0);

        // None of them is money: no cast is needed.
        let first = day("2026-03-09");
        let dates = first.iter_days().take(count.try_into().unwrap());
        let lives = dates
            .zip(0..)
            .map(|(date, number)| lifecycle(&date.to_string(), number));
        let (scope, lives) = (Scope::Keys, lives.collect::<Vec<_>>());
        let changed = database.publish(&LIFECYCLE_DAILY, scope, &lives, at(NOW)).await.1;
        assert_eq!(i64::try_from(changed), Ok(count));
        let wrong: i64 = database
            .one(
                "select count(*) from lifecycle_daily
                 where (new_active, \"returning\", resurrected, dormant, is_partial, computed_at) is distinct from
                     (date - date '2026-03-09', 5, 2, 1, false, timestamptz '2026-03-10T01:00:00Z')",
            )
            .await;
        assert_eq!(wrong, 0);
    }
}

/// A figure that is no number of its column stops the publication, few rows or many.
#[tokio::test]
async fn a_missing_figure_is_refused_however_many_rows_there_are() {
    for count in [5, 5_000] {
        let database = Database::migrated().await;
        let owner = Uuid::new_v4();
        let run_id = database
            .running(owner, DayWindow::day(day("2026-03-09")), at(NOW))
            .await;
        let mut lives = vec![lifecycle("2026-03-09", 1); count];
        for (date, life) in day("2026-03-09").iter_days().zip(&mut lives) {
            life["date"] = json!(date);
        }
        lives[count - 1]["new_active"] = Value::Null;
        let publication = Publication {
            tables: vec![TableChange {
                table: &LIFECYCLE_DAILY,
                rows: vec![batch(&LIFECYCLE_DAILY, run_id, at(NOW), &lives)].into(),
                scope: Scope::Keys,
            }],
            ..publication(run_id, owner, at(NOW))
        };
        let refused = database
            .warehouse
            .publish(&publication, async || Ok::<_, Never>(()))
            .await;
        let said = format!("{:?}", refused.unwrap_err());
        assert!(said.contains("new_active"), "{said}");
        assert_eq!(database.one::<i64>("select count(*) from lifecycle_daily").await, 0);
    }
}

/// A day or an instant in a year that nobody can tell is no null: it is refused, by its column.
#[tokio::test]
async fn what_lies_beyond_all_calendars_is_refused_by_its_column() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, DayWindow::day(day("2026-03-09")), at(NOW))
        .await;
    let rows = batch(&LIFECYCLE_DAILY, run_id, at(NOW), &[lifecycle("2026-03-09", 3)]);
    let far = TimestampMicrosecondArray::from(vec![i64::MAX]).with_timezone("UTC");
    let beyond: [(&str, ArrayRef); 2] = [
        ("date", Arc::new(Date32Array::from(vec![i32::MAX]))),
        ("computed_at", Arc::new(far)),
    ];
    for (column, values) in beyond {
        let change = TableChange {
            table: &LIFECYCLE_DAILY,
            rows: vec![replaced(&rows, column, values)].into(),
            scope: Scope::Keys,
        };
        let publication = Publication {
            tables: vec![change],
            ..publication(run_id, owner, at(NOW))
        };
        let refused = database
            .warehouse
            .publish(&publication, async || Ok::<_, Never>(()))
            .await
            .unwrap_err();
        let PublishError::Warehouse(WarehouseError::Encode { table, source }) = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!(*table, "lifecycle_daily");
        assert!(
            source.to_string().starts_with(&format!("column {column}: ")),
            "{source}"
        );
        assert_eq!(database.one::<i64>("select count(*) from lifecycle_daily").await, 0);
    }
}

fn replaced(rows: &RecordBatch, name: &str, array: ArrayRef) -> RecordBatch {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns());
    let columns = columns.map(|(field, column)| {
        (
            field.name().clone(),
            if field.name() == name {
                array.clone()
            } else {
                column.clone()
            },
        )
    });
    RecordBatch::try_from_iter(columns).unwrap()
}
