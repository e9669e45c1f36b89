//! A table of an answer, as CSV or as an Arrow IPC stream: columns by name, typed as the document's fields are.

use std::borrow::Cow;
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
    ///
    /// A text that a spreadsheet would take for a formula, since it begins with `=`, `+`, `-`, `@`, a tab or a carriage
    /// return, has a `'` before it: apps name events and versions, and whoever opens the file runs what they wrote.
    pub(crate) fn csv(mut self) -> Result<Vec<u8>, ArrowError> {
        for column in &mut self.columns {
            if let Some(texts) = column.as_any().downcast_ref::<StringArray>() {
                *column = Arc::new(texts.iter().map(|text| text.map(no_formula)).collect::<StringArray>());
            }
        }
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

/// A text that no spreadsheet computes.
fn no_formula(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}").into()
    } else {
        text.into()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(cells: &[&'static str]) -> String {
        let table = Table::default().column("name", cells.iter().copied().map(Some));
        String::from_utf8(table.csv().unwrap()).unwrap()
    }

    #[test]
    fn a_text_that_a_spreadsheet_would_compute_stays_a_text() {
        assert_eq!(
            csv(&["=1+1", "+1", "-1", "@a", "\tx", "\rx", "a=b", "'=1", "-"]),
            "name\n'=1+1\n'+1\n'-1\n'@a\n'\tx\n\"'\rx\"\na=b\n'=1\n'-\n"
        );
        let numbers = Table::default().column("change", [Some(-1_i64), None]);
        assert_eq!(String::from_utf8(numbers.csv().unwrap()).unwrap(), "change\n-1\n\"\"\n");
    }

    #[test]
    fn commas_quotes_and_line_ends_are_within_their_cell() {
        assert_eq!(csv(&["a,b", "a\"b", "a\nb"]), "name\n\"a,b\"\n\"a\"\"b\"\n\"a\nb\"\n");
    }

    #[test]
    fn an_arrow_stream_holds_texts_as_they_are() {
        let stream = Table::default().column("name", [Some("=1+1")]).arrow_stream().unwrap();
        assert!(stream.windows(4).any(|bytes| bytes == b"=1+1") && !stream.windows(5).any(|bytes| bytes == b"'=1+1"));
    }
}
