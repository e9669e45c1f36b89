//! What every run works with.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kindred_engine::{Engine, QueryLibrary};
use kindred_extract::PostgresSource;
use kindred_lake::Lake;
use kindred_model::{Clock, Source};
use kindred_warehouse::Warehouse;

/// Everything between the sources and the warehouse, opened once for the process.
#[derive(Debug)]
pub struct Platform {
    /// Tells the time.
    pub clock: Clock,
    /// The sources that are configured.
    pub sources: BTreeMap<Source, PostgresSource>,
    /// Where facts and figures lie as Parquet.
    pub lake: Lake,
    /// Computes.
    pub engine: Engine,
    /// What it computes.
    pub queries: QueryLibrary,
    /// Where figures are published and runs are kept.
    pub warehouse: Warehouse,
    /// What an operator may set.
    pub settings: JobSettings,
}

/// What an operator may set of the jobs.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// The currency of every money figure (`REPORTING_CURRENCY`).
    pub currency: String,
    /// The first day of the facts that are not needed whole (`HISTORY_SINCE`); `None`: everything the sources have.
    pub history_since: Option<NaiveDate>,
}
