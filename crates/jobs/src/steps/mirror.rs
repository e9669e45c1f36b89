//! Shaping answers into their tables, and mirroring the tables into the lake.
//!
//! A row that is equal to the one in the lake keeps that one's run and time, so that a run which changes nothing
//! writes nothing; a partition without a changed row is not replaced.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeBinaryArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{cast, concat_batches, interleave_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use chrono::NaiveDate;
use futures::TryStreamExt;
use kindred_engine::{EngineError, Rows, Session};
use kindred_lake::{Dataset, StagedPartition, split_by_day};
use kindred_model::Instant;
use kindred_warehouse::{SummaryTable, TableChange};
use uuid::Uuid;

use super::compute::Computed;
use super::datasets::summary_schema;
use super::work::Work;
use crate::error::JobError;

const RUN_ID: &str = "run_id";
const COMPUTED_AT: &str = "computed_at";

/// The rows of a computed table in the table's own types, without the columns that say who wrote them.
pub(crate) fn shaped(computed: &Computed) -> Result<Rows, JobError> {
    let schema = figures_schema(computed.table);
    let mut batches = Vec::new();
    for batch in computed.answers.iter().flat_map(|answer| &answer.batches) {
        let shape = |problem: String| JobError::Shape {
            query: computed.query.to_owned(),
            table: computed.table.name,
            problem,
        };
        if batch.num_columns() != schema.fields().len() {
            return Err(shape(format!(
                "{} columns instead of {}",
                batch.num_columns(),
                schema.fields().len()
            )));
        }
        batches.push(recast(batch, &schema).map_err(|error| shape(error.to_string()))?);
    }
    Ok(Rows { schema, batches })
}

/// Stages the lake's mirror of the tables, and gives the same rows for the warehouse.
pub(crate) async fn mirror(
    work: &Work<'_>,
    session: &Session,
    tables: Vec<Computed>,
) -> Result<(Vec<TableChange>, Vec<StagedPartition>), JobError> {
    let (platform, run_id) = (work.platform, work.run_id);
    let now = platform.clock.now();
    let (mut changes, mut staged) = (Vec::new(), Vec::new());
    for computed in tables {
        let table = computed.table;
        let rows = shaped(&computed)?;
        let arrange = |source| JobError::Shape {
            query: computed.query.to_owned(),
            table: table.name,
            problem: source,
        };
        let new = concat_batches(&rows.schema, &rows.batches).map_err(|error| arrange(error.to_string()))?;
        let dataset = Dataset::kpi(table.name);
        let days: BTreeSet<_> = split_by_day(&dataset, &new, table.day_column)?
            .into_iter()
            .map(|(day, _)| day)
            .collect();
        let old = published(session, table, &days).await?;
        let merged = Merge { table, run_id, now }.merge(&new, &old, &computed);
        let merged = merged.map_err(|error| arrange(error.to_string()))?;

        let schema = file_schema(table);
        let sql = &platform.queries.get(computed.query)?.sql;
        let mut stage = work.stage(&dataset, &schema, table.key, sql);
        for (day, rows) in merged.partitions {
            let rows = recast(&rows, &schema).map_err(|error| arrange(error.to_string()))?;
            stage.write(day, rows).await?;
        }
        staged.extend(stage.finish().await?);
        changes.push(TableChange {
            table,
            batches: vec![merged.rows],
            scope: computed.scope,
        });
    }
    Ok((changes, staged))
}

/// The rows that stand in the lake for these days.
async fn published(
    session: &Session,
    table: &'static SummaryTable,
    days: &BTreeSet<NaiveDate>,
) -> Result<RecordBatch, JobError> {
    let schema = summary_schema(table);
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Ok(RecordBatch::new_empty(schema));
    };
    session.register_dataset(table.name, &Dataset::kpi(table.name), &schema)?;
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let sql = format!(
        "select {} from {} where date >= date '{first}' and date <= date '{last}'",
        columns.join(", "),
        table.name
    );
    let failed = |error| EngineError::Plan {
        query: format!("the rows of {}", table.name),
        source: Box::new(error),
    };
    let batches: Vec<_> = session.sql(&sql).await?.try_collect().await.map_err(failed)?;
    let shape = |error: ArrowError| JobError::Shape {
        query: sql.clone(),
        table: table.name,
        problem: error.to_string(),
    };
    let batches = batches
        .iter()
        .map(|batch| recast(batch, &schema))
        .collect::<Result<Vec<_>, _>>()
        .map_err(shape)?;
    concat_batches(&schema, &batches).map_err(shape)
}

/// Puts new rows over old ones.
struct Merge {
    table: &'static SummaryTable,
    run_id: Uuid,
    now: Instant,
}

struct Merged {
    /// The new rows, each with the run that last changed it.
    rows: RecordBatch,
    /// The whole of each partition in which a row changed.
    partitions: BTreeMap<NaiveDate, RecordBatch>,
}

