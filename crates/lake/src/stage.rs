//! What one run has written and not yet published.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::split::split_by_partition;
use crate::writer::{FileStamp, PartitionWriter};
use crate::{ContentHash, Dataset, Lake, LakeError, Partition};

/// Files of a stage that are closed at the same time: each holds a row group at most, and waits for the disk.
const CLOSING_FILES: usize = 2;

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
/// of the next one already come: at most [`CLOSING_FILES`] at a time.
pub struct Stage<'lake> {
    lake: &'lake Lake,
    dataset: Dataset,
    schema: SchemaRef,
    sort: Vec<&'static str>,
    run_id: Uuid,
    stamp: FileStamp,
    open: Option<(Partition, PartitionWriter)>,
    closing: JoinSet<Result<StagedPartition, LakeError>>,
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
            closing: JoinSet::new(),
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
            let writer = PartitionWriter::new(self.lake, &self.dataset, path, self.schema.clone(), &self.sort)?;
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
        while self.closing.len() >= CLOSING_FILES {
            self.closed_one().await?;
        }
        let path = self.dataset.staged_file(partition, self.run_id);
        let close = close(
            self.lake.clone(),
            self.dataset.clone(),
            partition,
            path,
            writer,
            self.stamp.clone(),
        );
        self.closing.spawn(close);
        Ok(())
    }

    async fn closed_one(&mut self) -> Result<(), LakeError> {
        match self.closing.join_next().await {
            Some(Ok(closed)) => self.done.push(closed?),
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
        Ok(self.done)
    }
}

/// Writes the rest of a file, and makes it durable.
async fn close(
    lake: Lake,
    dataset: Dataset,
    partition: Partition,
    path: String,
    writer: PartitionWriter,
    stamp: FileStamp,
) -> Result<StagedPartition, LakeError> {
    let (content_hash, _) = writer.finish(&stamp).await?;
    let path = Path::from(path);
    lake.make_durable(&path).await?;
    let meta = lake.store.head(&path).await.map_err(|source| LakeError::Store {
        action: "find",
        path: path.to_string(),
        source,
    })?;
    Ok(StagedPartition {
        dataset,
        partition,
        meta,
        content_hash,
    })
}
