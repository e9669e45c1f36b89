//! The files that a plan reads, explicit and fixed when the plan begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::stage::StagedPartition;
use crate::store::on_disk;
use crate::{Dataset, Lake, LakeError, Partition, local_listing};

/// Datasets that are listed side by side: a bucket answers each with a delay, whatever lies in it.
const LISTINGS_AT_ONCE: usize = 8;

/// One file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFile {
    /// What it holds.
    pub partition: Partition,
    /// Path, size and ETag. Shared, since plans and views of a history hold thousands of them.
    pub meta: Arc<ObjectMeta>,
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
            meta: Arc::new(staged.meta.clone()),
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
        let listed = stream::iter(datasets.into_iter().map(async |dataset| {
            let files = self.list(&dataset).await?;
            Ok((dataset, files))
        }));
        let files = listed.buffer_unordered(LISTINGS_AT_ONCE).try_collect().await?;
        Ok(Snapshot { files })
    }

    async fn list(&self, dataset: &Dataset) -> Result<BTreeMap<Partition, PartitionFile>, LakeError> {
        let files = if let Some(root) = self.folder.clone() {
            let dataset = dataset.clone();
            on_disk(move || local_listing::files(&root, &dataset)).await?
        } else {
            self.list_store(dataset).await?
        };
        let files = files.into_iter().map(|(partition, meta)| {
            let meta = Arc::new(meta);
            (partition, PartitionFile { partition, meta })
        });
        Ok(files.collect())
    }

    async fn list_store(&self, dataset: &Dataset) -> Result<Vec<(Partition, ObjectMeta)>, LakeError> {
        let folder = Path::from(dataset.folder());
        let listed = self.store.list(Some(&folder)).try_collect().await;
        let listed: Vec<ObjectMeta> = listed.map_err(|source| self.failed("list", &folder, source))?;
        let files = listed
            .into_iter()
            .filter_map(|meta| Some((dataset.partition_of(&meta.location)?, meta)));
        Ok(files.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_hour_of_every_day_is_listed_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let lake = Lake::open(home.path().to_str().unwrap(), []).unwrap();
        let events = Dataset::facts("events").by_hour();
        let hours = [("2026-01-31", 0), ("2026-01-31", 23), ("2026-02-01", 5)];
        let hours = hours.map(|(day, hour)| Partition::hour(day.parse().unwrap(), hour));
        let others = [
            "date=2026-02-01/hour=06/part-0.parquet#1",
            "date=2026-02-01/part-0.parquet",
            "part-0.parquet",
        ];
        let others = others.map(|file| format!("{events}/{file}"));
        for file in hours.map(|hour| events.file(hour)).iter().chain(&others) {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        let none = Dataset::facts("none").by_hour();
        let snapshot = lake.snapshot([events.clone(), none.clone()]).await.unwrap();
        let found: Vec<_> = snapshot.files(&events).map(|file| file.partition).collect();
        assert_eq!(found, hours);
        let sizes = snapshot.files(&events).map(|file| file.meta.size);
        assert!(sizes.eq(hours.map(|hour| events.file(hour).len() as u64)));
        assert_eq!(snapshot.files(&none).count(), 0);
    }
}
