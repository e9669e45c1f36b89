//! `set_counts(set)`: how many of a group's sets hold each number.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Builder, ListBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, TypeSignature, Volatility,
};

use super::grid::Grid;
use crate::functions::ungrouped::Ungrouped;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::functions) struct SetCounts {
    signature: Signature,
}

impl Default for SetCounts {
    fn default() -> Self {
        let of = |item| TypeSignature::Exact(vec![item]);
        Self {
            signature: Signature::one_of(vec![of(DataType::Binary), of(DataType::Int64)], Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for SetCounts {
    fn name(&self) -> &'static str {
        "set_counts"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(counts())
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "counts");
        Ok(vec![Arc::new(Field::new(name, counts(), false))])
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

fn counts() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

/// The counts of every group.
#[derive(Debug)]
struct OfGroups(Grid<i64>);

impl OfGroups {
    /// Counts each number of a set, eight bytes at a time.
    fn count(&mut self, group: usize, set: &[u8]) {
        for (place, bytes) in set.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.count_word(group, place * 64, u64::from_le_bytes(word));
        }
    }

    fn count_word(&mut self, group: usize, first: usize, mut word: u64) {
        let end = first + (u64::BITS - word.leading_zeros()) as usize;
        let counts = self.0.row(group, end);
        while word != 0 {
            counts[first + word.trailing_zeros() as usize] += 1;
            word &= word - 1;
        }
    }

    fn update(&mut self, sets: &ArrayRef, group_of: impl Fn(usize) -> Option<usize>) {
        let (words, bytes) = (sets.as_primitive_opt::<Int64Type>(), sets.as_binary_opt::<i32>());
        for row in 0..sets.len() {
            let Some(group) = group_of(row).filter(|_| sets.is_valid(row)) else {
                continue;
            };
            match (words, bytes) {
                (Some(words), _) => self.count_word(group, 0, words.value(row).cast_unsigned()),
                (_, Some(bytes)) => self.count(group, bytes.value(row)),
                (None, None) => unreachable!("the signature takes nothing else"),
            }
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> ArrayRef {
        let mut lists = ListBuilder::new(Int64Builder::new());
        self.0.take(emit_to, |counts| {
            lists.values().append_slice(counts);
            lists.append(true);
        });
        Arc::new(lists.finish())
    }
}

fn counts_row(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
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
        self.update(&values[0], |row| {
            counts_row(opt_filter, row).then(|| group_indices[row])
        });
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.0.grow(total_num_groups);
        let lists = values[0].as_list::<i32>();
        for (row, &group) in group_indices.iter().enumerate() {
            let theirs = lists.value(row);
            let theirs = theirs.as_primitive::<Int64Type>().values();
            for (mine, theirs) in self.0.row(group, theirs.len()).iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Self(Grid::default());
        rows.0.grow(values[0].len());
        rows.update(&values[0], |row| counts_row(opt_filter, row).then_some(row));
        rows.state(EmitTo::All)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.take(emit_to))
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
