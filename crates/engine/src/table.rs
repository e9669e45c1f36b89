//! A table over explicit Parquet files, one for each day, with the day as the column `date`.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{AsArray, Date32Array, RecordBatch};
use datafusion::arrow::compute::filter as keep;
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use kindred_lake::PartitionFile;

/// The column that stands for a file's partition.
pub(crate) const DATE: &str = "date";

/// The files of one dataset, as a snapshot found them. A filter on `date` alone decides which of them are opened.
#[derive(Debug)]
pub(crate) struct PartitionedTable {
    store: ObjectStoreUrl,
    schema: TableSchema,
    files: Vec<PartitionFile>,
}

impl PartitionedTable {
    /// A table of `files` below `store`, each with the columns of `file_schema`.
    pub(crate) fn new(store: ObjectStoreUrl, file_schema: &SchemaRef, files: Vec<PartitionFile>) -> Self {
        // The lake's KPI tables have a `date` of their own, which lives in the path alone.
        let fields: Vec<_> = file_schema
            .fields()
            .iter()
            .filter(|field| field.name() != DATE)
            .cloned()
            .collect();
        let date = Arc::new(Field::new(DATE, DataType::Date32, false));
        let schema = TableSchema::builder(Arc::new(Schema::new(fields)))
            .with_table_partition_cols(vec![date])
            .build();
        Self { store, schema, files }
    }

    /// The files whose day may pass the filters that speak of nothing but `date`.
    fn pruned(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<PartitionFile>> {
        let on_date = filters.iter().filter(|filter| speaks_of_date_alone(filter)).cloned();
        let Some(predicate) = conjunction(on_date) else {
            return Ok(self.files.clone());
        };
        let schema = Arc::new(Schema::new(vec![Field::new(DATE, DataType::Date32, false)]));
        let predicate = state.create_physical_expr(predicate, &DFSchema::try_from(Arc::clone(&schema))?)?;
        let dates = Date32Array::from_iter_values(self.files.iter().map(|file| Date32Type::from_naive_date(file.day)));
        let batch = RecordBatch::try_new(schema, vec![Arc::new(dates)])?;
        let passes = predicate.evaluate(&batch)?.into_array(batch.num_rows())?;
        let kept = keep(batch.column(0), passes.as_boolean())?;
        let kept: HashSet<i32> = kept.as_primitive::<Date32Type>().values().iter().copied().collect();
        Ok(self
            .files
            .iter()
            .filter(|file| kept.contains(&Date32Type::from_naive_date(file.day)))
            .cloned()
            .collect())
    }
}

fn speaks_of_date_alone(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    columns.len() == 1 && columns.iter().all(|column| column.name == DATE) && !filter.is_volatile()
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
            if speaks_of_date_alone(filter) {
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
        let mut source = ParquetSource::new(self.schema.clone());
        let in_file = filters.iter().filter(|filter| !speaks_of_date_alone(filter)).cloned();
        if let Some(predicate) = conjunction(in_file) {
            let schema = DFSchema::try_from(self.schema())?;
            source = source.with_predicate(state.create_physical_expr(predicate, &schema)?);
        }
        let files = files.into_iter().map(|file| {
            let mut partitioned = PartitionedFile::from(file.meta);
            partitioned.partition_values = vec![ScalarValue::Date32(Some(Date32Type::from_naive_date(file.day)))];
            partitioned
        });
        let groups = FileGroup::new(files.collect()).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
