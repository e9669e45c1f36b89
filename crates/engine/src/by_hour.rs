//! Groups of an hour are handed on as soon as its file is read.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, Statistics};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

/// The columns of an hour: its date, and its number.
const HOURLY: usize = 2;

/// Tells an aggregate by hour, and by more, that its rows come in the order of their hours, where their table has a file for
/// each, and reads one after the other.
///
/// Without it, the groups of all hours are held until the last row is read. It comes after all other rules, since whoever
/// plans with an order would merge streams to keep it. A table of days is left as it is: an aggregate that knows of an order
/// looks at its rows one by one, which costs more than a day's groups spare (`active_days` of a week took a tenth longer).
#[derive(Debug)]
pub(crate) struct ByHour;

impl PhysicalOptimizerRule for ByHour {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let in_order = |plan: Arc<dyn ExecutionPlan>| {
            let aggregate = plan.downcast_ref::<AggregateExec>().filter(|plan| is_whole(plan));
            let input = aggregate.map(|aggregate| in_order(aggregate.input())).transpose()?;
            let Some(input) = input.flatten() else {
                return Ok(Transformed::no(plan));
            };
            let ordered = replace_children_if_necessary(Arc::clone(&plan), vec![input])?;
            let aggregate = ordered.downcast_ref::<AggregateExec>();
            Ok(match aggregate.map(AggregateExec::input_order_mode) {
                Some(InputOrderMode::PartiallySorted(columns)) if columns.len() == HOURLY => Transformed::yes(ordered),
                _ => Transformed::no(plan),
            })
        };
        plan.transform_up(in_order).data()
    }

    fn name(&self) -> &'static str {
        "by_hour"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether all rows of a group come to one stream of it.
fn is_whole(aggregate: &AggregateExec) -> bool {
    let is_single = matches!(
        aggregate.mode(),
        AggregateMode::Single | AggregateMode::SinglePartitioned
    );
    is_single && *aggregate.input_order_mode() == InputOrderMode::Linear && aggregate.group_expr().is_single()
}

/// The same plan, which says that its rows come in the order of their hours; none where they may not.
fn in_order(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        let config = source.data_source().downcast_ref::<FileScanConfig>();
        return Ok(config.and_then(ordered));
    }
    let (&[input], [true]) = (&plan.children()[..], &plan.maintains_input_order()[..]) else {
        return Ok(None);
    };
    let Some(input) = in_order(input)? else {
        return Ok(None);
    };
    Ok(Some(replace_children_if_necessary(Arc::clone(plan), vec![input])?))
}

/// The source of a table of hours, reading its files one after the other, in the order that it has them in: that of their
/// partitions.
fn ordered(config: &FileScanConfig) -> Option<Arc<dyn ExecutionPlan>> {
    let schema = config.file_source.table_schema();
    if schema.table_partition_cols().len() != HOURLY {
        return None;
    }
    let partition = schema.table_partition_cols().iter().enumerate().map(|(index, column)| {
        let column = Column::new(column.name(), schema.file_schema().fields().len() + index);
        PhysicalSortExpr::new_default(Arc::new(column))
    });
    let order = LexOrdering::new(partition)?;
    // The planner compares the partitions of files that have statistics alone.
    let unknown = Arc::new(Statistics::new_unknown(schema.file_schema()));
    let groups = config.file_groups.iter().map(|group| {
        let files = group.iter().cloned().map(|mut file| {
            file.statistics = Some(Arc::clone(&unknown));
            file
        });
        FileGroup::new(files.collect())
    });
    let config = FileScanConfigBuilder::from(config.clone())
        .with_file_groups(groups.collect())
        .with_output_ordering(vec![order])
        .build();
    Some(DataSourceExec::from_data_source(config))
}
