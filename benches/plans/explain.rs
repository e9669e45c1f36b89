//! What one of our plans does, operator by operator, for whoever wonders why it takes so long.

use anyhow::Context;
use arrow::array::AsArray;
use kindred_engine::datafusion::physical_plan::common::collect;
use kindred_engine::{Params, Query, Session, Value};

/// Runs a query, and answers its plan with what each operator took and gave.
pub(crate) async fn explained(session: &Session, query: &Query, params: &Params) -> anyhow::Result<String> {
    let mut sql = query.sql.clone();
    // The longer names first: `$to` is how others begin.
    let mut names = query.parameters.clone();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        let value = params.get(&name).with_context(|| format!("no {name}"))?;
        sql = sql.replace(&format!("${name}"), &literal(value));
    }
    let rows = collect(session.sql(&format!("explain analyze\n{sql}")).await?).await?;
    let plans = rows
        .iter()
        .flat_map(|batch| batch.column(1).as_string::<i32>().iter().flatten());
    Ok(plans.collect::<Vec<_>>().join("\n"))
}

/// A literal of DataFusion for a value.
fn literal(value: &Value) -> String {
    match value {
        Value::Day(day) => format!("date '{day}'"),
        Value::Instant(instant) => {
            let instant = instant.map_or_else(|| "null".to_owned(), |instant| format!("'{}'", instant.to_rfc3339()));
            format!("arrow_cast({instant}, 'Timestamp(Microsecond, Some(\"UTC\"))')")
        }
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Integer(number) => number.to_string(),
    }
}
