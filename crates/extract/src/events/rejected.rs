//! What could not be taken for an event: where it stands and why, never what it says, which may be a person's data.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// A line, or a row of the table, that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file, the day of an export (`mixpanel/2026-01-31`), or the table that it stands in.
    pub file: String,
    /// Where it begins in the file, in bytes of its uncompressed text. A row of the table has no place.
    pub offset: Option<u64>,
    /// Its bytes, the line's end not among them; none where the rest of the file could not be read.
    pub length: Option<u64>,
    /// BLAKE3 of its bytes, in hexadecimal; of a row of the table, of its event id.
    pub hash: String,
    /// Why. Never quotes it.
    pub reason: String,
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("file", DataType::Utf8, false),
        Field::new("offset", DataType::Int64, true),
        Field::new("length", DataType::Int64, true),
        Field::new("hash", DataType::Utf8, false),
        Field::new("reason", DataType::Utf8, false),
    ]))
});

/// The columns that [`rejected_batch`] gives: `file`, `offset`, `length`, `hash`, `reason`.
#[must_use]
pub fn rejected_schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// What was set aside, as rows.
#[must_use]
pub fn rejected_batch(rejected: &[Rejected]) -> RecordBatch {
    let text =
        |of: fn(&Rejected) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rejected.iter().map(of))) };
    let number = |of: fn(&Rejected) -> Option<u64>| -> ArrayRef {
        let numbers = rejected
            .iter()
            .map(|one| of(one).and_then(|number| i64::try_from(number).ok()));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let columns = vec![
        text(|one| &one.file),
        number(|one| one.offset),
        number(|one| one.length),
        text(|one| &one.hash),
        text(|one| &one.reason),
    ];
    RecordBatch::try_new(rejected_schema(), columns).expect("the columns are the schema's")
}
