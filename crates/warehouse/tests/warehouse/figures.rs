//! Every type of figure arrives as it was.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, RecordBatch, StringArray};
use kindred_model::DayWindow;
use kindred_warehouse::{DAILY_KPI_SUMMARIES, Publication, SEGMENT_KPI_DAILY, Scope, TableChange};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, at, batch, day, days, publication, published, segment};

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
