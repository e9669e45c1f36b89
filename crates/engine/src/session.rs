//! The engine of the process, and its sessions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_plan::{SendableRecordBatchStream, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use kindred_lake::{Dataset, Fault, Lake, PartitionFile, PinnedStore, Snapshot};
use tokio::time::timeout;

use crate::bind::{Bound, Planned, read_only};
use crate::by_hour::ByHour;
use crate::few_keys::FewKeys;
use crate::table::PartitionedTable;
use crate::{EngineError, Params, Query, Work, functions};

/// Bytes of footers that are kept, beside the memory of the plans: one of a quarter opens thousands of files, and the next
/// one the same.
const FOOTERS: usize = 64 << 20;

/// How much the engine may take.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Bytes of memory for all plans of the process together; beyond it they spill.
    pub memory_limit: usize,
    /// Where they spill to.
    pub spill_folder: PathBuf,
    /// How long one plan may take.
    pub deadline: Duration,
    /// Partitions that a plan is split into, one for each core by default.
    pub target_partitions: usize,
}

/// The engine: one for the process, so that its memory is bounded once.
#[derive(Debug, Clone)]
pub struct Engine {
    runtime: Arc<RuntimeEnv>,
    options: EngineOptions,
}

/// The answer of a query.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, in the order of the query.
    pub batches: Vec<RecordBatch>,
}

impl Rows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Engine {
    /// Sets the engine up.
    ///
    /// # Errors
    /// When the spill folder cannot be used.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        // Two processes may start at once, and the engine's own way of making it fails where the other was faster.
        std::fs::create_dir_all(&options.spill_folder)
            .map_err(|error| EngineError::Start(Box::new(DataFusionError::IoError(error))))?;
        let disk =
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![options.spill_folder.clone()]));
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_limit)))
            .with_disk_manager_builder(disk)
            .with_metadata_cache_limit(FOOTERS)
            .build_arc()
            .map_err(|error| EngineError::Start(Box::new(error)))?;
        Ok(Self { runtime, options })
    }

    /// Bytes of memory that the plans of the process share.
    #[must_use]
    pub const fn memory_limit(&self) -> usize {
        self.options.memory_limit
    }

    /// A session over the files of a snapshot.
    #[must_use]
    pub fn session(&self, lake: &Lake, snapshot: Snapshot) -> Session {
        // Its own address in the registry, so that its pins are its own.
        let address = format!("lake://{}", uuid::Uuid::new_v4());
        let url = ObjectStoreUrl::parse(&address).expect("a scheme and a uuid are an address");
        let store = Arc::new(PinnedStore::new(lake.store()));
        self.runtime
            .register_object_store(url.as_ref(), Arc::clone(&store) as Arc<_>);
        let reading = Reading {
            store,
            lake: lake.address().into(),
        };
        let contexts = [self.options.target_partitions, 1].map(|partitions| self.context(partitions));
        Session {
            engine: self.clone(),
            url,
            reading,
            snapshot,
            contexts,
        }
    }

    fn context(&self, target_partitions: usize) -> SessionContext {
        let mut config = SessionConfig::new()
            .with_target_partitions(target_partitions)
            .with_information_schema(true)
            .set_str("datafusion.execution.spill_compression", "lz4_frame");
        config.options_mut().execution.parquet.pushdown_filters = true;
        config.options_mut().execution.parquet.schema_force_view_types = false;
        // What a join has found out about its keys while it runs would be asked of every row of every file that its other
        // side reads, with all that the keys are computed from, once for each bound: dearer than the join itself.
        config.options_mut().optimizer.enable_join_dynamic_filter_pushdown = false;
        // Up to about these sizes, one core that builds the table of a join is sooner done than both cores that move
        // the rows of its other side to each other.
        config.options_mut().optimizer.hash_join_single_partition_threshold = 8 << 20;
        config.options_mut().optimizer.hash_join_single_partition_threshold_rows = 1 << 19;
        // Whole days lie in one stream where they can, so that what is grouped by day and more need not move. By default,
        // that counts from four streams on.
        config.options_mut().optimizer.subset_repartition_threshold = 1;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::clone(&self.runtime))
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(FewKeys))
            .with_physical_optimizer_rule(Arc::new(ByHour));
        let context = SessionContext::new_with_state(state.build());
        functions::register(&context);
        context
    }
}

