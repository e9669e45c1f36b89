//! Logs: structured, to standard error, so that standard output stays a command's answer.

use tracing_subscriber::EnvFilter;

use crate::progress::AboveBars;
use crate::settings::{LogFormat, Logging};

/// Starts logging, once for the process.
pub(crate) fn start(logging: &Logging) {
    // Libraries speak up when something is wrong; our own crates at the level that is asked for.
    let ours = [
        "kindred",
        "kindred_api",
        "kindred_embedded_pg",
        "kindred_engine",
        "kindred_extract",
        "kindred_jobs",
        "kindred_lake",
        "kindred_simulator",
        "kindred_warehouse",
    ];
    let directives: Vec<_> = ours.iter().map(|name| format!("{name}={}", logging.level)).collect();
    let filter = EnvFilter::new(format!("warn,{}", directives.join(",")));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| AboveBars);
    match logging.format {
        LogFormat::Text => subscriber.with_target(false).with_ansi(false).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}
