//! Rows that a contract's column keeps out: it must hold something, and is null.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::filter;
use arrow::error::ArrowError;

/// What a read set aside.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Nulls {
    /// Nulls by column that must hold something.
    pub columns: BTreeMap<&'static str, u64>,
    /// Rows in all.
    pub rows: u64,
}

impl Nulls {
    /// Adds what another read set aside.
    pub fn add(&mut self, other: Self) {
        for (column, nulls) in other.columns {
            *self.columns.entry(column).or_default() += nulls;
        }
        self.rows += other.rows;
    }
}

/// The rows of the batch that is being filled: which may stay, and what the others lack.
#[derive(Debug, Default)]
pub(super) struct Whole {
    rows: Vec<bool>,
    lacks: BTreeMap<&'static str, u64>,
    is_whole: bool,
}

impl Whole {
    pub(super) fn new() -> Self {
        Self {
            is_whole: true,
            ..Self::default()
        }
    }

    /// Notes that the row in the making has a null where none may be.
    pub(super) fn lack(&mut self, column: &'static str) {
        *self.lacks.entry(column).or_default() += 1;
        self.is_whole = false;
    }

    /// Ends the row.
    pub(super) fn end_row(&mut self) {
        self.rows.push(std::mem::replace(&mut self.is_whole, true));
    }

    /// The columns without the rows that lack something, which are added to `nulls`. Most batches lack nothing, and are not
    /// touched.
    pub(super) fn keep(&mut self, columns: Vec<ArrayRef>, nulls: &mut Nulls) -> Result<Vec<ArrayRef>, ArrowError> {
        let rows = BooleanArray::from(std::mem::take(&mut self.rows));
        let lacks = std::mem::take(&mut self.lacks);
        if lacks.is_empty() {
            return Ok(columns);
        }
        for (column, count) in lacks {
            *nulls.columns.entry(column).or_default() += count;
        }
        nulls.rows += rows.false_count() as u64;
        columns.iter().map(|column| filter(column, &rows)).collect()
    }
}
