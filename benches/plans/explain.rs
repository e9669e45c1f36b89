//! What one of our plans does, operator by operator, for whoever wonders why it takes so long.

use arrow::array::AsArray;
use kindred_engine::{Params, Query, Session};

/// Runs a query, and answers its plan with what each operator took and gave. What the query computes once has been
/// computed before.
pub(crate) async fn explained(session: &Session, query: &Query, params: &Params) -> anyhow::Result<String> {
    let mut query = query.clone();
    query.sql = format!("explain analyze\n{}", query.sql);
    let rows = session.query(&query, params).await?;
    let plans = rows
        .batches
        .iter()
        .flat_map(|batch| batch.column(1).as_string::<i32>().iter().flatten());
    Ok(plans.collect::<Vec<_>>().join("\n"))
}
