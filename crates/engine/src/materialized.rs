//! Common table expressions that are computed once: `with x as materialized (…)`.
//!
//! DataFusion plans such an expression anew wherever its name stands, and reads its tables as often. Where a query says
//! `materialized`, the engine computes it first, and holds its rows, within the memory of all plans, until the query
//! has its answer. What turns out to be too large for that is computed at each mention after all, and may spill there.
//! Without the word nothing is held, which suits what is large or used once.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, SubqueryAlias};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{self, CteAsMaterialized};
use futures::TryStreamExt;

use crate::Work;

/// What one plan may hold, as a part of the memory of all plans: the rest is for what computes with it.
const HELD_PART: usize = 4;

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
        let Some(rows) = self.rows(context, &expression, name).await? else {
            return Ok(());
        };
        let rows = Arc::new(rows);
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

    /// The rows of an expression, unless they are too many to hold.
    async fn rows(
        &mut self,
        context: &SessionContext,
        expression: &SubqueryAlias,
        name: &str,
    ) -> Result<Option<MemTable>, DataFusionError> {
        let frame = context.execute_logical_plan(expression.input.as_ref().clone()).await?;
        let schema = Arc::clone(frame.schema().inner());
        let task = Arc::new(frame.task_ctx());
        let pool = Arc::clone(task.memory_pool());
        let plan = frame.create_physical_plan().await?;
        let most = most_held(pool.as_ref()).saturating_sub(self.held.iter().map(MemoryReservation::size).sum());
        let reservation = MemoryConsumer::new(format!("{name}, materialized")).register(&pool);
        let mut rows = execute_stream(Arc::clone(&plan), task)?;
        let mut batches = Vec::new();
        while let Some(batch) = rows.try_next().await? {
            let mut bytes = 0;
            for column in batch.columns() {
                bytes += column.to_data().get_slice_memory_size()?;
            }
            if reservation.size() + bytes > most || reservation.try_grow(bytes).is_err() {
                tracing::debug!(name, "too large to be materialized");
                return Ok(None);
            }
            // Where the plan is not sure that there are no nulls, the statement may be.
            let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = batch.columns().to_vec();
            batches.push(RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &rows)?);
        }
        self.work = self.work + Work::of(&plan);
        self.held.push(reservation);
        MemTable::try_new(schema, vec![batches]).map(Some)
    }
}

/// The bytes that one plan may hold.
fn most_held(pool: &dyn MemoryPool) -> usize {
    match pool.memory_limit() {
        MemoryLimit::Finite(limit) => limit / HELD_PART,
        _ => usize::MAX,
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
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
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
    async fn what_is_too_large_to_hold_is_computed_at_each_mention() {
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(1 << 20)));
        let config = SessionConfig::new().with_target_partitions(1);
        let context = SessionContext::new_with_config_rt(config, runtime.build_arc().unwrap());
        // Each row has a random number of its own, which the second mention finds again when the rows are held.
        let found = |rows: u32| {
            format!(
                "with held as materialized (select random() as r from generate_series(1, {rows}))
                select count(*) from (select max(r) as r from held) a join (select max(r) as r from held) b on a.r = b.r"
            )
        };
        assert_eq!(number(&context, &found(1_000)).await.unwrap(), 1);
        assert_eq!(number(&context, &found(100_000)).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_is_held_counts_to_the_memory_of_the_plans_until_they_end() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 20));
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool));
        let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime.build_arc().unwrap());
        let text = "-- What it answers.\n-- reads:\n-- grain: x\n-- parameters:\n\n
            with held as materialized (select value from generate_series(1, 10000)),
                unused as materialized (select value from generate_series(1, 10000))
            select count(*) from held";
        let query = Query::parse("kpi/x", text).unwrap();
        let bound = Bound::new(&query, &Params::default()).unwrap();
        let planned = bound.plan(&context, &query.sql).await.unwrap();
        assert_eq!((planned.held.len(), pool.reserved()), (1, 80_000));
        drop(planned);
        assert_eq!(pool.reserved(), 0);
    }
}
