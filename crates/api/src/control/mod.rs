//! The ETL control API, an address a file.

pub(crate) mod health;
mod run;
pub(crate) mod trigger;
