//! What every step of a run is handed.

use arrow::datatypes::SchemaRef;
use kindred_lake::{Dataset, FileStamp, Stage};
use kindred_model::{DEFINITIONS_VERSION, DayWindow};
use kindred_warehouse::Run;
use uuid::Uuid;

use crate::Platform;

/// The run, and what it works with.
pub(crate) struct Work<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) run_id: Uuid,
    stamp: FileStamp,
}

impl<'a> Work<'a> {
    pub(crate) fn new(platform: &'a Platform, run: &Run, asked: DayWindow) -> Self {
        let stamp = FileStamp {
            run_id: run.id.to_string(),
            job: run.job.to_string(),
            interval: format!("{}/{}", asked.from(), asked.to()),
            contract_version: DEFINITIONS_VERSION.to_owned(),
            sql_hash: String::new(),
        };
        Self {
            platform,
            run_id: run.id,
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
}
