//! `set_spread(set, n)`: the numbers that lie up to n - 1 above one of a set's.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::functions) struct SetSpread {
    signature: Signature,
}

impl Default for SetSpread {
    fn default() -> Self {
        Self {
            signature: Signature::exact(vec![DataType::Binary, DataType::Int64], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for SetSpread {
    fn name(&self) -> &'static str {
        "set_spread"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let (sets, lengths) = (columns[0].as_binary::<i32>(), columns[1].as_primitive::<Int64Type>());
        let mut spread = BinaryBuilder::with_capacity(sets.len(), sets.value_data().len() * 2);
        for (set, length) in sets.iter().zip(lengths.iter()) {
            match (set, length) {
                (Some(set), Some(length)) => spread.append_value(spread_by(set, length)?),
                _ => spread.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(spread.finish()) as ArrayRef))
    }
}

/// Or-ed with itself moved by 1, 2, 4 and so on: each step doubles what has been reached.
fn spread_by(set: &[u8], length: i64) -> Result<Vec<u8>> {
    let Some(further) = usize::try_from(length).ok().filter(|length| *length <= 1 << 16) else {
        return exec_err!("set_spread takes a length from 0 to 65,536, and was given {length}");
    };
    if further == 0 {
        return Ok(Vec::new());
    }
    let mut spread = set.to_vec();
    spread.resize(set.len() + (further - 1).div_ceil(8), 0);
    let mut reached = 1;
    while reached < further {
        let step = reached.min(further - reached);
        or_moved(&mut spread, step);
        reached += step;
    }
    Ok(spread)
}

/// Ors a set with itself `by` numbers further up.
fn or_moved(set: &mut [u8], by: usize) {
    let (bytes, bits) = (by / 8, by % 8);
    for place in (bytes..set.len()).rev() {
        let from = place - bytes;
        let below = if bits > 0 && from > 0 {
            set[from - 1] >> (8 - bits)
        } else {
            0
        };
        set[place] |= set[from] << bits | below;
    }
}
