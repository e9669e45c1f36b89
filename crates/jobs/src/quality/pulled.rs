//! Checks of what was read and could not be taken, or not as it came: rows that lack something, events that are unreadable
//! or ahead of their arrival.

use chrono::SecondsFormat;
use kindred_model::{Fact, Job};
use kindred_warehouse::{AlertType, CheckKey, Outcome, Severity, Verdict};
use serde_json::Value;

use crate::steps::pull::Pulled;

/// What a pull says of it. Facts are judged by the daily run alone, which reads what lacks something again each time; what a
/// run between reads of other days does not say that it is there.
pub(crate) fn of_pull(pulled: &Pulled, job: Job) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let judged = |fact: Fact| fact == Fact::Events || job == Job::Daily;
    for (fact, nulls) in pulled.nulls.iter().filter(|(fact, _)| judged(**fact)) {
        let read = pulled.read.get(fact).copied().unwrap_or_default();
        let key = |column: &str| key(AlertType::MissingData, *fact, Some(column), "required_column");
        for column in kindred_extract::required_columns(*fact) {
            let lacking = nulls.columns.get(column).copied().unwrap_or_default();
            let message = format!(
                "{lacking} of {read} rows of {fact} that were read have no {column}, which must hold something: they are \
                 left out of every figure until the source has it"
            );
            verdicts.extend(verdict(pulled, key(column), lacking, read, message));
        }
    }
    let events = &pulled.events;
    let read = events.arrived + events.rejected;
    let message = format!(
        "{} of {read} events that arrived cannot be read: where they stand and why is in rejected/events of the lake",
        events.rejected
    );
    let key_of = |check| key(AlertType::UnusableRows, Fact::Events, None, check);
    verdicts.extend(verdict(pulled, key_of("readable"), events.rejected, read, message));
    let message = format!(
        "{} of {read} events lie more than a day after their arrival: a clock is wrong, and they are counted when they arrived",
        events.clamped
    );
    verdicts.extend(verdict(
        pulled,
        key_of("not_ahead_of_arrival"),
        events.clamped,
        read,
        message,
    ));
    verdicts
}

fn key(alert_type: AlertType, fact: Fact, column: Option<&str>, check: &str) -> CheckKey {
    CheckKey {
        alert_type,
        table: fact.as_str().to_owned(),
        column: column.map(str::to_owned),
        check: check.to_owned(),
        dimension: None,
    }
}

/// None when nothing was read: then nothing is known.
fn verdict(pulled: &Pulled, key: CheckKey, wrong: u64, read: u64, message: String) -> Option<Verdict> {
    let share = (read > 0).then(|| 100.0 * wrong as f64 / read as f64)?;
    let outcome = match severity(share) {
        None => Outcome::Passed,
        Some((severity, threshold)) => Outcome::Violated {
            severity,
            message,
            threshold: Some(threshold),
            actual: Some(share),
            details: Value::Null,
        },
    };
    Some(Verdict {
        key,
        bucket: pulled.as_of.to_rfc3339_opts(SecondsFormat::Micros, true),
        outcome,
    })
}

/// By the share in per cent, with the threshold that it exceeds.
fn severity(share: f64) -> Option<(Severity, f64)> {
    let steps = [
        (20.0, Severity::Critical),
        (5.0, Severity::High),
        (1.0, Severity::Medium),
        (0.0, Severity::Low),
    ];
    let found = steps.into_iter().find(|(threshold, _)| share > *threshold);
    found.map(|(threshold, severity)| (severity, threshold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_tells_the_severity_and_a_threshold_itself_does_not_exceed_it() {
        let found = [0.0, 0.5, 1.0, 1.1, 5.0, 5.1, 20.0, 20.1].map(|share| severity(share).map(|(found, _)| found));
        use Severity::{Critical, High, Low, Medium};
        let expected = [
            None,
            Some(Low),
            Some(Low),
            Some(Medium),
            Some(Medium),
            Some(High),
            Some(High),
            Some(Critical),
        ];
        assert_eq!(found, expected);
    }
}
