//! `id_hash(text) → bigint`: eight bytes that stand for an id where its own length is too much to keep.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The first 8 bytes, little-endian, of an id's BLAKE3 hash. Equal ids have equal hashes; two others may too, so that a
/// match is a reason to look, and no answer.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IdHash {
    signature: Signature,
}

impl Default for IdHash {
    fn default() -> Self {
        Self {
            signature: Signature::string(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for IdHash {
    fn name(&self) -> &'static str {
        "id_hash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ids = ColumnarValue::values_to_arrays(&arguments.args)?.remove(0);
        let ids = cast(&ids, &DataType::Utf8)?;
        let hashes: Int64Array = ids.as_string::<i32>().iter().map(|id| id.map(hash)).collect();
        Ok(ColumnarValue::Array(Arc::new(hashes) as ArrayRef))
    }
}

fn hash(id: &str) -> i64 {
    let hash = blake3::hash(id.as_bytes());
    let (first, _) = hash.as_bytes().split_first_chunk().expect("a BLAKE3 hash has 32 bytes");
    i64::from_le_bytes(*first)
}

#[cfg(test)]
mod tests {
    use datafusion::execution::context::SessionContext;
    use datafusion::logical_expr::ScalarUDF;

    use super::*;

    #[tokio::test]
    async fn equal_ids_have_equal_hashes_and_none_has_none() {
        let context = SessionContext::new();
        context.register_udf(ScalarUDF::from(IdHash::default()));
        let sql = "select id_hash(id) from (values ('a'), (null), ('b'), ('a'), ('')) as ids (id)";
        let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
        let hashes: Vec<_> = rows[0]
            .column(0)
            .as_primitive::<datafusion::arrow::datatypes::Int64Type>()
            .iter()
            .collect();
        assert_eq!((hashes[0], hashes[1]), (hashes[3], None));
        assert!(hashes[0] != hashes[2] && hashes[4].is_some());
    }
}
