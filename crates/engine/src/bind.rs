//! Binding: a query's statement becomes a plan with the values in the place of its placeholders.
//!
//! DataFusion finds the type of a placeholder beside a column only. So that a query may write `$from` wherever a date
//! may stand, each placeholder is planned as what its value is. The values themselves never pass through SQL.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::common::{ParamValues, ScalarValue};
use datafusion::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::prelude::{DataFrame, SQLOptions, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, Expr, Value as SqlValue, visit_expressions_mut};

use crate::materialized::{self, Materialized};
use crate::{EngineError, Params, Query, Value, Work};

/// The queries are written in PostgreSQL's, which has `as materialized`.
const DIALECT: Dialect = Dialect::PostgreSQL;

/// The values of a query's placeholders, by name.
#[derive(Debug, Clone)]
pub(crate) struct Bound(BTreeMap<String, Value>);

impl Bound {
    /// The values of the parameters that the query's header names.
    pub(crate) fn new(query: &Query, params: &Params) -> Result<Self, EngineError> {
        let value = |parameter: &String| match params.get(parameter) {
            Some(value) => Ok((parameter.clone(), value.clone())),
            None => Err(EngineError::MissingParameter {
                query: query.name.clone(),
                parameter: parameter.clone(),
            }),
        };
        Ok(Self(
            query.parameters.iter().map(value).collect::<Result<_, EngineError>>()?,
        ))
    }

    /// The plan of a statement with these values, what of it is to be computed once already computed.
    pub(crate) async fn plan(&self, context: &SessionContext, sql: &str) -> Result<Planned, DataFusionError> {
        let state = context.state();
        let mut statement = state.sql_to_statement(sql, &DIALECT)?;
        let mut once = Vec::new();
        if let Some(statement) = inner(&mut statement) {
            once = materialized::names(statement);
            let mut typed = BTreeMap::new();
            for (name, value) in &self.0 {
                let text = format!("arrow_cast(${name}, '{}')", value.arrow_type());
                typed.insert(format!("${name}"), state.sql_to_expr(&text, &DIALECT)?);
            }
            let _ = visit_expressions_mut(statement, |expr| {
                if let Expr::Value(value) = expr
                    && let SqlValue::Placeholder(name) = &value.value
                    && let Some(cast) = typed.get(name)
                {
                    *expr = cast.clone();
                }
                ControlFlow::<()>::Continue(())
            });
        }
        let plan = state.statement_to_plan(statement).await?;
        read_only().verify_plan(&plan)?;
        let values = self
            .0
            .iter()
            .map(|(name, value)| (name.clone(), ScalarValue::from(value)));
        let values = ParamValues::from(values.collect::<Vec<_>>());
        let plan = plan.with_param_values(values)?;
        let Materialized { plan, work, held } = Materialized::compute(context, plan, &once).await?;
        Ok(Planned {
            frame: context.execute_logical_plan(plan).await?,
            work,
            held,
        })
    }
}

/// A statement that is ready to run.
pub(crate) struct Planned {
    pub(crate) frame: DataFrame,
    /// What has been computed for it already.
    pub(crate) work: Work,
    /// The memory of the rows that it holds, to be kept until it has run.
    pub(crate) held: Vec<MemoryReservation>,
}

/// What is parsed by SQL's own rules: the statement, or the one that is explained.
fn inner(statement: &mut Statement) -> Option<&mut ast::Statement> {
    match statement {
        Statement::Statement(statement) => Some(statement),
        Statement::Explain(explain) => inner(&mut explain.statement),
        _ => None,
    }
}

/// What statements may do: read.
pub(crate) fn read_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::AsArray;

    use super::*;

    #[tokio::test]
    async fn a_placeholder_may_stand_where_no_column_tells_its_type() {
        let sql = "-- What it answers.\n-- reads:\n-- grain: day\n-- parameters: from, until\n
            select unnest(generate_series($from, $from + interval '2 days', interval '1 day')) as day,
                $until is null as is_open";
        let query = Query::parse("kpi/x", sql).unwrap();
        let params = Params::default()
            .with("from", Value::Day("2026-01-31".parse().unwrap()))
            .with("until", Value::Instant(None));
        let bound = Bound::new(&query, &params).unwrap();
        let planned = bound.plan(&SessionContext::new(), &query.sql).await.unwrap();
        assert_eq!(planned.frame.count().await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_text_is_a_value_whatever_it_says() {
        let sql = "-- What it answers.\n-- reads:\n-- grain: x\n-- parameters: currency\n\nselect $currency as x";
        let query = Query::parse("kpi/x", sql).unwrap();
        let text = "'; select '$currency";
        let params = Params::default().with("currency", Value::Text(text.to_owned()));
        let bound = Bound::new(&query, &params).unwrap();
        let rows = bound
            .plan(&SessionContext::new(), &query.sql)
            .await
            .unwrap()
            .frame
            .collect()
            .await
            .unwrap();
        assert_eq!(rows[0].column(0).as_string::<i32>().value(0), text);
    }

    #[tokio::test]
    async fn what_texts_are_compared_with_is_known_to_the_plan() {
        let sql = "-- What it answers.\n-- reads:\n-- grain: name\n-- parameters: names\n
            select name from (values ('a'), ('b'), ('c, d'), (null)) v(name) where array_has($names, name) order by name";
        let query = Query::parse("kpi/x", sql).unwrap();
        for (names, expected) in [(&["c, d", "it's", "a"] as &[_], &["a", "c, d"] as &[_]), (&[], &[])] {
            let texts = names.iter().map(ToString::to_string).collect();
            let params = Params::default().with("names", Value::Texts(texts));
            let bound = Bound::new(&query, &params).unwrap();
            let planned = bound.plan(&SessionContext::new(), &query.sql).await.unwrap();
            let plan = planned.frame.clone().into_optimized_plan().unwrap().to_string();
            assert!(!plan.contains("array_has"), "{plan}");
            let rows = planned.frame.collect().await.unwrap();
            let found = rows
                .iter()
                .flat_map(|rows| rows.column(0).as_string::<i32>().iter().flatten());
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }
}
