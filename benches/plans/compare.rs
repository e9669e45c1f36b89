//! Whether two answers are the same, row by row.

use anyhow::{Context, bail, ensure};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use arrow::util::display::array_value_to_string;

/// How far two quotients may be apart, in terms of the larger one: engines round on different ways.
const NEARLY: f64 = 1e-9;

/// Expects the peer's rows to equal ours, column by column and in their order. `what` names them in the error.
pub(crate) fn expect_same(what: &str, ours: &[RecordBatch], peers: &[RecordBatch]) -> anyhow::Result<()> {
    let rows = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    ensure!(
        rows(ours) == rows(peers),
        "{what}: {} rows, and {} of the peer",
        rows(ours),
        rows(peers)
    );
    ensure!(rows(ours) > 0, "{what}: there are no rows to compare");
    let schema = ours[0].schema();
    let columns = peers[0].num_columns();
    ensure!(
        schema.fields().len() == columns,
        "{what}: {} columns, and {columns} of the peer",
        schema.fields().len()
    );
    for (index, field) in schema.fields().iter().enumerate() {
        let [ours, peers] = [ours, peers].map(|batches| column(batches, index));
        let column = field.name();
        let (ours, peers) = (ours?, peers?);
        if let Some(row) = first_difference(&ours, &peers).with_context(|| format!("{what}: column {column}"))? {
            let [ours, peers] = [&ours, &peers].map(|values| array_value_to_string(values, row));
            bail!(
                "{what}: {column} of row {} is {:?}, and {:?} of the peer",
                row + 1,
                ours?,
                peers?
            );
        }
    }
    Ok(())
}

/// A column of all batches, in the one type of its kind.
fn column(batches: &[RecordBatch], index: usize) -> anyhow::Result<ArrayRef> {
    let parts: Vec<_> = batches.iter().map(|batch| batch.column(index).as_ref()).collect();
    let values = concat(&parts)?;
    let plain = match values.data_type() {
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, None),
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_floating() || kind.is_decimal() => DataType::Float64,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        other => other.clone(),
    };
    // A boolean leaves DuckDB as a byte.
    Ok(cast(&values, &plain)?)
}

fn first_difference(ours: &ArrayRef, peers: &ArrayRef) -> anyhow::Result<Option<usize>> {
    if let (DataType::Float64, DataType::Float64) = (ours.data_type(), peers.data_type()) {
        let (ours, peers) = (ours.as_primitive::<Float64Type>(), peers.as_primitive::<Float64Type>());
        return Ok(ours.iter().zip(peers).position(|pair| match pair {
            (Some(one), Some(other)) => {
                one.is_nan() || other.is_nan() || (one - other).abs() > NEARLY * one.abs().max(other.abs())
            }
            (one, other) => one.is_some() != other.is_some(),
        }));
    }
    let peers = cast(peers, ours.data_type())?;
    let same = not_distinct(ours, &peers)?;
    Ok((0..same.len()).find(|row| !same.value(*row)))
}
