//! The ETL control API, an address a file.

pub(crate) mod alerts;
pub(crate) mod backfill;
pub(crate) mod cancel;
mod days;
pub(crate) mod erase;
pub(crate) mod erasure;
pub(crate) mod health;
mod job_name;
pub(crate) mod jobs;
pub(crate) mod resolve_alert;
pub(crate) mod run;
mod run_answer;
pub(crate) mod runs;
pub(crate) mod sources;
pub(crate) mod trigger;
