//! Gathering the rows of each group, and answering from them.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Builder, Float64Builder, Int32Builder, Int64Builder, ListArray,
    ListBuilder, StructArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{Date32Type, Field, Float64Type, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::answer_fields;
use super::windows::{Row, Shape, Window};
use crate::functions::gathered::Gathered;

/// The rows of every group.
#[derive(Debug)]
pub(super) struct OfGroups {
    shape: Shape,
    groups: Gathered<Row>,
}

impl OfGroups {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            groups: Gathered::default(),
        }
    }

    /// One group without a row.
    pub(super) fn of_one(shape: Shape) -> Self {
        Self {
            shape,
            groups: Gathered::of_one(),
        }
    }
}

/// The input rows that have a day.
fn rows<'a>(values: &'a [ArrayRef], filter: Option<&'a BooleanArray>) -> impl Iterator<Item = Option<Row>> + 'a {
    let (days, values) = (
        values[0].as_primitive::<Date32Type>(),
        values[1].as_primitive::<Float64Type>(),
    );
    (0..days.len()).map(move |row| {
        let counts = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let value = if values.is_valid(row) {
            values.value(row)
        } else {
            f64::NAN
        };
        (counts && days.is_valid(row)).then(|| (days.value(row), value))
    })
}

impl GroupsAccumulator for OfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups);
        for (row, &group) in rows(values, opt_filter).zip(group_indices) {
            self.groups.add(group, row);
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize(total_num_groups);
        let (days, numbers) = (values[0].as_list::<i32>(), values[1].as_list::<i32>());
        for (row, &group) in group_indices.iter().enumerate() {
            let (days, numbers) = (days.value(row), numbers.value(row));
            let days = days.as_primitive::<Int32Type>().values().iter().copied();
            let numbers = numbers.as_primitive::<Float64Type>().iter();
            self.groups
                .add(group, days.zip(numbers.map(|number| number.unwrap_or(f64::NAN))));
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(lists(self.groups.take(emit_to)))
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(lists(rows(values, opt_filter)))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.groups.take(emit_to).into_iter();
        answer(groups.map(|rows| self.shape.windows(rows)))
    }

    fn size(&self) -> usize {
        self.groups.size()
    }
}

/// The state of groups: the days of each, and the values.
fn lists<R: IntoIterator<Item = Row>>(groups: impl IntoIterator<Item = R>) -> Vec<ArrayRef> {
    let mut days = ListBuilder::new(Int32Builder::new());
    let mut values = ListBuilder::new(Float64Builder::new());
    for rows in groups {
        for (day, value) in rows {
            days.values().append_value(day);
            values.values().append_option((!value.is_nan()).then_some(value));
        }
        days.append(true);
        values.append(true);
    }
    vec![Arc::new(days.finish()), Arc::new(values.finish())]
}

/// The windows of groups, in the fields of the function's type.
fn answer(groups: impl Iterator<Item = Vec<Window>>) -> Result<ArrayRef> {
    let mut as_of = Date32Builder::new();
    let [mut days, mut total, mut valued] = std::array::from_fn(|_| Int64Builder::new());
    let mut spread: [_; 3] = std::array::from_fn(|_| Float64Builder::new());
    let mut lengths = Vec::new();
    for windows in groups {
        lengths.push(windows.len());
        for window in windows {
            as_of.append_value(window.as_of);
            days.append_value(window.days.into());
            total.append_value(window.total);
            valued.append_value(window.valued);
            for (place, column) in spread.iter_mut().enumerate() {
                column.append_option(window.spread.map(|spread| spread[place]));
            }
        }
    }
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(as_of.finish()),
        Arc::new(days.finish()),
        Arc::new(total.finish()),
        Arc::new(valued.finish()),
    ];
    columns.extend(spread.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
    let windows = StructArray::try_new(answer_fields(), columns, None)?;
    let item = Arc::new(Field::new_list_field(windows.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(windows), None)?))
}
