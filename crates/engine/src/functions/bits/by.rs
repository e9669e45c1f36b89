//! `bits_by(key, first, second)`: the keys of a group with their bits.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, TypeSignature, Volatility,
};

use super::entries::{Entry, Lists, ListsBuilder, lists_type};
use crate::functions::gathered::Gathered;
use crate::functions::ungrouped::Ungrouped;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::functions) struct BitsBy {
    signature: Signature,
}

impl Default for BitsBy {
    fn default() -> Self {
        let rows = TypeSignature::Exact(vec![DataType::Int64; 3]);
        let lists = TypeSignature::Exact(vec![lists_type()]);
        Self {
            signature: Signature::one_of(vec![rows, lists], Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for BitsBy {
    fn name(&self) -> &'static str {
        "bits_by"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(lists_type())
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "entries");
        Ok(vec![Arc::new(Field::new(name, lists_type(), false))])
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

/// The entries of every group, in the order of their keys.
#[derive(Debug, Default)]
struct OfGroups(Gathered<Entry>);

impl OfGroups {
    fn put(&mut self, group: usize, entries: impl Iterator<Item = Entry>) {
        self.0
            .edit(group, |group| entries.for_each(|entry| entry.put_into(group)));
    }

    fn take(&mut self, emit_to: EmitTo) -> ArrayRef {
        let mut lists = ListsBuilder::default();
        for group in self.0.take(emit_to) {
            lists.append(&group);
        }
        lists.finish(None)
    }
}

/// Hands each row that counts to `each`, with its entries.
fn rows(
    values: &[ArrayRef],
    filter: Option<&BooleanArray>,
    mut each: impl FnMut(usize, &mut dyn Iterator<Item = Entry>),
) {
    let counts = |row| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
    let counted = (0..values[0].len()).filter(|row| counts(*row));
    let [key, first, second] = values else {
        let lists = Lists::of(&values[0]);
        return counted.for_each(|row| each(row, &mut lists.row(row)));
    };
    let [key, first, second] = [key, first, second].map(|values| values.as_primitive::<Int64Type>());
    let bits = |of: &Int64Array, row| if of.is_valid(row) { of.value(row) } else { 0 };
    for row in counted.filter(|row| key.is_valid(*row)) {
        let entry = Entry {
            key: key.value(row),
            first: bits(first, row),
            second: bits(second, row),
        };
        each(row, &mut std::iter::once(entry));
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
        self.0.resize(total_num_groups);
        rows(values, opt_filter, |row, entries| self.put(group_indices[row], entries));
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.update_batch(values, group_indices, None, total_num_groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut groups = Self::default();
        groups.0.resize(values[0].len());
        rows(values, opt_filter, |row, entries| groups.put(row, entries));
        groups.state(EmitTo::All)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.take(emit_to))
    }

    /// What is emitted is a copy, which there has to be room for.
    fn size(&self) -> usize {
        size_of::<Self>() + self.0.size() * 2
    }
}
