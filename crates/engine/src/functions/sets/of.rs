//! `set_of(n)`: the set of a group's numbers.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};

use super::grid::Grid;
use crate::functions::ungrouped::Ungrouped;

/// The largest number: what a set may take is bounded.
const LARGEST: i64 = 65_535;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::functions) struct SetOf {
    signature: Signature,
}

impl Default for SetOf {
    fn default() -> Self {
        Self {
            signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for SetOf {
    fn name(&self) -> &'static str {
        "set_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "set");
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, false))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Ungrouped::new(OfGroups(Grid::of_one()))))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(OfGroups(Grid::default())))
    }
}

/// The sets of all groups, in bytes.
#[derive(Debug)]
struct OfGroups(Grid<u8>);

impl OfGroups {
    fn take(&mut self, emit_to: EmitTo) -> ArrayRef {
        let mut sets = BinaryBuilder::new();
        self.0.take(emit_to, |set| sets.append_value(set));
        Arc::new(sets.finish())
    }
}

/// The number of a row that counts.
fn number(values: &ArrayRef, filter: Option<&BooleanArray>, row: usize) -> Result<Option<usize>> {
    let counts = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
    if !counts || values.is_null(row) {
        return Ok(None);
    }
    let number = values.as_primitive::<Int64Type>().value(row);
    match usize::try_from(number) {
        Ok(known) if number <= LARGEST => Ok(Some(known)),
        _ => exec_err!("set_of takes numbers from 0 to {LARGEST}, and was given {number}"),
    }
}

impl GroupsAccumulator for OfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.0.grow(total_num_groups);
        for (row, &group) in group_indices.iter().enumerate() {
            if let Some(number) = number(&values[0], opt_filter, row)? {
                self.0.row(group, number / 8 + 1)[number / 8] |= 1 << (number % 8);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.0.grow(total_num_groups);
        for (set, &group) in values[0].as_binary::<i32>().iter().zip(group_indices) {
            let set = set.unwrap_or_default();
            for (mine, theirs) in self.0.row(group, set.len()).iter_mut().zip(set) {
                *mine |= theirs;
            }
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut sets = BinaryBuilder::new();
        for row in 0..values[0].len() {
            let mut set = Vec::new();
            if let Some(number) = number(&values[0], opt_filter, row)? {
                set.resize(number / 8, 0);
                set.push(1 << (number % 8));
            }
            sets.append_value(set);
        }
        Ok(vec![Arc::new(sets.finish())])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.take(emit_to))
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