impl Merge {
    fn merge(&self, new: &RecordBatch, old: &RecordBatch, computed: &Computed) -> Result<Merged, ArrowError> {
        let old_figures = project(old, &new.schema())?;
        let known = self.index(
            &old_figures,
            new.schema().fields().iter().map(|field| field.name().as_str()),
        )?;
        let new_rows = self.encode(new, new.schema().fields().iter().map(|field| field.name().as_str()))?;
        let same: Vec<Option<usize>> = new_rows.iter().map(|row| known.get(row).copied()).collect();
        let rows = self.sign(new, old, &same)?;

        let new_keys = self.encode(new, self.table.key.iter().copied())?;
        let new_keys: std::collections::HashSet<&OwnedRow> = new_keys.iter().collect();
        let old_keys = self.encode(&old_figures, self.table.key.iter().copied())?;
        let keeps_others = matches!(computed.scope, kindred_warehouse::Scope::Keys);

        let dataset = Dataset::kpi(self.table.name);
        let mut sources: BTreeMap<NaiveDate, Vec<(usize, usize)>> = BTreeMap::new();
        let mut changed = BTreeSet::new();
        let new_days = days_of(&dataset, &rows, self.table.day_column)?;
        for (row, day) in new_days.iter().enumerate() {
            sources.entry(*day).or_default().push((0, row));
            if same[row].is_none() {
                changed.insert(*day);
            }
        }
        for (row, day) in days_of(&dataset, old, self.table.day_column)?.iter().enumerate() {
            let replaced = new_keys.contains(&old_keys[row]);
            match sources.get_mut(day) {
                Some(rows) if !replaced && keeps_others => rows.push((1, row)),
                Some(_) if !replaced => drop(changed.insert(*day)),
                _ => {}
            }
        }
        let mut partitions = BTreeMap::new();
        for day in changed {
            let rows = interleave_record_batch(&[&rows, old], &sources[&day])?;
            partitions.insert(day, rows);
        }
        Ok(Merged { rows, partitions })
    }

    /// The rows with `run_id` and `computed_at`: those of the equal old row, else this run's.
    fn sign(&self, new: &RecordBatch, old: &RecordBatch, same: &[Option<usize>]) -> Result<RecordBatch, ArrowError> {
        let own: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_iter(std::iter::once(
            self.run_id.as_bytes().as_slice(),
        ))?);
        let micros = TimestampMicrosecondArray::from(vec![self.now.timestamp_micros()]).with_timezone("UTC");
        let now: ArrayRef = Arc::new(micros);
        let pick: Vec<(usize, usize)> = same.iter().map(|same| same.map_or((0, 0), |row| (1, row))).collect();
        let schema = summary_schema(self.table);
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            RUN_ID => arrow::compute::interleave(&[&own, column(old, RUN_ID)?], &pick),
            COMPUTED_AT => arrow::compute::interleave(&[&now, column(old, COMPUTED_AT)?], &pick),
            name => column(new, name).cloned(),
        });
        RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
    }

    fn index<'a>(
        &self,
        rows: &RecordBatch,
        columns: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<OwnedRow, usize>, ArrowError> {
        Ok(self
            .encode(rows, columns)?
            .into_iter()
            .enumerate()
            .map(|(index, row)| (row, index))
            .collect())
    }

    fn encode<'a>(
        &self,
        rows: &RecordBatch,
        columns: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<OwnedRow>, ArrowError> {
        let arrays = columns
            .map(|name| column(rows, name).cloned())
            .collect::<Result<Vec<_>, _>>()?;
        let fields = arrays
            .iter()
            .map(|array| SortField::new(array.data_type().clone()))
            .collect();
        let rows = RowConverter::new(fields)?.convert_columns(&arrays)?;
        Ok(rows.iter().map(|row| row.owned()).collect())
    }
}

/// An answer's rows by day, with the columns of `schema`.
pub(crate) fn by_day(
    dataset: &Dataset,
    rows: &Rows,
    day_column: &str,
    schema: &SchemaRef,
) -> Result<BTreeMap<NaiveDate, Vec<RecordBatch>>, JobError> {
    let mut days: BTreeMap<NaiveDate, Vec<RecordBatch>> = BTreeMap::new();
    for batch in &rows.batches {
        for (day, part) in split_by_day(dataset, batch, day_column)? {
            let arrange = |source| kindred_lake::LakeError::Arrange {
                dataset: dataset.to_string(),
                source,
            };
            days.entry(day)
                .or_default()
                .push(recast(&part, schema).map_err(arrange)?);
        }
    }
    Ok(days)
}

/// The day of each row.
fn days_of(dataset: &Dataset, rows: &RecordBatch, day_column: &str) -> Result<Vec<NaiveDate>, ArrowError> {
    let parts = split_by_day(dataset, rows, day_column).map_err(|error| ArrowError::ComputeError(error.to_string()))?;
    Ok(parts
        .iter()
        .flat_map(|(day, rows)| std::iter::repeat_n(*day, rows.num_rows()))
        .collect())
}

/// The table's columns without those that say who wrote the row.
fn figures_schema(table: &SummaryTable) -> SchemaRef {
    without(&summary_schema(table), &[RUN_ID, COMPUTED_AT])
}

/// The columns of the table's files: a `date` is in the path alone.
fn file_schema(table: &SummaryTable) -> SchemaRef {
    without(&summary_schema(table), &["date"])
}

fn without(schema: &SchemaRef, names: &[&str]) -> SchemaRef {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .filter(|field| !names.contains(&field.name().as_str()))
        .cloned()
        .collect();
    Arc::new(arrow::datatypes::Schema::new(fields))
}

/// The columns of `schema`, found by name and brought to its types.
fn recast(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| cast(column(batch, field.name())?, field.data_type()));
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
}

fn project(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    recast(batch, schema)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))
}
