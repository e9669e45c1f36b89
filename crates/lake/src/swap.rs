//! The moment at which staged files take their places.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;

use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::{Lake, LakeError, StagedPartition};

impl Lake {
    /// Puts staged files into their places, each at once: a reader sees the old file or the new one.
    ///
    /// On a local disk this is a rename and an fsync of the folders; on an object store, a copy of one object over
    /// the other.
    ///
    /// # Errors
    /// At the first file that cannot be moved; those before it have been.
    pub async fn swap(&self, staged: &[StagedPartition]) -> Result<(), LakeError> {
        for partition in staged {
            let to = Path::from(partition.path());
            let failed = |source| LakeError::Store {
                action: "publish",
                path: to.to_string(),
                source,
            };
            self.store.rename(&partition.meta.location, &to).await.map_err(failed)?;
        }
        let Some(root) = self.folder.clone() else { return Ok(()) };
        let folders: BTreeSet<PathBuf> = staged
            .iter()
            .flat_map(|partition| {
                // The folder of the file, and the one above it, in which the former may be new.
                let path = root.join(partition.path());
                path.ancestors().skip(1).take(2).map(PathBuf::from).collect::<Vec<_>>()
            })
            .collect();
        on_disk(move || folders.into_iter().try_for_each(fsync)).await
    }

    /// Makes a file's content durable, where the store is a local disk. An object store's PUT already is.
    pub(crate) async fn make_durable(&self, path: &Path) -> Result<(), LakeError> {
        let Some(root) = &self.folder else { return Ok(()) };
        let path = root.join(path.as_ref());
        on_disk(move || fsync(path)).await
    }
}

fn fsync(path: PathBuf) -> Result<(), LakeError> {
    let synced = File::open(&path).and_then(|file| file.sync_all());
    synced.map_err(|source| LakeError::Disk {
        action: "make durable",
        path,
        source,
    })
}

async fn on_disk<F>(work: F) -> Result<(), LakeError>
where
    F: FnOnce() -> Result<(), LakeError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
