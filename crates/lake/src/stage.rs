//! What one run has written and not yet published.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::split::split_by_partition;
use crate::writer::{FileStamp, Layout, PartitionWriter, ROW_GROUP_ROWS};
use crate::{ContentHash, Dataset, Lake, LakeError, Partition};

/// Files of a stage that are closed at the same time, at most. They wait for the disk, and hold a row group together.
const CLOSING_FILES: usize = 8;

/// A file that shall take a place in the lake.
#[derive(Debug, Clone)]
pub struct StagedPartition {
    /// Its dataset.
    pub dataset: Dataset,
    /// What it holds.
    pub partition: Partition,
    /// Path, size and ETag of the staged file.
    pub meta: ObjectMeta,
    /// The hash of its rows.
    pub content_hash: ContentHash,
}

impl StagedPartition {
    /// Where it shall lie, relative to the lake.
    #[must_use]
    pub fn path(&self) -> String {
        self.dataset.file(self.partition)
    }
}

/// Writes the rows of one dataset into staged files, one for each partition, one at a time.
///
/// Rows come ordered by partition. When the next partition begins, a file is closed and made durable while the rows
/// of the next one already come.
pub struct Stage<'lake> {
    lake: &'lake Lake,
    dataset: Dataset,
    schema: SchemaRef,
    layout: Layout,
    run_id: Uuid,
    stamp: FileStamp,
    open: Option<(Partition, PartitionWriter)>,
    closing: JoinSet<(usize, Result<StagedPartition, LakeError>)>,
    closing_rows: usize,
    done: Vec<StagedPartition>,
    closed: BTreeSet<Partition>,
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
        let stamp = FileStamp {
            run_id: run_id.to_string(),
            ..stamp
        };
        self.begin(dataset, schema, Layout::Sorted(sort.to_vec()), run_id, stamp)
    }

    /// Begins to keep rows of `schema` for the run itself, as they come, below the name of a dataset. They are not made
    /// durable and are never swapped in; whether they equal others cannot be told.
    #[must_use]
    pub fn spool(&self, dataset: Dataset, schema: SchemaRef, run_id: Uuid) -> Stage<'_> {
        self.begin(dataset, schema, Layout::AsTheyCome, run_id, FileStamp::default())
    }

    fn begin(&self, dataset: Dataset, schema: SchemaRef, layout: Layout, run_id: Uuid, stamp: FileStamp) -> Stage<'_> {
        Stage {
            lake: self,
            dataset,
            schema,
            layout,
            run_id,
            stamp,
            open: None,
            closing: JoinSet::new(),
            closing_rows: 0,
            done: Vec::new(),
            closed: BTreeSet::new(),
        }
    }
}

