//! Who is left out by a few keys, such as staff, is left out by a filter and not by a join.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, InListExpr, IsNullExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};

/// As many keys as a plan may carry, each as a literal of its own. A table of more than a batch is read by several streams,
/// and left to the join.
const AT_MOST: usize = 8192;

/// Puts a filter in the place of an anti join with the keys of a table in memory.
///
/// A hash join numbers the rows that it lets through, and gathers each of their columns by these numbers. Where all but a
/// few of millions of rows go through, it is less work to look each key up in a set, and to copy what lies between those
/// that are left out.
#[derive(Debug)]
pub(crate) struct FewKeys;

impl PhysicalOptimizerRule for FewKeys {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let filter = |plan: Arc<dyn ExecutionPlan>| {
            let filter = plan.downcast_ref::<HashJoinExec>().map(|join| filter(join, config));
            Ok(match filter.transpose()?.flatten() {
                Some(filter) => Transformed::yes(filter),
                None => Transformed::no(plan),
            })
        };
        plan.transform_up(filter).data()
    }

    fn name(&self) -> &'static str {
        "few_keys"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The filter that lets through what this join does, where its build side is a few keys.
fn filter(join: &HashJoinExec, config: &ConfigOptions) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let [(build, probe)] = join.on() else {
        return Ok(None);
    };
    let is_plain = *join.join_type() == JoinType::RightAnti
        && *join.partition_mode() == PartitionMode::CollectLeft
        && join.null_equality() == NullEquality::NullEqualsNothing
        && join.filter().is_none()
        && join.fetch().is_none();
    if !is_plain {
        return Ok(None);
    }
    let Some(keys) = keys(join.left().as_ref(), build.as_ref())? else {
        return Ok(None);
    };
    let input = Arc::clone(join.right());
    let schema = input.schema();
    if probe.data_type(&schema)? != *keys.data_type() {
        return Ok(None);
    }
    let others = InListExpr::try_new_from_array(Arc::clone(probe), keys, true, &schema)?;
    let mut passes = Arc::new(others) as Arc<dyn PhysicalExpr>;
    if probe.nullable(&schema)? {
        // No key at all is none of these keys, where `not in` says that it does not know.
        let none = Arc::new(IsNullExpr::new(Arc::clone(probe)));
        passes = Arc::new(BinaryExpr::new(none, Operator::Or, passes));
    }
    let filter = FilterExecBuilder::new(passes, input)
        .apply_projection_by_ref(join.projection.as_ref())?
        .with_batch_size(config.execution.batch_size.get())
        .build()?;
    Ok(Some(Arc::new(filter)))
}

/// The whole numbers that a table in memory has in this column; none where they are many, some of them null, or the table
/// another.
fn keys(table: &dyn ExecutionPlan, column: &dyn PhysicalExpr) -> Result<Option<ArrayRef>> {
    let Some(source) = table.downcast_ref::<DataSourceExec>() else {
        return Ok(None);
    };
    let (Some(source), Some(column)) = (
        source.data_source().downcast_ref::<MemorySourceConfig>(),
        column.downcast_ref::<Column>(),
    ) else {
        return Ok(None);
    };
    let index = match source.projection() {
        Some(projection) => projection[column.index()],
        None => column.index(),
    };
    let batches = source.partitions().iter().flatten();
    let rows: usize = batches.clone().map(RecordBatch::num_rows).sum();
    let parts: Vec<_> = batches.map(|batch| batch.column(index).as_ref()).collect();
    let is_key = |part: &&dyn Array| part.data_type().is_integer() && part.null_count() == 0;
    if table.fetch().is_some() || parts.is_empty() || rows > AT_MOST || !parts.iter().all(is_key) {
        return Ok(None);
    }
    Ok(Some(concat(&parts)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::execution::session_state::SessionStateBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::{AT_MOST, FewKeys};

    const OTHERS: &str = "select r.key, r.row from rows r left anti join keys k on k.key = r.key order by r.row";

    fn context(rows: &[Option<i64>], keys: Vec<Option<i64>>) -> SessionContext {
        let config = SessionConfig::new().with_target_partitions(2);
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(FewKeys));
        let context = SessionContext::new_with_state(state.build());
        let key = |keys: Vec<Option<i64>>| Arc::new(Int64Array::from(keys)) as ArrayRef;
        let numbers = Arc::new(Int64Array::from_iter_values((0..).take(rows.len())));
        let rows = RecordBatch::try_from_iter([("key", key(rows.to_vec())), ("row", numbers as _)]);
        let keys = RecordBatch::try_from_iter([("other", key(vec![None; keys.len()])), ("key", key(keys))]);
        context.register_batch("rows", rows.unwrap()).unwrap();
        context.register_batch("keys", keys.unwrap()).unwrap();
        context
    }

    async fn plan(context: &SessionContext, sql: &str) -> String {
        let explained = context.sql(&format!("explain {sql}")).await.unwrap();
        pretty_format_batches(&explained.collect().await.unwrap())
            .unwrap()
            .to_string()
    }

    async fn rows(context: &SessionContext) -> Vec<i64> {
        let batches = context.sql(OTHERS).await.unwrap().collect().await.unwrap();
        let rows = batches.iter().map(|batch| batch.column(1).as_primitive::<Int64Type>());
        rows.flat_map(|rows| rows.values().to_vec()).collect()
    }

    #[tokio::test]
    async fn who_has_one_of_a_few_keys_is_filtered_and_who_has_none_stays() {
        let context = context(
            &[Some(1), Some(2), None, Some(3), Some(2), Some(4)],
            vec![Some(2), Some(4)],
        );
        let plan = plan(&context, OTHERS).await;
        assert!(plan.contains("FilterExec") && !plan.contains("HashJoinExec"), "{plan}");
        assert_eq!(rows(&context).await, [0, 2, 3]);
    }

    #[tokio::test]
    async fn a_key_that_is_null_is_nobodys() {
        let context = context(&[Some(1), None, Some(2)], vec![None, Some(2)]);
        assert_eq!(rows(&context).await, [0, 1]);
    }

    #[tokio::test]
    async fn many_keys_and_conditions_beside_the_key_are_left_to_the_join() {
        let many = (0..=i64::try_from(AT_MOST).unwrap()).map(Some);
        let context = context(&[Some(-1), Some(1)], many.collect());
        assert!(plan(&context, OTHERS).await.contains("HashJoinExec"));
        assert_eq!(rows(&context).await, [0]);
        let two = "select r.row from rows r left anti join (select key from keys where key < 2) k \
            on k.key = r.key and k.key < r.row";
        assert!(plan(&context, two).await.contains("HashJoinExec"));
    }
}
