//! Answers of more rows than their plan has memory for.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};

use super::{Bench, cases_of, library};

/// Rows that arrive, of about 300 bytes each: 120 MB.
const ARRIVED: usize = 400_000;

/// Bytes that plans may hold: two thirds of what two joins would that hold what arrives, and enough for its ids and some
/// batches of each sort. With half, it is a matter of luck which sort finds room first.
const MEMORY: usize = 160 << 20;

/// The first read of a platform brings its whole history.
#[tokio::test(flavor = "multi_thread")]
async fn more_events_arrive_than_memory_holds() {
    let query = library().get("events/fresh_events").unwrap().clone();
    let mut case = cases_of(&query).swap_remove(0);
    let incoming = case.tables.get_mut("incoming_events").unwrap();
    *incoming = arrived(incoming);
    let bench = Bench::with(&case, 2, MEMORY).await;
    let rows = bench.session.query(&query, &case.params).await.unwrap();
    // The first of them arrives twice.
    assert_eq!(rows.len(), ARRIVED - 1);
}

/// Many events with the columns of these, in a file, as a run has them.
fn arrived(like: &RecordBatch) -> RecordBatch {
    let text = |of: fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..ARRIVED).map(of))) };
    let at: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values((0..).take(ARRIVED)).with_timezone("UTC"));
    let schema = like.schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "event_id" => text(|row| format!("event {:09}", row.max(1))),
        "event_name" => text(|_| "search".to_owned()),
        "properties" => text(|row| format!("{{\"q\":\"{}\"}}", row.to_string().repeat(240 / row.to_string().len()))),
        "event_time" | "received_at" => Arc::clone(&at),
        _ => new_null_array(field.data_type(), ARRIVED),
    });
    let date: ArrayRef = Arc::new(Date32Array::from_value(0, ARRIVED));
    let columns = schema.fields().iter().map(|field| field.name().as_str()).zip(columns);
    RecordBatch::try_from_iter(columns.chain([("date", date)])).unwrap()
}
