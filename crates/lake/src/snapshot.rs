//! The files that a plan reads, explicit and fixed when the plan begins.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures::TryStreamExt;
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::stage::StagedPartition;
use crate::{Dataset, Lake, LakeError};

/// One file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFile {
    /// The UTC day that it holds.
    pub day: NaiveDate,
    /// Path, size and ETag.
    pub meta: ObjectMeta,
}

/// The files of some datasets as they were at one moment, with a run's own staged files laid over them.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    files: BTreeMap<Dataset, BTreeMap<NaiveDate, PartitionFile>>,
}

impl Snapshot {
    /// The files of a dataset, by day. Empty when there are none.
    pub fn files(&self, dataset: &Dataset) -> impl Iterator<Item = &PartitionFile> {
        self.files.get(dataset).into_iter().flat_map(BTreeMap::values)
    }

    /// The file of one day.
    #[must_use]
    pub fn file(&self, dataset: &Dataset, day: NaiveDate) -> Option<&PartitionFile> {
        self.files.get(dataset)?.get(&day)
    }

    /// Every file of every dataset.
    pub fn all(&self) -> impl Iterator<Item = &PartitionFile> {
        self.files.values().flat_map(BTreeMap::values)
    }

    /// Adds a file of a dataset, in place of the one of its day.
    pub fn insert(&mut self, dataset: Dataset, file: PartitionFile) {
        self.files.entry(dataset).or_default().insert(file.day, file);
    }

    /// Lays a staged file over the published one of its day, for plans of the run that staged it.
    pub fn overlay(&mut self, staged: &StagedPartition) {
        let file = PartitionFile {
            day: staged.day,
            meta: staged.meta.clone(),
        };
        self.files
            .entry(staged.dataset.clone())
            .or_default()
            .insert(staged.day, file);
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

    async fn list(&self, dataset: &Dataset) -> Result<BTreeMap<NaiveDate, PartitionFile>, LakeError> {
        let folder = Path::from(dataset.folder());
        let failed = |source| LakeError::Store {
            action: "list",
            path: dataset.folder(),
            source,
        };
        let listed: Vec<ObjectMeta> = self.store.list(Some(&folder)).try_collect().await.map_err(failed)?;
        let partitions = listed.into_iter().filter_map(|meta| {
            let day = Dataset::day_of(&meta.location)?;
            Some((day, PartitionFile { day, meta }))
        });
        Ok(partitions.collect())
    }
}
