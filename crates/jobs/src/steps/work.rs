//! What every step of a run is handed.

use arrow::datatypes::SchemaRef;
use kindred_lake::{Dataset, FileStamp, Stage};
use kindred_model::{DEFINITIONS_VERSION, DayWindow, Interval, Job, Trigger};
use kindred_warehouse::Run;
use uuid::Uuid;

use crate::Platform;
use crate::erasure::Erased;

/// The run, and what it works with.
pub(crate) struct Work<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) run_id: Uuid,
    pub(crate) job: Job,
    /// The days of an hourly backfill, which events are asked for again.
    pub(crate) backfilled_days: Option<DayWindow>,
    /// Whose rows are not taken in.
    pub(crate) erased: Erased,
    stamp: FileStamp,
}

impl<'a> Work<'a> {
    pub(crate) fn new(platform: &'a Platform, run: &Run, asked: Interval, erased: Erased) -> Self {
        let stamp = FileStamp {
            run_id: run.id.to_string(),
            job: run.job.to_string(),
            interval: format!("{}/{}", asked.start().to_rfc3339(), asked.end().to_rfc3339()),
            contract_version: DEFINITIONS_VERSION.to_owned(),
            sql_hash: String::new(),
        };
        Self {
            platform,
            run_id: run.id,
            job: run.job,
            backfilled_days: (run.job == Job::Hourly && run.trigger == Trigger::Backfill).then(|| asked.days()),
            erased,
            stamp,
        }
    }

    /// Begins to stage rows that `sql` gave for a dataset.
    pub(crate) fn stage(&self, dataset: &Dataset, schema: &SchemaRef, sort: &[&'static str], sql: &str) -> Stage<'a> {
        let stamp = self.stamp.clone().with_sql(sql);
        self.platform
            .lake
            .stage(dataset.clone(), schema.clone(), sort, self.run_id, stamp)
    }

    /// Begins to keep rows for this run alone, under a name of their own.
    pub(crate) fn spool(&self, name: &str, schema: &SchemaRef) -> Stage<'a> {
        let dataset = Dataset::state(name);
        self.platform.lake.spool(dataset, schema.clone(), self.run_id)
    }
}
