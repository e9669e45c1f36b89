//! `data_quality_alerts`: what checks found, until a check passes again or a person says that it is settled.

mod alert;
mod record;
mod verdict;

pub use alert::{Alert, AlertFilter, MOST_ALERTS};
pub use record::RESOLVED_BY_CHECK;
pub use verdict::{AlertType, CheckKey, Outcome, Severity, Verdict};
