//! Writing a file once more, without a person.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use chrono::NaiveDate;
use futures::StreamExt;
use kindred_lake::{FileStamp, LakeError, PartitionFile, Stage, StagedPartition};
use uuid::Uuid;

use super::erased::{Erased, Left};
use super::holders::Holder;
use super::search::Search;
use crate::Platform;
use crate::error::JobError;
use crate::steps::shape::recast;

/// The file that is rewritten, in SQL.
const HELD: &str = "held";

/// What was found in files of a dataset.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Files that held something.
    pub(super) files: u64,
    /// Rows that are gone.
    pub(super) rows: u64,
    /// Rows of others that mentioned the person, and stay.
    pub(super) changed: u64,
    /// The ids of the events that are gone and have no user: those of devices.
    pub(super) anonymous: Vec<String>,
    /// The days on which another user's events named a device.
    pub(super) shared: BTreeSet<NaiveDate>,
}

impl Found {
    fn take(&mut self, batch: &RecordBatch, left: &Left, holder: &Holder, day: NaiveDate) -> Result<(), LakeError> {
        self.rows += left.gone() as u64;
        self.changed += left.changed as u64;
        if !holder.has_properties() {
            return Ok(());
        }
        let gone = arrow::compute::not(&left.stay).and_then(|gone| filter_record_batch(batch, &gone));
        let gone = gone.map_err(|source| misshapen(holder, source))?;
        let ids = gone.column_by_name("event_id").map(|ids| ids.as_string::<i32>());
        let users = gone
            .column_by_name("user_key")
            .map(|users| users.as_primitive::<Int64Type>());
        if let (Some(ids), Some(users)) = (ids, users) {
            let anonymous = (0..gone.num_rows()).filter(|row| users.is_null(*row));
            self.anonymous.extend(anonymous.map(|row| ids.value(row).to_owned()));
        }
        if left.shared > 0 {
            self.shared.insert(day);
        }
        Ok(())
    }
}

/// A file's rows on their way out.
pub(super) struct Rewriting<'a> {
    pub(super) platform: &'a Platform,
    pub(super) search: &'a Search,
    pub(super) erased: &'a Erased,
    pub(super) run_id: Uuid,
}

impl Rewriting<'_> {
    /// Stages the file without the person, and says what it held. Nothing is staged when it held nothing.
    pub(super) async fn rewrite(
        &self,
        holder: &Holder,
        file: &PartitionFile,
        found: &mut Found,
    ) -> Result<Option<StagedPartition>, JobError> {
        let mut stage = self.platform.lake.stage(
            holder.dataset.clone(),
            holder.schema.clone(),
            holder.sort,
            self.run_id,
            self.stamp(),
        );
        // Begun in any case: a file that loses all its rows is empty, and not gone.
        let none = RecordBatch::new_empty(holder.schema.clone());
        stage.write(file.partition, none).await?;
        let before = (found.rows, found.changed);
        self.read(holder, file, found, Some(&mut stage)).await?;
        if before == (found.rows, found.changed) {
            return Ok(None);
        }
        found.files += 1;
        Ok(stage.finish().await?.pop())
    }

    /// The same without staging: what the file still holds.
    pub(super) async fn look(&self, holder: &Holder, file: &PartitionFile, found: &mut Found) -> Result<(), JobError> {
        self.read(holder, file, found, None).await
    }

    async fn read(
        &self,
        holder: &Holder,
        file: &PartitionFile,
        found: &mut Found,
        mut stage: Option<&mut Stage<'_>>,
    ) -> Result<(), JobError> {
        let session = &self.search.session;
        session.register_partitions(HELD, &holder.dataset, std::iter::once(file), &holder.schema)?;
        let columns: Vec<_> = holder
            .schema
            .fields()
            .iter()
            .map(|field| format!("\"{}\"", field.name()))
            .collect();
        let sql = format!("select {} from {HELD}", columns.join(", "));
        let mut rows = session.sql(&sql).await?;
        while let Some(batch) = rows.next().await {
            let name = format!("the rows of {}/{}", holder.dataset, file.partition);
            let batch = batch.map_err(|error| session.failure(&name, error))?;
            let batch = recast(&batch, &holder.schema).map_err(|source| misshapen(holder, source))?;
            let left = if holder.is_of_one_identity() {
                self.erased.leave_out_of_events(&batch)
            } else {
                self.erased.leave_out(&batch, &holder.keys)
            };
            let left = left.map_err(|source| misshapen(holder, source))?;
            found.take(&batch, &left, holder, file.partition.day)?;
            if let Some(stage) = &mut stage {
                stage.write(file.partition, left.rows).await?;
            }
        }
        Ok(())
    }

    fn stamp(&self) -> FileStamp {
        FileStamp {
            run_id: self.run_id.to_string(),
            job: "erasure".to_owned(),
            contract_version: kindred_model::DEFINITIONS_VERSION.to_owned(),
            ..FileStamp::default()
        }
    }
}

fn misshapen(holder: &Holder, source: arrow::error::ArrowError) -> LakeError {
    LakeError::Arrange {
        dataset: holder.dataset.to_string(),
        source,
    }
}
