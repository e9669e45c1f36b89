//! What one run has written and not yet published.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use uuid::Uuid;

use crate::by_day::split_by_day;
use crate::writer::{FileStamp, PartitionWriter};
use crate::{ContentHash, Dataset, Lake, LakeError};

/// A file that shall take a place in the lake.
#[derive(Debug, Clone)]
pub struct StagedPartition {
    /// Its dataset.
    pub dataset: Dataset,
    /// The UTC day that it holds.
    pub day: NaiveDate,
    /// Path, size and ETag of the staged file.
    pub meta: ObjectMeta,
    /// The hash of its rows.
    pub content_hash: ContentHash,
}

impl StagedPartition {
    /// Where it shall lie, relative to the lake.
    #[must_use]
    pub fn path(&self) -> String {
        self.dataset.file(self.day)
    }
}

/// Writes the rows of one dataset into staged files, one for each day, one at a time.
///
/// Rows come ordered by day; a day's file is closed, and made durable, when the next day begins.
pub struct Stage<'lake> {
    lake: &'lake Lake,
    dataset: Dataset,
    schema: SchemaRef,
    sort: Vec<&'static str>,
    run_id: Uuid,
    stamp: FileStamp,
    open: Option<(NaiveDate, PartitionWriter)>,
    done: Vec<StagedPartition>,
    closed: BTreeSet<NaiveDate>,
}

impl Lake {
    /// Begins to stage rows of `schema` for a dataset, sorted by the columns of `sort` within each row group.
    #[must_use]
    pub fn stage(
        &self,
        dataset: Dataset,
        schema: SchemaRef,
        sort: &[&'static str],
        run_id: Uuid,
        stamp: FileStamp,
    ) -> Stage<'_> {
        Stage {
            lake: self,
            dataset,
            schema,
            sort: sort.to_vec(),
            run_id,
            stamp: FileStamp {
                run_id: run_id.to_string(),
                ..stamp
            },
            open: None,
            done: Vec::new(),
            closed: BTreeSet::new(),
        }
    }
}

impl Stage<'_> {
    /// Writes rows into the files of the UTC days of `day_column`. Returns these days.
    ///
    /// # Errors
    /// When a row has no day, a day comes again after another, or the store refuses.
    pub async fn write_by_day(&mut self, batch: &RecordBatch, day_column: &str) -> Result<Vec<NaiveDate>, LakeError> {
        let mut days = Vec::new();
        for (day, rows) in split_by_day(&self.dataset, batch, day_column)? {
            self.write(day, rows).await?;
            days.push(day);
        }
        Ok(days)
    }

    /// Writes rows into the file of `day`. Without rows, the file is begun all the same.
    ///
    /// # Errors
    /// When the day's file was closed already, or the store refuses.
    pub async fn write(&mut self, day: NaiveDate, rows: RecordBatch) -> Result<(), LakeError> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != day) {
            self.close().await?;
            if !self.closed.insert(day) {
                return Err(LakeError::OutOfOrder {
                    dataset: self.dataset.to_string(),
                    day,
                });
            }
            let path = self.dataset.staged_file(day, self.run_id);
            let writer = PartitionWriter::new(self.lake, &self.dataset, path, self.schema.clone(), &self.sort)?;
            self.open = Some((day, writer));
        }
        let (_, writer) = self.open.as_mut().expect("opened above");
        writer.write(rows).await
    }

    async fn close(&mut self) -> Result<(), LakeError> {
        let Some((day, writer)) = self.open.take() else {
            return Ok(());
        };
        let path = Path::from(self.dataset.staged_file(day, self.run_id));
        let (content_hash, _) = writer.finish(&self.stamp).await?;
        self.lake.make_durable(&path).await?;
        let meta = self.lake.store.head(&path).await.map_err(|source| LakeError::Store {
            action: "find",
            path: path.to_string(),
            source,
        })?;
        self.done.push(StagedPartition {
            dataset: self.dataset.clone(),
            day,
            meta,
            content_hash,
        });
        Ok(())
    }

    /// Closes the last file and hands out all of them.
    ///
    /// # Errors
    /// When the last file cannot be finished.
    pub async fn finish(mut self) -> Result<Vec<StagedPartition>, LakeError> {
        self.close().await?;
        Ok(self.done)
    }
}
