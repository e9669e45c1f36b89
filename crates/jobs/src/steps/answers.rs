//! Answers that are days or hours, as values.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int32Type};
use chrono::NaiveDate;
use futures::TryStreamExt;
use kindred_engine::{EngineError, Session};
use kindred_lake::Partition;

/// Every row of a statement of our own making, which errors call `name`.
pub(crate) async fn rows(session: &Session, name: &str, sql: &str) -> Result<Vec<RecordBatch>, EngineError> {
    let rows = session.sql(sql).await?.try_collect().await;
    rows.map_err(|error| session.failure(name, error))
}

/// The dates in the first column; nulls are left out.
pub(crate) fn days(batches: &[RecordBatch]) -> BTreeSet<NaiveDate> {
    let days = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Date32Type>().iter().flatten());
    days.filter_map(Date32Type::to_naive_date_opt).collect()
}

/// The dates in the first column with the hours in the second.
pub(crate) fn hours(batches: &[RecordBatch]) -> BTreeSet<Partition> {
    let pairs = batches.iter().flat_map(|batch| {
        let days = batch.column(0).as_primitive::<Date32Type>().iter();
        days.zip(batch.column(1).as_primitive::<Int32Type>().iter())
    });
    let partition = |(day, hour): (Option<i32>, Option<i32>)| {
        let day = Date32Type::to_naive_date_opt(day?)?;
        Some(Partition::hour(day, u8::try_from(hour?).ok()?))
    };
    pairs.filter_map(partition).collect()
}
