//! The moment at which staged files take their places, and what becomes of those that never do.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use uuid::Uuid;

use crate::layout::{STAGING, staged_by, staging_folder};
use crate::store::on_disk;
use crate::{Dataset, Lake, LakeError, Partition, StagedPartition};

/// Requests to the store, or to the disk, that are under way at the same time.
const REQUESTS_AT_ONCE: usize = 16;

impl Lake {
    /// Puts staged files into their places, each at once: a reader sees the old file or the new one.
    ///
    /// On a local disk this is a rename and an fsync of the folders. A bucket has no rename: an object is copied over the
    /// other, and what was staged stays until it is discarded, with many others at once.
    ///
    /// # Errors
    /// At the first file that cannot be moved; others have been.
    pub async fn swap(&self, staged: &[StagedPartition]) -> Result<(), LakeError> {
        let moves = staged.iter().map(|partition| {
            let (lake, from) = (self.clone(), partition.meta.location.clone());
            let to = Path::from(partition.path());
            let moved = async move {
                let moved = match lake.folder {
                    Some(_) => lake.store.rename(&from, &to).await,
                    None => lake.store.copy(&from, &to).await,
                };
                moved.map_err(|source| lake.failed("publish", &to, source))
            };
            moved.boxed()
        });
        at_once(moves.collect()).await?;
        let Some(root) = self.folder.clone() else { return Ok(()) };
        // Any folder between a file and the root may be new, and is then an entry of the one above it.
        let folders: BTreeSet<PathBuf> = staged
            .iter()
            .flat_map(|partition| {
                let path = root.join(partition.path());
                let above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&root));
                above.map(PathBuf::from).collect::<Vec<_>>()
            })
            .collect();
        let synced = folders.into_iter().map(|folder| on_disk(move || fsync(folder)).boxed());
        at_once(synced.collect()).await
    }

    /// Removes published files. One that is gone already is no error.
    ///
    /// # Errors
    /// At the first file that cannot be removed; others have been.
    pub async fn remove(&self, partitions: &[(Dataset, Partition)]) -> Result<(), LakeError> {
        let removals = partitions.iter().map(|(dataset, partition)| {
            let (lake, path) = (self.clone(), Path::from(dataset.file(*partition)));
            let removed = async move {
                match lake.store.delete(&path).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                    Err(source) => Err(lake.failed("delete", &path, source)),
                }
            };
            removed.boxed()
        });
        at_once(removals.collect()).await?;
        // Folders of a day and an hour that hold nothing now; those that do refuse.
        for (dataset, partition) in self.folder.iter().flat_map(|_| partitions) {
            let file = self.folder.as_ref().map(|root| root.join(dataset.file(*partition)));
            let levels = 1 + usize::from(partition.hour.is_some());
            for folder in file.iter().flat_map(|file| file.ancestors().skip(1).take(levels)) {
                let _ = std::fs::remove_dir(folder);
            }
        }
        Ok(())
    }

    /// Removes what a run has staged and has not swapped in, once no file of this process is being closed any more.
    ///
    /// # Errors
    /// When it cannot be removed, for another cause than not being there.
    pub async fn discard(&self, run_id: Uuid) -> Result<(), LakeError> {
        drop(self.closing.write().await);
        let folder = staging_folder(run_id);
        if let Some(root) = &self.folder {
            let path = root.join(folder);
            return on_disk(move || match std::fs::remove_dir_all(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => Err(LakeError::Disk {
                    action: "remove",
                    path,
                    source,
                }),
                _ => Ok(()),
            })
            .await;
        }
        let staged = self.store.list(Some(&Path::from(folder.as_str())));
        let locations = staged.map_ok(|meta| meta.location).boxed();
        let mut deleted = self.store.delete_stream(locations);
        while let Some(one) = deleted.next().await {
            one.map_err(|source| self.failed("delete what is staged in", &folder, source))?;
        }
        Ok(())
    }

    /// The runs that have staged anything. Those of them that are not live afterwards are dead, and may be discarded.
    ///
    /// # Errors
    /// When the staging folder cannot be listed.
    pub async fn staged_runs(&self) -> Result<BTreeSet<Uuid>, LakeError> {
        Ok(self.staged(STAGING).await?.iter().filter_map(staged_by).collect())
    }

    async fn staged(&self, folder: &str) -> Result<Vec<Path>, LakeError> {
        let listed = self.store.list(Some(&Path::from(folder))).map_ok(|meta| meta.location);
        let listed = listed.try_collect().await;
        listed.map_err(|source| self.failed("list", folder, source))
    }

    /// Makes a file's content durable, where the store is a local disk. An object store's PUT already is.
    pub(crate) async fn make_durable(&self, path: &Path) -> Result<(), LakeError> {
        let Some(root) = &self.folder else { return Ok(()) };
        let path = root.join(path.as_ref());
        on_disk(move || fsync(path)).await
    }
}

/// Does them all, some at a time.
async fn at_once(work: Vec<BoxFuture<'static, Result<(), LakeError>>>) -> Result<(), LakeError> {
    let mut done = stream::iter(work).buffer_unordered(REQUESTS_AT_ONCE);
    while let Some(result) = done.next().await {
        result?;
    }
    Ok(())
}

fn fsync(path: PathBuf) -> Result<(), LakeError> {
    let synced = File::open(&path).and_then(|file| file.sync_all());
    synced.map_err(|source| LakeError::Disk {
        action: "make durable",
        path,
        source,
    })
}