/// A view of the lake's files at one moment, and of rows given to it.
pub struct Session {
    engine: Engine,
    url: ObjectStoreUrl,
    reading: Reading,
    snapshot: Snapshot,
    /// The same tables twice: for all cores, and for the retry on a single partition.
    contexts: [SessionContext; 2],
}

impl Drop for Session {
    fn drop(&mut self) {
        // Not being there is the only way for this to fail.
        let _ = self.engine.runtime.deregister_object_store(self.url.as_ref());
    }
}

impl Session {
    /// Makes a dataset's files readable as table `name`. Without files, the table is empty.
    ///
    /// # Errors
    /// When the name is taken by something that is no table.
    pub fn register_dataset(&self, name: &str, dataset: &Dataset, schema: &SchemaRef) -> Result<(), EngineError> {
        self.register_partitions(name, dataset, self.snapshot.files(dataset), schema)
    }

    /// Makes some of the snapshot's files, each of a day, readable as table `name`.
    ///
    /// # Errors
    /// When the name is taken by something that is no table.
    pub fn register_files<'a>(
        &self,
        name: &str,
        files: impl Iterator<Item = &'a PartitionFile>,
        schema: &SchemaRef,
    ) -> Result<(), EngineError> {
        self.register(name, Arc::new(self.table(files, schema, false)))
    }

    /// Makes some of a dataset's files readable as table `name`.
    ///
    /// # Errors
    /// When the name is taken by something that is no table.
    pub fn register_partitions<'a>(
        &self,
        name: &str,
        dataset: &Dataset,
        files: impl Iterator<Item = &'a PartitionFile>,
        schema: &SchemaRef,
    ) -> Result<(), EngineError> {
        self.register(name, Arc::new(self.table(files, schema, dataset.is_hourly())))
    }

    fn table<'a>(
        &self,
        files: impl Iterator<Item = &'a PartitionFile>,
        schema: &SchemaRef,
        hourly: bool,
    ) -> PartitionedTable {
        let store = Arc::clone(&self.reading.store);
        PartitionedTable::new(self.url.clone(), store, schema, files.cloned().collect(), hourly)
    }

    /// Makes rows readable as table `name`, in place of an earlier one.
    ///
    /// # Errors
    /// When the rows do not fit their schema.
    pub fn register_rows(&self, name: &str, rows: &Rows) -> Result<(), EngineError> {
        let table = MemTable::try_new(Arc::clone(&rows.schema), vec![rows.batches.clone()]);
        self.register(name, Arc::new(table.map_err(|error| failed(name, error))?))
    }

    fn register(&self, name: &str, table: Arc<dyn datafusion::catalog::TableProvider>) -> Result<(), EngineError> {
        for context in &self.contexts {
            context.deregister_table(name).map_err(|error| failed(name, error))?;
            context
                .register_table(name, Arc::clone(&table))
                .map_err(|error| failed(name, error))?;
        }
        Ok(())
    }

    /// The answer of a query of the library, within the deadline.
    ///
    /// A plan that does not end in time is tried once more on one partition: DataFusion 55.2 can hang for ever in a
    /// grouped distinct that spills on two or more.
    ///
    /// # Errors
    /// When a table or parameter is missing, the plan fails, or both tries run into the deadline.
    pub async fn query(&self, query: &Query, params: &Params) -> Result<Rows, EngineError> {
        Ok(self.measured(query, params).await?.0)
    }

    /// The same, with what the plan has done.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn measured(&self, query: &Query, params: &Params) -> Result<(Rows, Work), EngineError> {
        let bound = Bound::new(query, params)?;
        let began = Instant::now();
        for (attempt, context) in self.contexts.iter().enumerate() {
            expect_tables(context, query)?;
            let work = async {
                let Planned { frame, work, held } = bound.plan(context, &query.sql).await?;
                let schema = Arc::clone(frame.schema().inner());
                let task = Arc::new(frame.task_ctx());
                let plan = frame.create_physical_plan().await?;
                let batches = collect(Arc::clone(&plan), task).await?;
                drop(held);
                Ok((Rows { schema, batches }, work + Work::of(&plan)))
            };
            match timeout(self.engine.options.deadline, work).await {
                Ok(result) => {
                    let (rows, work) = result.map_err(|error| self.reading.stopped(&query.name, error))?;
                    let ms = began.elapsed().as_millis();
                    let Work {
                        rows_read, bytes_read, ..
                    } = work;
                    tracing::debug!(
                        query = query.name,
                        ms,
                        rows = rows.len(),
                        rows_read,
                        bytes_read,
                        "answered"
                    );
                    return Ok((rows, work));
                }
                Err(_) => tracing::warn!(query = query.name, attempt, "a plan ran into its deadline"),
            }
        }
        Err(EngineError::Deadline {
            query: query.name.clone(),
            after: self.engine.options.deadline,
        })
    }

    /// The answer of a query of the library as it comes, for answers that are too large to hold. The caller keeps the
    /// time.
    ///
    /// # Errors
    /// When a table or parameter is missing or the plan fails; later, with a batch.
    pub async fn stream(
        &self,
        query: &Query,
        params: &Params,
    ) -> Result<BoxStream<'static, Result<RecordBatch, EngineError>>, EngineError> {
        let bound = Bound::new(query, params)?;
        let context = &self.contexts[0];
        expect_tables(context, query)?;
        let plan = async {
            let Planned { frame, held, .. } = bound.plan(context, &query.sql).await?;
            Ok((frame.execute_stream().await?, held))
        };
        let (reading, name) = (self.reading.clone(), query.name.clone());
        let failed = move |error| reading.stopped(&name, error);
        let (rows, held) = plan.await.map_err(&failed)?;
        let rows = rows.map_err(move |error| {
            // The rows that the plan holds live as long as its stream.
            let _ = &held;
            failed(error)
        });
        Ok(rows.boxed())
    }

    /// The rows of any statement that only reads, as they come. For people at a prompt: no deadline.
    ///
    /// # Errors
    /// When the statement is malformed, changes anything, or its plan fails.
    pub async fn sql(&self, sql: &str) -> Result<SendableRecordBatchStream, EngineError> {
        let frame = self.contexts[0].sql_with_options(sql, read_only()).await;
        let frame = frame.map_err(|error| failed(sql, error))?;
        let rows = frame.execute_stream().await;
        rows.map_err(|error| self.reading.stopped(sql, error))
    }

    /// What a failure among the rows of [`Session::sql`] means; errors call the statement `name`.
    #[must_use]
    pub fn failure(&self, name: &str, source: DataFusionError) -> EngineError {
        self.reading.stopped(name, source)
    }
}

