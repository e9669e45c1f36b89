//! What must hold between figures before they are published.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use kindred_engine::{Params, Rows, Session};
use kindred_warehouse::{
    CONVERSION_FUNNELS, DAILY_KPI_SUMMARIES, LIFECYCLE_DAILY, MRR_MOVEMENTS_DAILY, RETENTION_COHORTS, REVENUE_METRICS,
    SEGMENT_KPI_DAILY, SESSION_EXITS_DAILY, SummaryTable,
};
use serde_json::{Value, json};

use super::compute::Computed;
use super::shape::figures;
use crate::Platform;
use crate::error::JobError;

/// The queries whose every answer is a contradiction, each with the tables that it looks at: it is asked when all of
/// them were computed.
const IDENTITIES: &[(&str, &[&SummaryTable])] = &[
    (
        "quality/daily_identities",
        &[
            &DAILY_KPI_SUMMARIES,
            &LIFECYCLE_DAILY,
            &SEGMENT_KPI_DAILY,
            &SESSION_EXITS_DAILY,
        ],
    ),
    ("quality/revenue_identities", &[&REVENUE_METRICS, &MRR_MOVEMENTS_DAILY]),
    ("quality/funnel_identities", &[&CONVERSION_FUNNELS]),
    ("quality/retention_identities", &[&RETENTION_COHORTS]),
];

/// Holds the computed tables against the identities. Returns what was checked, for the ledger.
///
/// # Errors
/// When an identity does not hold: with every one that does not, and the day.
pub(crate) async fn identities(platform: &Platform, session: &Session, tables: &[Computed]) -> Result<Value, JobError> {
    for computed in tables {
        session.register_rows(computed.table.name, &figures(computed)?)?;
    }
    let mut held = Vec::new();
    for (name, looked_at) in IDENTITIES {
        if !looked_at
            .iter()
            .all(|table| tables.iter().any(|computed| computed.table.name == table.name))
        {
            continue;
        }
        let violations = session.query(platform.queries.get(name)?, &Params::default()).await?;
        if !violations.is_empty() {
            return Err(JobError::Identities(sentences(&violations)));
        }
        held.push(json!({ "query": name, "violations": 0 }));
    }
    Ok(Value::Array(held))
}

/// `lifecycle on 2026-01-31: 40 is not 41`, for the first few.
fn sentences(violations: &Rows) -> Vec<String> {
    const SHOWN: usize = 5;
    let mut lines = Vec::new();
    for batch in &violations.batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .filter_map(|column| ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default()).ok())
            .collect();
        for row in 0..batch.num_rows() {
            let fields: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
            if let [check, day, found, expected] = fields.as_slice() {
                lines.push(format!("{check} on {day}: {found} against {expected}"));
            }
        }
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}
