//! A table over explicit Parquet files, one for each partition, with the partition's day as the column `date`, and its
//! hour, where there are hours, as `hour`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int32Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use kindred_lake::{Partition, PartitionFile, PinnedStore};
use object_store::{ObjectMeta, ObjectStore};

use crate::footers::{FOOTER_BYTES, estimated_rows};
use crate::shares;

/// The columns that stand for a file's partition.
pub(crate) const DATE: &str = "date";
const HOUR: &str = "hour";

/// From so many rows a file on, an index of its pages, of 20,000 rows each, is worth what it costs: it is read and decoded by
/// each scan anew. Of smaller files, it would leave out more than their footer does where few keys are looked for alone.
const ROWS_WORTH_AN_INDEX: usize = 1_000_000;

/// The files of one dataset, as a snapshot found them. A filter on `date` and `hour` alone decides which of them are
/// opened.
#[derive(Debug)]
pub(crate) struct PartitionedTable {
    address: ObjectStoreUrl,
    store: Arc<PinnedStore>,
    schema: TableSchema,
    files: Vec<PartitionFile>,
}

impl PartitionedTable {
    /// A table of `files` in `store`, which plans know by its `address`, each with the columns of `file_schema`, for days
    /// or, `hourly`, for hours.
    pub(crate) fn new(
        address: ObjectStoreUrl,
        store: Arc<PinnedStore>,
        file_schema: &SchemaRef,
        files: Vec<PartitionFile>,
        hourly: bool,
    ) -> Self {
        // The lake's KPI tables have a `date` of their own, which lives in the path alone.
        let fields: Vec<_> = file_schema
            .fields()
            .iter()
            .filter(|field| field.name() != DATE)
            .cloned()
            .collect();
        let mut keys = vec![Arc::new(Field::new(DATE, DataType::Date32, false))];
        if hourly {
            keys.push(Arc::new(Field::new(HOUR, DataType::Int32, false)));
        }
        let schema = TableSchema::builder(Arc::new(Schema::new(fields)))
            .with_table_partition_cols(keys)
            .build();
        Self {
            address,
            store,
            schema,
            files,
        }
    }

    /// The files that may pass the filters which speak of nothing but their partition.
    fn pruned(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<PartitionFile>> {
        let on_key = filters
            .iter()
            .filter(|filter| self.speaks_of_key_alone(filter))
            .cloned();
        let Some(predicate) = conjunction(on_key) else {
            return Ok(self.files.clone());
        };
        let keys: Vec<_> = self.schema.table_partition_cols().to_vec();
        let schema = Arc::new(Schema::new(keys));
        let predicate = state.create_physical_expr(predicate, &DFSchema::try_from(Arc::clone(&schema))?)?;
        let values = self.files.iter().map(|file| file.partition);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Date32Array::from_iter_values(
            values
                .clone()
                .map(|partition| Date32Type::from_naive_date(partition.day)),
        ))];
        if schema.fields().len() > 1 {
            columns.push(Arc::new(Int32Array::from_iter_values(values.map(hour_of))));
        }
        let batch = RecordBatch::try_new(schema, columns)?;
        let passes = predicate.evaluate(&batch)?.into_array(batch.num_rows())?;
        let passes = passes.as_boolean();
        let kept = self.files.iter().enumerate();
        let kept = kept.filter(|(row, _)| passes.is_valid(*row) && passes.value(*row));
        Ok(kept.map(|(_, file)| file.clone()).collect())
    }

    fn speaks_of_key_alone(&self, filter: &Expr) -> bool {
        let keys = self.schema.table_partition_cols();
        let columns = filter.column_refs();
        let is_key = |name: &str| keys.iter().any(|key| key.name() == name);
        !columns.is_empty() && columns.iter().all(|column| is_key(&column.name)) && !filter.is_volatile()
    }

    /// The files for each of so many streams, and what can be said of the rows that each of them gives.
    fn shared_out(
        &self,
        mut files: Vec<PartitionFile>,
        streams: usize,
    ) -> Result<(Vec<FileGroup>, Option<Partitioning>)> {
        files.sort_by_key(|file| file.partition);
        let mut partitioning = None;
        let cuts = shares::by_day(&files, streams);
        if let Some(cuts) = &cuts {
            let date = Column::new_with_schema(DATE, self.schema.table_schema())?;
            partitioning = Some(shares::partitioning(&files, cuts, date)?);
        }
        let mut files: Vec<_> = files.into_iter().map(|file| self.partitioned(file)).collect();
        let Some(cuts) = cuts else {
            return Ok((FileGroup::new(files).split_files(streams), None));
        };
        let mut groups: Vec<_> = cuts.iter().rev().map(|cut| files.split_off(*cut)).collect();
        groups.push(files);
        let groups = groups.into_iter().rev().map(FileGroup::new).collect();
        Ok((groups, partitioning))
    }

    /// The file with what its path says of it.
    fn partitioned(&self, file: PartitionFile) -> PartitionedFile {
        let partition = file.partition;
        let mut partitioned = PartitionedFile::from(ObjectMeta::clone(&file.meta));
        partitioned.partition_values = vec![ScalarValue::Date32(Some(Date32Type::from_naive_date(partition.day)))];
        if self.schema.table_partition_cols().len() > 1 {
            partitioned
                .partition_values
                .push(ScalarValue::Int32(Some(hour_of(partition))));
        }
        partitioned
    }
}

fn hour_of(partition: Partition) -> i32 {
    partition.hour.unwrap_or_default().into()
}

#[async_trait]
impl TableProvider for PartitionedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let exactness = |filter: &&Expr| {
            if self.speaks_of_key_alone(filter) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        };
        Ok(filters.iter().map(exactness).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.pruned(state, filters)?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema(), projection)?)));
        }
        self.store.expect(files.iter().map(|file| file.meta.as_ref()));
        let lake = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
        let footers = state.runtime_env().cache_manager.get_file_metadata_cache();
        let mut statistics = Statistics::new_unknown(&self.schema());
        statistics.num_rows = estimated_rows(&files, &lake, &footers).await?;
        let rows = statistics.num_rows.get_value().copied().unwrap_or(usize::MAX);
        let footers = CachedParquetFileReaderFactory::new(lake, footers);
        // A source of its own has the options of no session: each is said here. No file of the lake has bloom filters.
        let mut source = ParquetSource::new(self.schema.clone())
            .with_parquet_file_reader_factory(Arc::new(footers))
            .with_metadata_size_hint(FOOTER_BYTES)
            .with_bloom_filter_on_read(false)
            .with_enable_page_index(rows / files.len() >= ROWS_WORTH_AN_INDEX);
        let in_file = filters
            .iter()
            .filter(|filter| !self.speaks_of_key_alone(filter))
            .cloned();
        if let Some(predicate) = conjunction(in_file) {
            let schema = DFSchema::try_from(self.schema())?;
            source = source.with_predicate(state.create_physical_expr(predicate, &schema)?);
        }
        let (groups, partitioning) = self.shared_out(files, state.config().target_partitions())?;
        let config = FileScanConfigBuilder::new(self.address.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_output_partitioning(partitioning)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
