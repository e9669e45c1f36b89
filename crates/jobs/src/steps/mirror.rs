//! Mirroring the tables into the lake.
//!
//! A row that is equal to the one in the lake keeps that one's run and time, so that a run which changes nothing
//! writes nothing; a partition without a changed row is not replaced.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use chrono::NaiveDate;
use kindred_engine::Session;
use kindred_lake::{Dataset, StagedPartition, split_by_day};
use kindred_warehouse::{SUMMARY_TABLES, Scope, SummaryTable, TableChange};

use super::answers;
use super::compute::Computed;
use super::datasets::summary_schema;
use super::merge::Merge;
use super::shape::{figures, file_schema, recast};
use super::spool::Spooled;
use super::work::Work;
use crate::error::JobError;

/// Stages the lake's mirror of the tables, and gives the same rows for the warehouse. By table, `unsettled` are the
/// days whose partitions are replaced in any case.
pub(crate) async fn mirror(
    work: &Work<'_>,
    session: &Session,
    tables: Vec<Computed>,
    spooled: Vec<Spooled>,
    unsettled: &BTreeMap<&'static str, BTreeSet<NaiveDate>>,
) -> Result<(Vec<TableChange>, Vec<StagedPartition>), JobError> {
    let (mut changes, mut staged) = (Vec::new(), Vec::new());
    let none = BTreeSet::new();
    for computed in tables {
        let table = computed.table;
        let rows = figures(&computed)?;
        let new = concat_batches(&rows.schema, &rows.batches).map_err(|error| computed.misshapen(error))?;
        let merge = Merge::new(work, table);
        let days = days(&computed.scope, table, &new)?;
        let old = published(session, table, &days).await?;
        let merged = merge
            .merge(
                &new,
                &old,
                &days,
                unsettled.get(table.name).unwrap_or(&none),
                &computed.scope,
            )
            .map_err(|error| computed.misshapen(error))?;

        let schema = file_schema(table);
        let sql = &work.platform.queries.get(computed.query)?.sql;
        let mut stage = work.stage(&Dataset::kpi(table.name), &schema, table.key, sql);
        for (day, rows) in &merged.partitions {
            let rows = recast(rows, &schema).map_err(|error| computed.misshapen(error))?;
            stage.write(*day, rows).await?;
        }
        staged.extend(stage.finish().await?);
        changes.push(TableChange {
            table,
            rows: vec![merged.rows].into(),
            scope: computed.scope,
        });
    }
    for spooled in spooled {
        let unsettled = unsettled.get(spooled.table.name).unwrap_or(&none);
        let (change, files) = spooled.mirror(work, session, unsettled).await?;
        changes.push(change);
        staged.extend(files);
    }
    Ok((changes, staged))
}

/// Whether the lake has a table too; events are there as facts.
pub(super) fn is_mirrored(table: &SummaryTable) -> bool {
    SUMMARY_TABLES.iter().any(|mirrored| mirrored.name == table.name)
}

/// The days whose partitions the rows may change.
fn days(scope: &Scope, table: &SummaryTable, rows: &RecordBatch) -> Result<BTreeSet<NaiveDate>, JobError> {
    let covered = scope
        .intervals()
        .into_iter()
        .flat_map(|interval| interval.days().days());
    let parts = split_by_day(&Dataset::kpi(table.name), rows, table.day_column)?;
    Ok(covered.chain(parts.into_iter().map(|(day, _)| day)).collect())
}

/// The rows that stand in the lake for these days.
pub(super) async fn published(
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
    let batches = answers::rows(session, &format!("the rows of {}", table.name), &sql).await?;
    let misfit = |error: arrow::error::ArrowError| JobError::Shape {
        query: format!("the rows of {} in the lake", table.name),
        table: table.name,
        problem: error.to_string(),
    };
    let batches = batches
        .iter()
        .map(|batch| recast(batch, &schema))
        .collect::<Result<Vec<_>, _>>()
        .map_err(misfit)?;
    concat_batches(&schema, &batches).map_err(misfit)
}
