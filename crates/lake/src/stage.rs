//! What one run has written and not yet published.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use uuid::Uuid;

use crate::split::split_by_partition;
use crate::writer::{FileStamp, PartitionWriter};
use crate::{ContentHash, Dataset, Lake, LakeError, Partition};

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
/// Rows come ordered by partition; a file is closed, and made durable, when the next partition begins.
pub struct Stage<'lake> {
    lake: &'lake Lake,
    dataset: Dataset,
    schema: SchemaRef,
    sort: Vec<&'static str>,
    run_id: Uuid,
    stamp: FileStamp,
    open: Option<(Partition, PartitionWriter)>,
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

    async fn close(&mut self) -> Result<(), LakeError> {
        let Some((partition, writer)) = self.open.take() else {
            return Ok(());
        };
        let path = Path::from(self.dataset.staged_file(partition, self.run_id));
        let (content_hash, _) = writer.finish(&self.stamp).await?;
        self.lake.make_durable(&path).await?;
        let meta = self.lake.store.head(&path).await.map_err(|source| LakeError::Store {
            action: "find",
            path: path.to_string(),
            source,
        })?;
        self.done.push(StagedPartition {
            dataset: self.dataset.clone(),
            partition,
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
