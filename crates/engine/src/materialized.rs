//! Common table expressions that are computed once: `with x as materialized (…)`.
//!
//! DataFusion plans such an expression anew wherever its name stands, and reads its tables as often. Where a query says
//! `materialized`, the engine computes it first, and holds its rows, within the memory of all plans, until the query
//! has its answer. Without the word nothing is held, which suits what is large or used once.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, SubqueryAlias};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{self, CteAsMaterialized};
use futures::TryStreamExt;

use crate::Work;

/// A plan whose materialized expressions have been computed.
pub(crate) struct Materialized {
    pub(crate) plan: LogicalPlan,
    /// What computing them took.
    pub(crate) work: Work,
    /// The memory of their rows, to be kept until the plan has run.
    pub(crate) held: Vec<MemoryReservation>,
}

/// The expressions of a statement that are to be computed once, in their order: each may use those before it.
pub(crate) fn names(statement: &ast::Statement) -> Vec<String> {
    let ast::Statement::Query(query) = statement else {
        return Vec::new();
    };
    let expressions = query.with.iter().flat_map(|with| &with.cte_tables);
    expressions
        .filter(|cte| cte.materialized == Some(CteAsMaterialized::Materialized))
        .map(|cte| cte.alias.name.value.clone())
        .collect()
}

impl Materialized {
    /// Computes the expressions of these names, and puts their rows in the place of each mention.
    pub(crate) async fn compute(
        context: &SessionContext,
        plan: LogicalPlan,
        names: &[String],
    ) -> Result<Self, DataFusionError> {
        let (work, held) = (Work::default(), Vec::new());
        if names.is_empty() {
            return Ok(Self { plan, work, held });
        }
        let state = context.state();
        // With the types that it will have: the rows of each are put in their place as they are.
        let plan = state
            .analyzer()
            .execute_and_check(plan, state.config_options(), |_, _| {})?;
        let mut computed = Self { plan, work, held };
        for name in names {
            computed.compute_one(context, name).await?;
        }
        Ok(computed)
    }

    async fn compute_one(&mut self, context: &SessionContext, name: &str) -> Result<(), DataFusionError> {
        // One that nothing mentions is not computed.
        let Some(expression) = mention(&self.plan, name)? else {
            return Ok(());
        };
        let rows = Arc::new(self.rows(context, &expression, name).await?);
        let plan = std::mem::take(&mut self.plan);
        let replaced = plan.transform_down_with_subqueries(|node| match &node {
            LogicalPlan::SubqueryAlias(alias) if *alias == expression => {
                let source = provider_as_source(Arc::clone(&rows) as _);
                let scan = LogicalPlanBuilder::scan(name, source, None)?.build()?;
                Ok(Transformed::new(scan, true, TreeNodeRecursion::Jump))
            }
            _ => Ok(Transformed::no(node)),
        })?;
        self.plan = replaced.data;
        Ok(())
    }

    async fn rows(
        &mut self,
        context: &SessionContext,
        expression: &SubqueryAlias,
        name: &str,
    ) -> Result<MemTable, DataFusionError> {
        let frame = context.execute_logical_plan(expression.input.as_ref().clone()).await?;
        let schema = Arc::clone(frame.schema().inner());
        let task = Arc::new(frame.task_ctx());
        let pool = Arc::clone(task.memory_pool());
        let plan = frame.create_physical_plan().await?;
        let reservation = MemoryConsumer::new(format!("{name}, materialized")).register(&pool);
        let mut rows = execute_stream(Arc::clone(&plan), task)?;
        let mut batches = Vec::new();
        while let Some(batch) = rows.try_next().await? {
            let mut bytes = 0;
            for column in batch.columns() {
                bytes += column.to_data().get_slice_memory_size()?;
            }
            reservation.try_grow(bytes)?;
            // Where the plan is not sure that there are no nulls, the statement may be.
            let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = batch.columns().to_vec();
            batches.push(RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &rows)?);
        }
        self.work = self.work + Work::of(&plan);
        self.held.push(reservation);
        MemTable::try_new(schema, vec![batches])
    }
}

/// The first place where an expression of this name stands.
fn mention(plan: &LogicalPlan, name: &str) -> Result<Option<SubqueryAlias>, DataFusionError> {
    let mut found = None;
    plan.apply_with_subqueries(|node| match node {
        LogicalPlan::SubqueryAlias(alias) if alias.alias.table() == name => {
            found = Some(alias.clone());
            Ok(TreeNodeRecursion::Stop)
        }
        _ => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use crate::bind::Bound;
    use crate::{Params, Query};

    /// The number that a statement answers.
    async fn number(context: &SessionContext, sql: &str) -> Result<i64, datafusion::error::DataFusionError> {
        let text = format!("-- What it answers.\n-- reads:\n-- grain: x\n-- parameters:\n\n{sql}");
        let query = Query::parse("kpi/x", &text).unwrap();
        let bound = Bound::new(&query, &Params::default()).unwrap();
        let planned = bound.plan(context, &query.sql).await?;
        let rows = planned.frame.collect().await?;
        Ok(rows[0].column(0).as_primitive::<Int64Type>().value(0))
    }

    /// A random number differs each time that it is computed.
    #[tokio::test]
    async fn what_is_materialized_is_computed_once_and_what_is_not_each_time() {
        let twice = |materialized: &str| {
            format!(
                "with one as {materialized} (select random() as r),
                    two as {materialized} (select r, random() as other from one)
                select count(distinct r) + count(distinct other) from (
                    select r, other from two union all
                    select a.r, b.other from one a cross join two b where a.r > (select -max(r) from one)
                )"
            )
        };
        let context = SessionContext::new();
        assert_eq!(number(&context, &twice("materialized")).await.unwrap(), 2);
        assert!(number(&context, &twice("")).await.unwrap() > 2);
    }

    #[tokio::test]
    async fn a_table_of_the_same_name_as_an_alias_stays_what_it_is() {
        let sql = "with one as materialized (select 1 as x) \
            select one.x + a.x from (values (10)) as one (x) cross join one as a";
        assert_eq!(number(&SessionContext::new(), sql).await.unwrap(), 11);
    }

    #[tokio::test]
    async fn what_is_held_counts_to_the_memory_of_the_plans() {
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(1 << 16)));
        let config = SessionConfig::new().with_target_partitions(1);
        let context = SessionContext::new_with_config_rt(config, runtime.build_arc().unwrap());
        let sql = |rows: u32| {
            format!(
                "with held as materialized (select value from generate_series(1, {rows}))
                select count(*) from held a where value < 0"
            )
        };
        assert_eq!(number(&context, &sql(1_000)).await.unwrap(), 0);
        let error = number(&context, &sql(100_000)).await.unwrap_err().to_string();
        assert!(error.contains("held, materialized"), "{error}");
        let unused = "with held as materialized (select value from generate_series(1, 100000)) select count(*) from \
            (values (1))";
        assert_eq!(number(&context, unused).await.unwrap(), 1);
    }
}
