//! `rolling(day, value, from, to, lengths)`: the spread of a group's values in every window that ends with a day.
//!
//! Each row has its day, and a value or none. For every day from `from` up to `to`, which is excluded, and each of
//! `lengths`, a list of days, the answer has one struct:
//!
//! - `as_of`, `days`: the day that the window ends with, and its length;
//! - `total`: the rows whose day lies in it;
//! - `valued`: those of them that have a value;
//! - `mean`, `median`, `p90` of the values, percentiles interpolated between the two nearest; null without a value. The
//!   mean is exact to the millionth, whatever the order of the rows.
//!
//! Percentiles of longer windows do not follow from those of shorter ones. SQL would have a row of its own for each of
//! the windows that a row counts in, and sort them all; here a group's rows are sorted once.

mod arguments;
mod groups;
mod windows;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility};

use super::ungrouped::Ungrouped;
use groups::OfGroups;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Rolling {
    signature: Signature,
}

impl Default for Rolling {
    fn default() -> Self {
        Self {
            signature: Signature::any(5, Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Rolling {
    fn name(&self) -> &'static str {
        "rolling"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        arguments::expect_types(of)?;
        Ok(list_of(DataType::Struct(answer_fields())))
    }

    /// The rows themselves, so that parts of a group meet from any partition.
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name, item| Arc::new(Field::new(format_state_name(args.name, name), list_of(item), false));
        Ok(vec![field("day", DataType::Int32), field("value", DataType::Float64)])
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

/// The fields of a window, in their order.
fn answer_fields() -> Fields {
    Fields::from(vec![
        Field::new("as_of", DataType::Date32, false),
        Field::new("days", DataType::Int64, false),
        Field::new("total", DataType::Int64, false),
        Field::new("valued", DataType::Int64, false),
        Field::new("mean", DataType::Float64, true),
        Field::new("median", DataType::Float64, true),
        Field::new("p90", DataType::Float64, true),
    ])
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}
