//! Gathering the moments of each group, and answering from them.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Builder, Int64Builder, ListBuilder, StructArray,
    TimestampMicrosecondBuilder, UInt32Builder,
};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType, UInt32Type};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::answer_fields;
use super::walk::{Moment, Order, Reached, Shape};
use crate::functions::gathered::Gathered;

/// The moments of every group.
#[derive(Debug)]
pub(super) struct OfGroups {
    shape: Shape,
    groups: Gathered<Moment>,
}

impl OfGroups {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            groups: Gathered::default(),
        }
    }

    /// One group without a moment.
    pub(super) fn of_one(shape: Shape) -> Self {
        Self {
            shape,
            groups: Gathered::of_one(),
        }
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.groups.bytes()
    }
}

/// The moments of input rows. A row without an instant has none; nor has one of no step, where only steps matter.
fn moments<'a>(
    shape: Shape,
    values: &'a [ArrayRef],
    filter: Option<&'a BooleanArray>,
) -> impl Iterator<Item = Option<Moment>> + 'a {
    let at = values[0].as_primitive::<TimestampMicrosecondType>();
    let steps = values[1].as_primitive::<Int64Type>();
    let known = u32::MAX >> (u32::BITS as usize - shape.steps);
    (0..at.len()).map(move |row| {
        let counts = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let steps = if steps.is_valid(row) {
            steps.value(row) & i64::from(known)
        } else {
            0
        };
        let moment = Moment {
            at: at.value(row),
            steps: u32::try_from(steps).unwrap_or_default(),
        };
        let matters = moment.steps != 0 || shape.order == Order::Strict;
        (counts && matters && at.is_valid(row)).then_some(moment)
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
        for (moment, &group) in moments(self.shape, values, opt_filter).zip(group_indices) {
            self.groups.add(group, moment);
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize(total_num_groups);
        let (at, steps) = (values[0].as_list::<i32>(), values[1].as_list::<i32>());
        for (row, &group) in group_indices.iter().enumerate() {
            let (at, steps) = (at.value(row), steps.value(row));
            let at = at.as_primitive::<Int64Type>().values();
            let steps = steps.as_primitive::<UInt32Type>().values();
            let pairs = at.iter().zip(steps);
            self.groups.add(group, pairs.map(|(&at, &steps)| Moment { at, steps }));
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(lists(self.groups.take(emit_to)))
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(lists(moments(self.shape, values, opt_filter)))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let shape = self.shape;
        let answers = self
            .groups
            .take(emit_to)
            .into_iter()
            .map(|mut moments| shape.walk(&mut moments));
        answer(shape.steps, answers)
    }

    fn size(&self) -> usize {
        self.groups.size()
    }
}

/// The state of groups: the instants of each, and the steps of each.
fn lists<M: IntoIterator<Item = Moment>>(groups: impl IntoIterator<Item = M>) -> Vec<ArrayRef> {
    let mut at = ListBuilder::new(Int64Builder::new());
    let mut steps = ListBuilder::new(UInt32Builder::new());
    for moments in groups {
        for moment in moments {
            at.values().append_value(moment.at);
            steps.values().append_value(moment.steps);
        }
        at.append(true);
        steps.append(true);
    }
    vec![Arc::new(at.finish()), Arc::new(steps.finish())]
}

/// The answer for groups, in the fields of the function's type.
#[expect(clippy::cast_possible_wrap, reason = "there are 32 steps at most")]
fn answer(steps: usize, groups: impl Iterator<Item = Option<Reached>>) -> Result<ArrayRef> {
    let mut depth = Int64Builder::new();
    let mut entered_at = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    let mut mean = ListBuilder::new(Float64Builder::new());
    let mut median = ListBuilder::new(Float64Builder::new());
    for reached in groups {
        depth.append_value(reached.as_ref().map_or(0, |reached| reached.steps() as i64));
        entered_at.append_option(reached.as_ref().map(|reached| reached.entered_at));
        for step in 0..steps - 1 {
            let seconds = reached.as_ref().and_then(|reached| reached.seconds.get(step));
            mean.values().append_option(seconds.map(|seconds| seconds.mean));
            median.values().append_option(seconds.map(|seconds| seconds.median));
        }
        mean.append(true);
        median.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(depth.finish()),
        Arc::new(entered_at.finish()),
        Arc::new(mean.finish()),
        Arc::new(median.finish()),
    ];
    Ok(Arc::new(StructArray::try_new(answer_fields(), columns, None)?))
}
