//! The store that holds the lake.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

use crate::LakeError;

/// A lake: an object store whose root is the lake's root. Clones share it.
#[derive(Debug, Clone)]
pub struct Lake {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Where the store's root lies on this machine, when it does: then files are made durable by fsync.
    pub(crate) folder: Option<PathBuf>,
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
            Place::Store(store) => Ok(Self { store, folder: None }),
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
            folder: Some(folder),
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
        let failed = |action| {
            let path = path.to_string();
            move |source| LakeError::Store { action, path, source }
        };
        self.store.put(&path, "kindred".into()).await.map_err(failed("write"))?;
        self.store.delete(&path).await.map_err(failed("delete"))
    }
}

/// What an address names.
enum Place {
    Folder(PathBuf),
    Store(Arc<dyn ObjectStore>),
}

impl Place {
    fn parse(address: &str, options: impl IntoIterator<Item = (String, String)>) -> Result<Self, LakeError> {
        let refused = |source| LakeError::Address {
            url: without_credentials(address),
            source,
        };
        if !address.contains("://") {
            return Ok(Self::Folder(address.into()));
        }
        let url = Url::parse(address).map_err(|_| refused(None))?;
        if url.scheme() == "file" {
            return Ok(Self::Folder(url.to_file_path().map_err(|()| refused(None))?));
        }
        if !matches!(
            url.scheme(),
            "s3" | "s3a" | "gs" | "az" | "abfs" | "abfss" | "adl" | "azure"
        ) {
            return Err(refused(None));
        }
        let (store, prefix) = object_store::parse_url_opts(&url, options).map_err(|error| refused(Some(error)))?;
        Ok(Self::Store(Arc::new(PrefixStore::new(store, prefix))))
    }
}

/// The address as it may be printed: user, password and query left out.
fn without_credentials(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) => {
            // Both fail only for addresses that cannot hold them.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string()
        }
        Err(_) => address.to_owned(),
    }
}
