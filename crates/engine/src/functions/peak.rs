//! `peak(at, change)`, an aggregate: the highest sum that a group's changes reach, in the order of `at`. Changes of one
//! `at` count together. Null without changes; a row with a null counts nothing.
//!
//! A window function answers the same with a row for each change, on one core where there is nothing to divide by.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, Int64Builder, ListBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};

use super::gathered::Gathered;
use super::ungrouped::Ungrouped;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Peak {
    signature: Signature,
}

impl Default for Peak {
    fn default() -> Self {
        Self {
            signature: Signature::exact(vec![DataType::Int64, DataType::Int64], Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Peak {
    fn name(&self) -> &'static str {
        "peak"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
        let field = |name| Arc::new(Field::new(format_state_name(args.name, name), list.clone(), false));
        Ok(vec![field("at"), field("change")])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Ungrouped::new(OfGroups(Gathered::of_one()))))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(OfGroups::default()))
    }
}

/// When, and by how much.
type Change = (i64, i64);

/// The changes of every group.
#[derive(Debug, Default)]
struct OfGroups(Gathered<Change>);

/// The changes of input rows.
fn changes<'a>(values: &'a [ArrayRef], filter: Option<&'a BooleanArray>) -> impl Iterator<Item = Option<Change>> + 'a {
    let (at, change) = (
        values[0].as_primitive::<Int64Type>(),
        values[1].as_primitive::<Int64Type>(),
    );
    (0..at.len()).map(move |row| {
        let counts = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        (counts && at.is_valid(row) && change.is_valid(row)).then(|| (at.value(row), change.value(row)))
    })
}

/// The highest sum after all changes of any instant.
fn highest(mut changes: Vec<Change>) -> Option<i64> {
    changes.sort_unstable();
    let mut sum = 0;
    let sums = changes.chunk_by(|one, other| one.0 == other.0).map(|together| {
        sum += together.iter().map(|(_, change)| change).sum::<i64>();
        sum
    });
    sums.max()
}

impl GroupsAccumulator for OfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.0.resize(total_num_groups);
        for (change, &group) in changes(values, opt_filter).zip(group_indices) {
            self.0.add(group, change);
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.0.resize(total_num_groups);
        let (at, change) = (values[0].as_list::<i32>(), values[1].as_list::<i32>());
        for (row, &group) in group_indices.iter().enumerate() {
            let (at, change) = (at.value(row), change.value(row));
            let at = at.as_primitive::<Int64Type>().values().iter().copied();
            self.0.add(
                group,
                at.zip(change.as_primitive::<Int64Type>().values().iter().copied()),
            );
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(lists(self.0.take(emit_to)))
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(lists(changes(values, opt_filter)))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let peaks: Int64Array = self.0.take(emit_to).into_iter().map(highest).collect();
        Ok(Arc::new(peaks))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.size()
    }
}

/// The state of groups: when each changed, and by how much.
fn lists<C: IntoIterator<Item = Change>>(groups: impl IntoIterator<Item = C>) -> Vec<ArrayRef> {
    let list = || ListBuilder::new(Int64Builder::new());
    let (mut ats, mut changes) = (list(), list());
    for group in groups {
        for (at, change) in group {
            ats.values().append_value(at);
            changes.values().append_value(change);
        }
        ats.append(true);
        changes.append(true);
    }
    vec![Arc::new(ats.finish()), Arc::new(changes.finish())]
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    #[tokio::test]
    async fn the_peak_is_that_of_the_running_sum() {
        let config = SessionConfig::new().with_target_partitions(2).with_batch_size(2);
        let context = SessionContext::new_with_config(config);
        crate::functions::register(&context);
        // Of what comes and goes at 3 together, only the sum stands.
        let rows = "(values (1, 5, -1), (1, 1, 2), (1, 3, 9), (1, 3, -8), (1, null, 7), (2, 4, -3), (2, 9, 1), \
            (3, 1, null)) as rows (g, at, change)";
        let found = format!("select g, peak(at, change) as peak from {rows} group by g order by g");
        let window = format!(
            "select g, max(s) as peak from (
                select g, at, sum(sum(change)) over (partition by g order by at) as s
                from {rows} where at is not null and change is not null group by g, at
            ) group by g union all select 3, null order by g"
        );
        let mut answers = Vec::new();
        for sql in [found, window] {
            let rows = context.sql(&sql).await.unwrap().collect().await.unwrap();
            answers.push(pretty_format_batches(&rows).unwrap().to_string());
        }
        assert_eq!(answers[0], answers[1]);
        assert!(
            answers[0].contains("| 1 | 3    |") && answers[0].contains("| 2 | -2   |"),
            "{}",
            answers[0]
        );
        let none = context.sql("select peak(1, 2) is null as x where false").await.unwrap();
        assert!(none.collect().await.unwrap()[0].column(0).as_boolean().value(0));
    }
}
