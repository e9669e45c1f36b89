//! `set_has(set, n)`: whether a number is in a set.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::functions) struct SetHas {
    signature: Signature,
}

impl Default for SetHas {
    fn default() -> Self {
        Self {
            signature: Signature::exact(vec![DataType::Binary, DataType::Int64], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for SetHas {
    fn name(&self) -> &'static str {
        "set_has"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let (sets, numbers) = (columns[0].as_binary::<i32>(), columns[1].as_primitive::<Int64Type>());
        let rows = sets.iter().zip(numbers.iter());
        let has: BooleanArray = rows.map(|(set, number)| Some(holds(set?, number?))).collect();
        Ok(ColumnarValue::Array(Arc::new(has) as ArrayRef))
    }
}

fn holds(set: &[u8], number: i64) -> bool {
    let byte = usize::try_from(number / 8).ok().filter(|_| number >= 0);
    let byte = byte.and_then(|place| set.get(place)).copied().unwrap_or_default();
    byte >> (number.rem_euclid(8)) & 1 == 1
}