fn expect_tables(context: &SessionContext, query: &Query) -> Result<(), EngineError> {
    for table in &query.reads {
        let exists = context.table_exist(table.as_str());
        if !exists.map_err(|error| failed(&query.name, error))? {
            return Err(EngineError::MissingTable {
                query: query.name.clone(),
                table: table.clone(),
            });
        }
    }
    Ok(())
}

/// A failure before anything is read.
fn failed(query: &str, source: DataFusionError) -> EngineError {
    EngineError::Plan {
        query: query.to_owned(),
        lost_a_file: false,
        source: Box::new(source),
    }
}

/// What a session's plans read.
#[derive(Clone)]
struct Reading {
    store: Arc<PinnedStore>,
    /// The lake's address.
    lake: Arc<str>,
}

impl Reading {
    /// A failure while the store's files are read.
    fn stopped(&self, query: &str, source: DataFusionError) -> EngineError {
        let (query, source) = (query.to_owned(), Box::new(source));
        match self.store.fault() {
            Some(fault) if fault.is_unreachable() => EngineError::Lake {
                query,
                lake: self.lake.to_string(),
                fault,
                source,
            },
            fault => EngineError::Plan {
                query,
                lost_a_file: fault == Some(Fault::Changed),
                source,
            },
        }
    }
}
