//! What must hold between figures before they are published.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use kindred_engine::{Params, Rows, Session};
use kindred_model::Instant;
use kindred_warehouse::{
    ACTIVE_USER_BUCKETS, AlertType, CONVERSION_FUNNELS, CheckKey, DAILY_KPI_SUMMARIES, FUNNEL_WINDOWS, LIFECYCLE_DAILY,
    MRR_MOVEMENTS_DAILY, Outcome, RETENTION_COHORTS, REVENUE_METRICS, SEGMENT_KPI_DAILY, SESSION_EXITS_DAILY, Severity,
    SummaryTable, Verdict,
};
use serde_json::json;

use crate::Platform;
use crate::error::JobError;
use crate::steps::compute::Computed;
use crate::steps::shape::{figures, figures_schema};

/// A query whose every answer is a contradiction.
struct Identity {
    query: &'static str,
    /// It is asked when all of these were computed.
    looks_at: &'static [&'static SummaryTable],
    /// What is not published when it does not hold: the tables of one computation.
    withholds: &'static [&'static SummaryTable],
}

const DAILY: &[&SummaryTable] = &[
    &DAILY_KPI_SUMMARIES,
    &LIFECYCLE_DAILY,
    &SEGMENT_KPI_DAILY,
    &SESSION_EXITS_DAILY,
];

const IDENTITIES: &[Identity] = &[
    Identity {
        query: "quality/daily_identities",
        looks_at: DAILY,
        withholds: &[
            &DAILY_KPI_SUMMARIES,
            &LIFECYCLE_DAILY,
            &SEGMENT_KPI_DAILY,
            &SESSION_EXITS_DAILY,
            &ACTIVE_USER_BUCKETS,
        ],
    },
    Identity {
        query: "quality/revenue_identities",
        looks_at: &[&REVENUE_METRICS, &MRR_MOVEMENTS_DAILY],
        withholds: &[&REVENUE_METRICS, &MRR_MOVEMENTS_DAILY],
    },
    Identity {
        query: "quality/funnel_identities",
        looks_at: &[&CONVERSION_FUNNELS],
        withholds: &[&CONVERSION_FUNNELS, &FUNNEL_WINDOWS],
    },
    Identity {
        query: "quality/retention_identities",
        looks_at: &[&RETENTION_COHORTS],
        withholds: &[&RETENTION_COHORTS],
    },
];

/// What came of the identities.
#[derive(Default)]
pub(crate) struct Identities {
    /// One of each that was looked at.
    pub(crate) verdicts: Vec<Verdict>,
    /// The tables that must not be published.
    pub(crate) withheld: BTreeSet<&'static str>,
    /// What contradicts itself, for people.
    pub(crate) sentences: Vec<String>,
}

/// Holds the computed tables against the identities.
pub(crate) async fn identities(
    platform: &Platform,
    session: &Session,
    tables: &[Computed],
    at: Instant,
) -> Result<Identities, JobError> {
    for computed in tables {
        session.register_rows(computed.table.name, &figures(computed)?)?;
    }
    let mut found = Identities::default();
    let is_computed = |table: &&SummaryTable| tables.iter().any(|computed| computed.table.name == table.name);
    for identity in IDENTITIES {
        if !identity.looks_at.iter().all(is_computed) {
            continue;
        }
        // What was computed beside them, and was not this time, is empty.
        for table in identity.withholds.iter().filter(|table| !is_computed(table)) {
            let schema = figures_schema(table);
            let none = RecordBatch::new_empty(schema.clone());
            let batches = vec![none];
            session.register_rows(table.name, &Rows { schema, batches })?;
        }
        let query = platform.queries.get(identity.query)?;
        let violations = session.query(query, &Params::default()).await?;
        let sentences = sentences(&violations);
        let outcome = if sentences.is_empty() {
            Outcome::Passed
        } else {
            found.withheld.extend(identity.withholds.iter().map(|table| table.name));
            Outcome::Violated {
                severity: Severity::Critical,
                message: format!(
                    "the figures contradict each other and are not published: {}",
                    sentences.join("; ")
                ),
                threshold: Some(0.0),
                actual: Some(violations.len() as f64),
                details: json!({ "query": identity.query }),
            }
        };
        found.sentences.extend(sentences);
        found.verdicts.push(Verdict {
            key: CheckKey {
                alert_type: AlertType::Contradiction,
                table: identity.looks_at[0].name.to_owned(),
                column: None,
                check: identity.query.trim_start_matches("quality/").to_owned(),
                dimension: None,
            },
            bucket: at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            outcome,
        });
    }
    Ok(found)
}

/// What the run says of what it did not read, and of what it did not publish.
pub(crate) fn told(absence: Option<String>, identities: &Identities) -> Option<String> {
    let withheld: Vec<_> = identities.withheld.iter().copied().collect();
    let contradiction = (!withheld.is_empty()).then(|| {
        format!(
            "without the tables {}, whose figures contradict each other: {}",
            withheld.join(", "),
            identities.sentences.join("; ")
        )
    });
    let told: Vec<_> = absence.into_iter().chain(contradiction).collect();
    (!told.is_empty()).then(|| told.join("; "))
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
