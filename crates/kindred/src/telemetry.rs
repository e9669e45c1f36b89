//! Logs: structured, to standard error, so that standard output stays a command's answer.

use tracing_subscriber::EnvFilter;

use crate::progress::AboveBars;
use crate::settings::{LogFormat, Logging};

/// Starts logging, once for the process.
pub(crate) fn start(logging: &Logging) {
    // Libraries speak up when something is wrong; our own crates, whose names begin with this one's, at the level that is
    // asked for. Merging a month takes seconds and is no fault: that the driver calls it slow, with the whole SQL, is left
    // out. How long each step takes stands in the ledger.
    let filter = EnvFilter::new(format!("warn,sqlx::query=error,kindred={}", logging.level));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| AboveBars);
    match logging.format {
        LogFormat::Text => subscriber.with_target(false).with_ansi(false).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}
