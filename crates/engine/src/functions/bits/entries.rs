//! Keys with their bits, in memory and as a list of Arrow.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Int64Type};

/// A key's bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: i64,
    pub(super) first: i64,
    pub(super) second: i64,
}

impl Entry {
    /// Puts the entry among others, which stay in the order of their keys.
    pub(super) fn put_into(self, entries: &mut Vec<Self>) {
        match entries.binary_search_by_key(&self.key, |entry| entry.key) {
            Ok(place) => entries[place].join(self),
            Err(place) => entries.insert(place, self),
        }
    }

    pub(super) const fn join(&mut self, other: Self) {
        self.first |= other.first;
        self.second |= other.second;
    }
}

fn fields() -> Fields {
    ["key", "first", "second"]
        .map(|name| Field::new(name, DataType::Int64, false))
        .into_iter()
        .collect()
}

fn item() -> Arc<Field> {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

/// The type of lists of entries.
pub(super) fn lists_type() -> DataType {
    DataType::List(item())
}

/// Lists of entries to read.
pub(super) struct Lists<'a> {
    lists: &'a ListArray,
    keys: &'a [i64],
    firsts: &'a [i64],
    seconds: &'a [i64],
}

impl<'a> Lists<'a> {
    /// Of an array of [`lists_type`].
    pub(super) fn of(array: &'a ArrayRef) -> Self {
        let lists = array.as_list::<i32>();
        let entries = lists.values().as_struct();
        let values = |column| -> &'a [i64] { entries.column(column).as_primitive::<Int64Type>().values() };
        Self {
            lists,
            keys: values(0),
            firsts: values(1),
            seconds: values(2),
        }
    }

    /// The entries of a row; a null has none.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = Entry> + '_ {
        let offsets = self.lists.value_offsets();
        let (from, to) = match self.lists.is_valid(row) {
            true => (offsets[row] as usize, offsets[row + 1] as usize),
            false => (0, 0),
        };
        (from..to).map(|place| Entry {
            key: self.keys[place],
            first: self.firsts[place],
            second: self.seconds[place],
        })
    }
}

/// An array of [`lists_type`] in the making, row by row.
#[derive(Default)]
pub(super) struct ListsBuilder {
    keys: Vec<i64>,
    firsts: Vec<i64>,
    seconds: Vec<i64>,
    lengths: Vec<usize>,
}

impl ListsBuilder {
    pub(super) fn append(&mut self, entries: &[Entry]) {
        self.keys.extend(entries.iter().map(|entry| entry.key));
        self.firsts.extend(entries.iter().map(|entry| entry.first));
        self.seconds.extend(entries.iter().map(|entry| entry.second));
        self.lengths.push(entries.len());
    }

    pub(super) fn finish(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let column = |values: Vec<i64>| Arc::new(Int64Array::new(ScalarBuffer::from(values), None)) as ArrayRef;
        let columns = [self.keys, self.firsts, self.seconds].map(column).to_vec();
        let entries = StructArray::new(fields(), columns, None);
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        Arc::new(ListArray::new(item(), offsets, Arc::new(entries), nulls))
    }
}
