//! `funnel(at, steps, step_count, window_seconds, entry, order)`: how far a group's moments lead through ordered steps.
//!
//! Grouped by person, each row is a moment: its instant, and as a bit mask the steps that it may fill (bit 0 is step 1;
//! null and 0: none, which only a strict order notices). A row fills one step at most. The other arguments are literals:
//! 1 to 32 steps, a window measured from step 1 whose end is inside, entry `'first'` or `'any'`, order `'ordered'` or
//! `'strict'`. The answer is a struct:
//!
//! - `reached`: the deepest step, 0 without a moment of step 1;
//! - `entered_at`: the instant of step 1, of the first attempt that led so far;
//! - `avg_seconds`, `median_seconds`: element i = seconds from step i to step i + 1, over the attempts that led so far;
//!   null beyond the deepest step.
//!
//! What an attempt is, `walk.rs` says.

mod arguments;
mod moments;
mod ordered;
mod strict;
mod walk;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility};

use super::ungrouped::Ungrouped;
use moments::OfGroups;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Funnel {
    signature: Signature,
}

impl Default for Funnel {
    fn default() -> Self {
        let arguments = vec![
            instant(),
            DataType::Int64,
            DataType::Int64,
            DataType::Int64,
            DataType::Utf8,
            DataType::Utf8,
        ];
        Self {
            signature: Signature::exact(arguments, Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Funnel {
    fn name(&self) -> &'static str {
        "funnel"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(answer_fields()))
    }

    /// The moments themselves, so that parts of a group meet from any partition: instants, and the steps of each.
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name, item| Arc::new(Field::new(format_state_name(args.name, name), item, false));
        Ok(vec![
            field("at", list_of(DataType::Int64)),
            field("steps", list_of(DataType::UInt32)),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Ungrouped::new(OfGroups::of_one(arguments::read(&args)?))))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(OfGroups::new(arguments::read(&args)?)))
    }
}

/// The fields of the answer, in their order.
fn answer_fields() -> Fields {
    Fields::from(vec![
        Field::new("reached", DataType::Int64, false),
        Field::new("entered_at", instant(), true),
        Field::new("avg_seconds", list_of(DataType::Float64), false),
        Field::new("median_seconds", list_of(DataType::Float64), false),
    ])
}

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}
