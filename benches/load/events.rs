//! Events of a day as the engine hands them over: batches of Arrow columns, ordered by time.

use std::sync::Arc;

use anyhow::Context;
use arrow::array::{ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use kindred_model::{DayWindow, Instant};
use uuid::Uuid;

/// Rows of a batch, as DataFusion hands them over.
const BATCH_ROWS: usize = 8_192;

/// Spreads consecutive numbers over all 128 bits: ids in no order, like uuids.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

const MICROS_OF_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The day that they are of.
pub(crate) fn day() -> DayWindow {
    DayWindow::day(kindred_testkit::day("2026-03-09"))
}

/// So many events, evenly over the day, of 50,000 people.
pub(crate) struct Events {
    batches: Vec<RecordBatch>,
}

impl Events {
    pub(crate) fn of(rows: usize) -> anyhow::Result<Self> {
        let starts = (0..rows).step_by(BATCH_ROWS);
        let batches = starts
            .map(|start| batch(start, rows.min(start + BATCH_ROWS), rows))
            .collect::<Result<_, _>>()?;
        Ok(Self { batches })
    }

    /// With the columns that name the run.
    pub(crate) fn batches(&self, run_id: Uuid, at: Instant) -> anyhow::Result<Vec<RecordBatch>> {
        let signed = self.batches.iter().map(|batch| {
            let rows = batch.num_rows();
            let runs: ArrayRef = Arc::new(FixedSizeBinaryArray::new(
                16,
                run_id.as_bytes().repeat(rows).into(),
                None,
            ));
            let computed = TimestampMicrosecondArray::from(vec![at.timestamp_micros(); rows]).with_timezone("UTC");
            let names = batch.schema();
            let columns = names
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .zip(batch.columns().iter().cloned());
            let signature = [("run_id", runs), ("computed_at", Arc::new(computed) as ArrayRef)];
            RecordBatch::try_from_iter(columns.chain(signature)).context("columns of one length")
        });
        signed.collect()
    }
}

fn batch(start: usize, end: usize, of: usize) -> anyhow::Result<RecordBatch> {
    let midnight = kindred_testkit::at("2026-03-09T00:00:00Z").timestamp_micros();
    let rows = || (start..end).map(|row| i64::try_from(row).expect("a row's number"));
    let gap = MICROS_OF_A_DAY / i64::try_from(of)?;
    let times = rows().map(|row| midnight + row * gap).collect::<Vec<_>>();
    let one_of = |names: &'static [&'static str]| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            (start..end).map(|row| names[row * 7 % names.len()]),
        ))
    };
    let text = |make: &dyn Fn(i64) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows().map(make))) };
    let columns: [(&str, ArrayRef); 9] = [
        (
            "event_time",
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")),
        ),
        (
            "event_id",
            text(&|row| format!("{:032x}", u128::from(row.unsigned_abs()).wrapping_mul(SPREAD))),
        ),
        (
            "user_id",
            Arc::new(Int64Array::from_iter(
                rows().map(|row| (row % 9 > 0).then_some(row * 7919 % 50_000)),
            )),
        ),
        ("session_id", text(&|row| format!("session-{}", row / 12))),
        (
            "event_name",
            one_of(&["profile_viewed", "swipe", "message_sent", "app_opened", "search"]),
        ),
        (
            "event_properties",
            text(&|row| format!(r#"{{"screen":"s{}","count":{}}}"#, row % 17, row % 101)),
        ),
        ("platform", one_of(&["ios", "android", "web"])),
        ("app_version", one_of(&["4.1.0", "4.2.0", "4.2.1"])),
        ("location_country", one_of(&["DE", "FR", "US", "BR"])),
    ];
    RecordBatch::try_from_iter(columns).context("columns of one length")
}