impl Stage<'_> {
    /// Writes rows into the files of the UTC days, or hours, of `column`. Returns these partitions.
    ///
    /// # Errors
    /// When a row has no instant, a partition comes again after another, or the store refuses.
    pub async fn write_by(&mut self, batch: &RecordBatch, column: &str) -> Result<Vec<Partition>, LakeError> {
        let mut partitions = Vec::new();
        for (partition, rows) in split_by_partition(&self.dataset, batch, column)? {
            self.write(partition, rows).await?;
            partitions.push(partition);
        }
        Ok(partitions)
    }

    /// Writes rows into the file of a partition. Without rows, the file is begun all the same.
    ///
    /// # Errors
    /// When the file was closed already, or the store refuses.
    pub async fn write(&mut self, partition: impl Into<Partition>, rows: RecordBatch) -> Result<(), LakeError> {
        let partition = partition.into();
        if self.open.as_ref().is_none_or(|(open, _)| *open != partition) {
            self.close().await?;
            if !self.closed.insert(partition) {
                return Err(LakeError::OutOfOrder {
                    dataset: self.dataset.to_string(),
                    partition,
                });
            }
            let path = self.dataset.staged_file(partition, self.run_id);
            let writer = PartitionWriter::new(self.lake, &self.dataset, path, self.schema.clone(), &self.layout)?;
            self.open = Some((partition, writer));
        }
        let (_, writer) = self.open.as_mut().expect("opened above");
        writer.write(rows).await
    }

    /// Lets the open file be closed, once there is room for one more that is.
    async fn close(&mut self) -> Result<(), LakeError> {
        let Some((partition, writer)) = self.open.take() else {
            return Ok(());
        };
        let rows = writer.pending_rows();
        let is_full = |stage: &Self| stage.closing.len() >= CLOSING_FILES || stage.closing_rows + rows > ROW_GROUP_ROWS;
        while !self.closing.is_empty() && is_full(self) {
            self.closed_one().await?;
        }
        self.closing_rows += rows;
        let closing = Closing {
            lake: self.lake.clone(),
            path: Path::from(self.dataset.staged_file(partition, self.run_id)),
            dataset: self.dataset.clone(),
            partition,
            is_kept: matches!(self.layout, Layout::Sorted(_)),
        };
        let stamp = self.stamp.clone();
        let being_closed = Arc::clone(&self.lake.closing).read_owned().await;
        self.closing.spawn(async move {
            let closed = closing.close(writer, &stamp).await;
            drop(being_closed);
            (rows, closed)
        });
        Ok(())
    }

    async fn closed_one(&mut self) -> Result<(), LakeError> {
        match self.closing.join_next().await {
            Some(Ok((rows, closed))) => {
                self.closing_rows -= rows;
                self.done.push(closed?);
            }
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => {}
        }
        Ok(())
    }

    /// Closes what is open and hands out all files, ordered by partition.
    ///
    /// # Errors
    /// When one of the last files cannot be finished.
    pub async fn finish(mut self) -> Result<Vec<StagedPartition>, LakeError> {
        self.close().await?;
        while !self.closing.is_empty() {
            self.closed_one().await?;
        }
        self.done.sort_by_key(|file| file.partition);
        Ok(std::mem::take(&mut self.done))
    }
}

impl Drop for Stage<'_> {
    /// Files that are being closed are closed all the same: a disk's write cannot be called back, so that it is better to
    /// know when it ends. [`Lake::discard`] waits for it.
    fn drop(&mut self) {
        self.closing.detach_all();
    }
}

/// A file that is being closed.
struct Closing {
    lake: Lake,
    path: Path,
    dataset: Dataset,
    partition: Partition,
    is_kept: bool,
}

impl Closing {
    /// Writes the rest of the file and, when it is to be kept, makes it durable.
    async fn close(self, writer: PartitionWriter, stamp: &FileStamp) -> Result<StagedPartition, LakeError> {
        let (content_hash, _) = writer.finish(stamp).await?;
        if self.is_kept {
            self.lake.make_durable(&self.path).await?;
        }
        let found = self.lake.store.head(&self.path).await;
        // A store below a prefix answers with the whole name.
        let meta = ObjectMeta {
            location: self.path.clone(),
            ..found.map_err(|source| self.lake.failed("find", &self.path, source))?
        };
        Ok(StagedPartition {
            dataset: self.dataset,
            partition: self.partition,
            meta,
            content_hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_appears_in_the_lake_once_an_unfinished_stage_was_discarded() {
        let home = tempfile::tempdir().unwrap();
        let lake = Lake::open(home.path().to_str().unwrap(), []).unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("amount", DataType::Int64, false)]));
        let rows =
            RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from_iter_values(0..10_000))]).unwrap();
        let first: chrono::NaiveDate = "2026-01-01".parse().unwrap();
        for _ in 0..20 {
            let run_id = Uuid::new_v4();
            let mut stage = lake.stage(
                Dataset::facts("users"),
                schema.clone(),
                &[],
                run_id,
                FileStamp::default(),
            );
            for day in first.iter_days().take(CLOSING_FILES + 1) {
                stage.write(day, rows.clone()).await.unwrap();
            }
            drop(stage);
            lake.discard(run_id).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            assert_eq!(lake.staged_runs().await.unwrap(), BTreeSet::new());
        }
    }
}
