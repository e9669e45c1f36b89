//! A table of an answer, as CSV or as an Arrow IPC stream: columns by name, typed as the document's fields are.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampMillisecondArray,
};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{Date32Type, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use chrono::NaiveDate;

use crate::figure::Figure;
use crate::timestamp::Timestamp;

/// Columns of one length.
#[derive(Debug, Default)]
pub(crate) struct Table {
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
}

impl Table {
    /// With a column more, named as the document names the field. Every column has as many cells as the first.
    pub(crate) fn column<C: Cell>(mut self, name: &str, cells: impl IntoIterator<Item = Option<C>>) -> Self {
        let column = C::array(cells);
        self.fields.push(Field::new(name, column.data_type().clone(), true));
        self.columns.push(column);
        self
    }

    /// The table as CSV (RFC 4180), a line of names first; null is an empty cell.
    pub(crate) fn csv(self) -> Result<Vec<u8>, ArrowError> {
        let mut text = Vec::new();
        let mut writer = WriterBuilder::new()
            .with_header(true)
            .with_timestamp_tz_format("%Y-%m-%dT%H:%M:%S%.3fZ".to_owned())
            .build(&mut text);
        writer.write(&self.batch()?)?;
        drop(writer);
        Ok(text)
    }

    /// The table as an Arrow IPC stream of one batch.
    pub(crate) fn arrow_stream(self) -> Result<Vec<u8>, ArrowError> {
        let batch = self.batch()?;
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
        writer.write(&batch)?;
        writer.into_inner()
    }

    fn batch(self) -> Result<RecordBatch, ArrowError> {
        let schema = Arc::new(Schema::new(self.fields));
        let rows = self.columns.first().map_or(0, |column| column.len());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema, self.columns, &options)
    }
}

/// What a cell of a table may hold.
pub(crate) trait Cell: Sized {
    /// A column of such cells.
    fn array(cells: impl IntoIterator<Item = Option<Self>>) -> ArrayRef;
}

/// Writes [`Cell`] for a type by the array that holds it.
macro_rules! cells {
    ($($cell:ty, $array:ty, |$value:ident| $native:expr;)+) => {$(
        impl Cell for $cell {
            fn array(cells: impl IntoIterator<Item = Option<Self>>) -> ArrayRef {
                Arc::new(cells.into_iter().map(|cell| cell.map(|$value| $native)).collect::<$array>())
            }
        }
    )+};
}

cells! {
    i64, Int64Array, |count| count;
    bool, BooleanArray, |flag| flag;
    Figure, Float64Array, |figure| figure.to_f64();
    String, StringArray, |text| text;
    &str, StringArray, |text| text;
    NaiveDate, Date32Array, |day| Date32Type::from_naive_date(day);
}

impl Cell for Timestamp {
    fn array(cells: impl IntoIterator<Item = Option<Self>>) -> ArrayRef {
        let millis = cells.into_iter().map(|cell| cell.map(|Self(at)| at.timestamp_millis()));
        Arc::new(millis.collect::<TimestampMillisecondArray>().with_timezone_utc())
    }
}
