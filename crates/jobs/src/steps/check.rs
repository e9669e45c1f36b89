//! What must hold between figures before they are published.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use kindred_engine::{Params, Rows, Session};
use serde_json::{Value, json};

use super::compute::Computed;
use super::shape::figures;
use crate::Platform;
use crate::error::JobError;

const IDENTITIES: &str = "quality/daily_identities";

/// Holds the computed tables against the identities. Returns what was checked, for the ledger.
///
/// # Errors
/// When an identity does not hold: with every one that does not, and the day.
pub(crate) async fn identities(platform: &Platform, session: &Session, tables: &[Computed]) -> Result<Value, JobError> {
    for computed in tables {
        session.register_rows(computed.table.name, &figures(computed)?)?;
    }
    let query = platform.queries.get(IDENTITIES)?;
    let violations = session.query(query, &Params::default()).await?;
    if violations.is_empty() {
        return Ok(json!({ "query": IDENTITIES, "violations": 0 }));
    }
    Err(JobError::Identities(sentences(&violations)))
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
