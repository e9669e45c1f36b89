//! Tables whose rows are too many to hold: computed onto disk, a file a day, merged a day at a time into the lake's mirror,
//! and read from disk once more when they are published.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use futures::stream::BoxStream;
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use kindred_engine::{Engine, EngineError, Params, Session};
use kindred_lake::{Dataset, Lake, Snapshot, StagedPartition};
use kindred_warehouse::{ChangeRows, RowSource, RowStream, Scope, SummaryTable, TableChange};

use super::datasets::summary_schema;
use super::merge::Merge;
use super::mirror::{is_mirrored, published};
use super::shape::{figures_schema, file_schema, recast};
use super::work::Work;
use crate::error::JobError;

/// The name of the files in SQL.
const SPOOLED: &str = "spooled";

/// The rows of a table on disk, staged as if they were state, and never swapped in. Those of a table that the lake does
/// not mirror are signed already.
pub(crate) struct Spooled {
    pub(crate) table: &'static SummaryTable,
    pub(crate) rows: u64,
    query: &'static str,
    scope: Scope,
    files: Files,
}

impl Spooled {
    /// Computes the rows, by one plan for each of `params`, oldest first. The query orders them by day.
    pub(crate) async fn compute(
        work: &Work<'_>,
        session: &Session,
        query: &'static str,
        table: &'static SummaryTable,
        scope: Scope,
        params: Vec<Params>,
    ) -> Result<Self, JobError> {
        let misshapen = |error| misshapen(query, table, &error);
        let figures = figures_schema(table);
        let schema = if is_mirrored(table) {
            figures.clone()
        } else {
            summary_schema(table)
        };
        let merge = Merge::new(work, table);
        let plan = work.platform.queries.get(query)?;
        let mut stage = work.spool(&format!("computed_{}", table.name), &schema);
        let mut count = 0;
        for params in params {
            let mut rows = session.stream(plan, &params).await?;
            while let Some(batch) = rows.next().await {
                let mut batch = recast(&batch?, &figures).map_err(misshapen)?;
                if !is_mirrored(table) {
                    batch = merge.sign_all(&batch).map_err(misshapen)?;
                }
                count += batch.num_rows() as u64;
                stage.write_by(&batch, table.day_column).await?;
            }
        }
        Ok(Self {
            table,
            rows: count,
            query,
            scope,
            files: Files::new(work, schema, stage.finish().await?),
        })
    }

    /// Stages the lake's mirror, and gives the same rows for the warehouse. `unsettled` are the days whose partitions are
    /// replaced in any case.
    pub(crate) async fn mirror(
        self,
        work: &Work<'_>,
        session: &Session,
        unsettled: &BTreeSet<NaiveDate>,
    ) -> Result<(TableChange, Vec<StagedPartition>), JobError> {
        let Self {
            table, query, scope, ..
        } = self;
        let change = |files: Files| TableChange {
            table,
            rows: ChangeRows::Stored(Arc::new(files)),
            scope: scope.clone(),
        };
        if !is_mirrored(table) {
            return Ok((change(self.files), Vec::new()));
        }
        let misshapen = |error| misshapen(query, table, &error);
        let (rows_schema, file_schema) = (summary_schema(table), file_schema(table));
        let sql = &work.platform.queries.get(query)?.sql;
        let mut signed = work.spool(&format!("signed_{}", table.name), &rows_schema);
        let mut mirror = work.stage(&Dataset::kpi(table.name), &file_schema, table.key, sql);
        let merge = Merge::new(work, table);
        let covered = scope
            .intervals()
            .into_iter()
            .flat_map(|interval| interval.days().days());
        let days: BTreeSet<_> = covered.chain(self.files.days()).collect();
        for day in days {
            let new = self.files.of_day(day);
            let new: Vec<_> = new.read_batches().try_collect().await?;
            let new = concat_batches(&self.files.schema, &new).map_err(misshapen)?;
            let day = BTreeSet::from([day]);
            let old = published(session, table, &day).await?;
            let merged = merge.merge(&new, &old, &day, unsettled, &scope).map_err(misshapen)?;
            for (day, rows) in merged.partitions {
                mirror
                    .write(day, recast(&rows, &file_schema).map_err(misshapen)?)
                    .await?;
            }
            signed.write_by(&merged.rows, table.day_column).await?;
        }
        let signed = Files::new(work, rows_schema, signed.finish().await?);
        Ok((change(signed), mirror.finish().await?))
    }
}

fn misshapen(query: &str, table: &'static SummaryTable, problem: &arrow::error::ArrowError) -> JobError {
    JobError::Shape {
        query: query.to_owned(),
        table: table.name,
        problem: problem.to_string(),
    }
}

/// Staged files with equal columns.
#[derive(Debug, Clone)]
struct Files {
    engine: Engine,
    lake: Lake,
    schema: SchemaRef,
    files: Vec<StagedPartition>,
}

impl Files {
    fn new(work: &Work<'_>, schema: SchemaRef, files: Vec<StagedPartition>) -> Self {
        Self {
            engine: work.platform.engine.clone(),
            lake: work.platform.lake.clone(),
            schema,
            files,
        }
    }

    fn days(&self) -> impl Iterator<Item = NaiveDate> {
        self.files.iter().map(|file| file.partition.day)
    }

    fn of_day(&self, day: NaiveDate) -> Self {
        let files = self.files.iter().filter(|file| file.partition.day == day);
        Self {
            files: files.cloned().collect(),
            ..self.clone()
        }
    }

    /// The rows as they come.
    fn read_batches(&self) -> BoxStream<'static, Result<RecordBatch, EngineError>> {
        let Self {
            engine,
            lake,
            schema,
            files,
        } = self.clone();
        let read = async move {
            let snapshot = Snapshot::of(&files);
            let session = engine.session(&lake, snapshot.clone());
            session.register_files(SPOOLED, snapshot.all(), &schema)?;
            let columns: Vec<_> = schema
                .fields()
                .iter()
                .map(|field| format!("\"{}\"", field.name()))
                .collect();
            let rows = session
                .sql(&format!("select {} from {SPOOLED}", columns.join(", ")))
                .await?;
            // The files are there as long as their session is, which goes with the rows.
            Ok::<_, EngineError>(rows.map_err(move |error| session.failure(SPOOLED, error)))
        };
        read.try_flatten_stream().boxed()
    }
}

impl RowSource for Files {
    fn read(&self) -> RowStream {
        self.read_batches().map_err(Into::into).boxed()
    }
}
