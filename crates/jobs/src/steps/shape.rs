//! Rows in the columns and types that their table or dataset wants.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use kindred_engine::Rows;
use kindred_lake::{Dataset, LakeError, split_by_day};
use kindred_warehouse::SummaryTable;

use super::compute::Computed;
use super::datasets::summary_schema;
use crate::error::JobError;

/// The column that names the run which last changed a row.
pub(crate) const RUN_ID: &str = "run_id";

/// The column that says when it did.
pub(crate) const COMPUTED_AT: &str = "computed_at";

/// The rows of a computed table in the table's own types, without the columns that say who wrote them.
pub(crate) fn figures(computed: &Computed) -> Result<Rows, JobError> {
    let schema = figures_schema(computed.table);
    let mut batches = Vec::new();
    for batch in computed.answers.iter().flat_map(|answer| &answer.batches) {
        if batch.num_columns() != schema.fields().len() {
            let problem = format!("{} columns instead of {}", batch.num_columns(), schema.fields().len());
            return Err(computed.misshapen(problem));
        }
        batches.push(recast(batch, &schema).map_err(|error| computed.misshapen(error))?);
    }
    Ok(Rows { schema, batches })
}

/// An answer's rows by day, with the columns of `schema`.
pub(crate) fn by_day(
    dataset: &Dataset,
    rows: &Rows,
    day_column: &str,
    schema: &SchemaRef,
) -> Result<BTreeMap<NaiveDate, Vec<RecordBatch>>, LakeError> {
    let mut days: BTreeMap<NaiveDate, Vec<RecordBatch>> = BTreeMap::new();
    for batch in &rows.batches {
        for (day, part) in split_by_day(dataset, batch, day_column)? {
            let part = recast(&part, schema);
            let part = part.map_err(|source| LakeError::Arrange {
                dataset: dataset.to_string(),
                source,
            })?;
            days.entry(day).or_default().push(part);
        }
    }
    Ok(days)
}

/// The columns of a table that are computed.
pub(crate) fn figures_schema(table: &SummaryTable) -> SchemaRef {
    without(&summary_schema(table), &[RUN_ID, COMPUTED_AT])
}

/// The columns of a table's files: a `date` is in the path alone.
pub(crate) fn file_schema(table: &SummaryTable) -> SchemaRef {
    without(&summary_schema(table), &["date"])
}

fn without(schema: &SchemaRef, names: &[&str]) -> SchemaRef {
    let fields = schema
        .fields()
        .iter()
        .filter(|field| !names.contains(&field.name().as_str()));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}

/// The columns of `schema`, found by name and brought to its types.
pub(crate) fn recast(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| cast(column(batch, field.name())?, field.data_type()));
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
}

/// The column of this name.
pub(crate) fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))
}
