//! The files that a plan reads, explicit and fixed when the plan begins.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::stage::StagedPartition;
use crate::{Dataset, Lake, LakeError, Partition};

/// One file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFile {
    /// What it holds.
    pub partition: Partition,
    /// Path, size and ETag.
    pub meta: ObjectMeta,
}

/// The files of some datasets as they were at one moment, with a run's own staged files laid over them.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    files: BTreeMap<Dataset, BTreeMap<Partition, PartitionFile>>,
}

impl Snapshot {
    /// Staged files alone.
    #[must_use]
    pub fn of(staged: &[StagedPartition]) -> Self {
        let mut snapshot = Self::default();
        staged.iter().for_each(|file| snapshot.overlay(file));
        snapshot
    }

    /// The files of a dataset, by partition. Empty when there are none.
    pub fn files(&self, dataset: &Dataset) -> impl Iterator<Item = &PartitionFile> {
        self.files.get(dataset).into_iter().flat_map(BTreeMap::values)
    }

    /// The file of one partition.
    #[must_use]
    pub fn file(&self, dataset: &Dataset, partition: impl Into<Partition>) -> Option<&PartitionFile> {
        self.files.get(dataset)?.get(&partition.into())
    }

    /// Every file of every dataset.
    pub fn all(&self) -> impl Iterator<Item = &PartitionFile> {
        self.files.values().flat_map(BTreeMap::values)
    }

    /// Adds a file of a dataset, in place of the one of its partition.
    pub fn insert(&mut self, dataset: Dataset, file: PartitionFile) {
        self.files.entry(dataset).or_default().insert(file.partition, file);
    }

    /// Lays a staged file over the published one of its partition, for plans of the run that staged it.
    pub fn overlay(&mut self, staged: &StagedPartition) {
        let file = PartitionFile {
            partition: staged.partition,
            meta: staged.meta.clone(),
        };
        self.files
            .entry(staged.dataset.clone())
            .or_default()
            .insert(staged.partition, file);
    }
}

impl Lake {
    /// The published files of these datasets as they are now.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn snapshot(&self, datasets: impl IntoIterator<Item = Dataset>) -> Result<Snapshot, LakeError> {
        let mut files = BTreeMap::new();
        for dataset in datasets {
            let listed = self.list(&dataset).await?;
            files.insert(dataset, listed);
        }
        Ok(Snapshot { files })
    }

    async fn list(&self, dataset: &Dataset) -> Result<BTreeMap<Partition, PartitionFile>, LakeError> {
        let folder = Path::from(dataset.folder());
        let listed = self.store.list(Some(&folder)).try_collect().await;
        let listed: Vec<ObjectMeta> = listed.map_err(|source| self.failed("list", &folder, source))?;
        let partitions = listed.into_iter().filter_map(|meta| {
            let partition = dataset.partition_of(&meta.location)?;
            Some((partition, PartitionFile { partition, meta }))
        });
        Ok(partitions.collect())
    }
}
