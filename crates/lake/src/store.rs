//! The store that holds the lake.

use std::fmt::Display;
use std::io;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use tokio::sync::RwLock;

use crate::place::{Place, without_credentials};
use crate::{Fault, LakeError};

/// A lake: an object store whose root is the lake's root. Clones share it.
#[derive(Debug, Clone)]
pub struct Lake {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Where the store's root lies on this machine, when it does: then files are made durable by fsync.
    pub(crate) folder: Option<PathBuf>,
    /// Held by every file that is being closed: what a disk has begun to write is written, whether or not its run still
    /// waits, and must not appear behind the back of who removes it.
    pub(crate) closing: Arc<RwLock<()>>,
    /// As it may be printed.
    address: Arc<str>,
}

impl Lake {
    /// Opens the lake at `address`: a path, or a URL of scheme `file`, `s3`, `gs` or `az`. A local folder is made when
    /// it is missing. `options` are the store's own settings, such as `aws_region`.
    ///
    /// # Errors
    /// When the address names no known store, or the folder cannot be made.
    pub fn open(address: &str, options: impl IntoIterator<Item = (String, String)>) -> Result<Self, LakeError> {
        match Place::parse(address, options)? {
            Place::Folder(path) => Self::open_folder(&path),
            Place::Store(store) => Ok(Self {
                store,
                folder: None,
                closing: Arc::default(),
                address: without_credentials(address).trim_end_matches('/').into(),
            }),
        }
    }

    /// Whether the address names a lake that could be opened with these options. Nothing is opened or made.
    ///
    /// # Errors
    /// When it names no known store.
    pub fn check_address(address: &str, options: impl IntoIterator<Item = (String, String)>) -> Result<(), LakeError> {
        Place::parse(address, options).map(drop)
    }

    fn open_folder(path: &FsPath) -> Result<Self, LakeError> {
        let unusable = |source| LakeError::Folder {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(unusable)?;
        let folder = path.canonicalize().map_err(unusable)?;
        let store =
            LocalFileSystem::new_with_prefix(&folder).map_err(|error| unusable(std::io::Error::other(error)))?;
        Ok(Self {
            store: Arc::new(store),
            address: folder.to_string_lossy().into(),
            folder: Some(folder),
            closing: Arc::default(),
        })
    }

    /// The store, for readers that plan over a [`crate::Snapshot`].
    #[must_use]
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// Writes a small file and removes it again, to find out whether the lake may be written.
    ///
    /// # Errors
    /// When either fails.
    pub async fn probe(&self) -> Result<(), LakeError> {
        let path = Path::from(format!(".probe-{}", std::process::id()));
        let written = self.store.put(&path, "kindred".into()).await;
        written.map_err(|source| self.failed("write", &path, source))?;
        let deleted = self.store.delete(&path).await;
        deleted.map_err(|source| self.failed("delete", &path, source))
    }

    /// Where it is, as it may be printed.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// That the store did not do something with an object or a folder.
    pub(crate) fn failed(&self, action: &'static str, path: impl Display, source: object_store::Error) -> LakeError {
        LakeError::Store {
            action,
            object: self.object(path),
            // The disk of this machine is never away, and has no keys.
            fault: match self.folder {
                Some(_) => Fault::Other,
                None => Fault::of(&source),
            },
            source,
        }
    }

    /// That a Parquet file could not be written or read: the store's failure, if it was one.
    pub(crate) fn parquet_failed(&self, action: &'static str, path: impl Display, source: ParquetError) -> LakeError {
        match store_error(source) {
            Ok(error) => self.failed(action, path, error),
            Err(source) => LakeError::Parquet {
                action,
                object: self.object(path),
                source,
            },
        }
    }

    fn object(&self, path: impl Display) -> String {
        format!("{}/{path}", self.address)
    }
}

/// What takes its time on the disk of this machine, beside what else there is to do.
pub(crate) async fn on_disk<F, T>(work: F) -> Result<T, LakeError>
where
    F: FnOnce() -> Result<T, LakeError> + Send + 'static,
    T: Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// The store's error behind that of a Parquet writer, which has it from a writer of bytes.
fn store_error(error: ParquetError) -> Result<object_store::Error, ParquetError> {
    let ParquetError::External(cause) = error else {
        return Err(error);
    };
    match cause
        .downcast::<io::Error>()
        .map(|cause| cause.downcast::<object_store::Error>())
    {
        Ok(Ok(error)) => Ok(error),
        Ok(Err(cause)) => Err(ParquetError::External(Box::new(cause))),
        Err(cause) => Err(ParquetError::External(cause)),
    }
}
