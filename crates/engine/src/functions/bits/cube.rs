//! `bits_cube(entries)`: the entries by both halves of their keys, by either, and by none.

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::entries::{Entry, Lists, ListsBuilder, lists_type};

/// The lower half of a key.
const LOWER: i64 = 0xffff_ffff;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::functions) struct BitsCube {
    signature: Signature,
}

impl Default for BitsCube {
    fn default() -> Self {
        Self {
            signature: Signature::exact(vec![lists_type()], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for BitsCube {
    fn name(&self) -> &'static str {
        "bits_cube"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(lists_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let lists = Lists::of(&columns[0]);
        let (mut cubes, mut cube) = (ListsBuilder::default(), Vec::new());
        for row in 0..columns[0].len() {
            cube.clear();
            for entry in lists.row(row) {
                let of_any = |key| Entry { key, ..entry };
                cube.extend([entry.key, entry.key & !LOWER, entry.key & LOWER, 0].map(of_any));
            }
            cube.sort_unstable_by_key(|entry| entry.key);
            cube.dedup_by(|entry, kept| {
                let same = entry.key == kept.key;
                if same {
                    kept.join(*entry);
                }
                same
            });
            cubes.append(&cube);
        }
        Ok(ColumnarValue::Array(cubes.finish(columns[0].nulls().cloned())))
    }
}
