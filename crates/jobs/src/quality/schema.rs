//! Sources that no longer give what the contract says.

use kindred_extract::{ErrorKind, ExtractError};
use kindred_model::{Fact, Instant};
use kindred_warehouse::{AlertType, CheckKey, Outcome, Severity, Verdict};
use serde_json::Value;

use crate::error::JobError;
use crate::steps::pull::Pulled;

/// What an error says of the contract: nothing when it is another failure.
pub(crate) fn mistakes(error: &JobError, at: Instant) -> Vec<Verdict> {
    match error {
        JobError::Extract(error) => of_source(error, Severity::Critical, at),
        _ => Vec::new(),
    }
}

/// What a pull says of it: the facts that were read are sound; an optional source that was left out may not be.
pub(crate) fn of_sources(pulled: &Pulled, facts: &[Fact]) -> Vec<Verdict> {
    let is_read = |fact: &&Fact| !pulled.absent.iter().any(|(source, _)| *source == fact.source());
    let read = facts.iter().filter(is_read);
    let sound = read.map(|fact| verdict(*fact, pulled.as_of, Outcome::Passed));
    let absent = pulled
        .absent
        .iter()
        .flat_map(|(_, error)| of_source(error, Severity::High, pulled.as_of));
    sound.chain(absent).collect()
}

fn of_source(error: &ExtractError, severity: Severity, at: Instant) -> Vec<Verdict> {
    let mistakes = match error {
        ExtractError::Contract { mistakes, .. } => mistakes.iter().collect(),
        other if other.kind() == ErrorKind::Contract => vec![other],
        _ => Vec::new(),
    };
    let told = |mistake: &ExtractError| {
        let outcome = Outcome::Violated {
            severity,
            message: mistake.to_string(),
            threshold: None,
            actual: None,
            details: Value::Null,
        };
        Some(verdict(mistake.fact()?, at, outcome))
    };
    mistakes.into_iter().filter_map(told).collect()
}

/// One alert for each fact: a source that was changed is changed in many columns at once.
fn verdict(fact: Fact, at: Instant, outcome: Outcome) -> Verdict {
    Verdict {
        key: CheckKey {
            alert_type: AlertType::SchemaChange,
            table: fact.to_string(),
            column: None,
            check: "source_contract".to_owned(),
            dimension: None,
        },
        bucket: at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        outcome,
    }
}
