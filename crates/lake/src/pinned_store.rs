//! A view of the store that fails rather than mix two versions of a file.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::Fault;
use crate::kept_files::{KeptFiles, LARGEST, is_plain};

/// Reads each file only in the version that it first met, known by its ETag.
///
/// Small files that were expected are read once, and held.
///
/// A Parquet file is read in several requests: footer, then column chunks. When the file is replaced between two of
/// them the later one fails with [`object_store::Error::Precondition`], and whoever planned may plan again.
#[derive(Debug)]
pub struct PinnedStore {
    inner: Arc<dyn ObjectStore>,
    pins: Mutex<HashMap<Path, Pin>>,
    kept: KeptFiles,
    /// Why a read failed first.
    fault: Arc<OnceLock<Fault>>,
}

/// What a read of a file holds to.
#[derive(Debug, Clone, Default)]
struct Pin {
    etag: Option<String>,
    /// Listed, and so small that it is read whole.
    is_small: bool,
}

impl PinnedStore {
    /// A view of `inner` in which nothing is pinned yet.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            pins: Mutex::default(),
            kept: KeptFiles::default(),
            fault: Arc::default(),
        }
    }

    /// Pins files as a listing found them, before they are read. Each plan says which it is about to read: to pin a whole
    /// history for every view of it would take longer than most plans. What is pinned already stays so.
    pub fn expect<'a>(&self, listed: impl IntoIterator<Item = &'a ObjectMeta>) {
        let mut pins = self.pins();
        for meta in listed {
            if !pins.contains_key(&meta.location) {
                let pin = Pin {
                    etag: meta.e_tag.clone(),
                    is_small: meta.size <= LARGEST,
                };
                pins.insert(meta.location.clone(), pin);
            }
        }
    }

    /// Why a read failed, if one did; [`Fault::Changed`] for a pinned file that was found replaced or gone. Readers may tell
    /// it in words alone: a Parquet reader that cannot read a footer keeps the text of the store's error, and not the error.
    pub fn fault(&self) -> Option<Fault> {
        self.fault.get().copied()
    }

    fn pins(&self) -> MutexGuard<'_, HashMap<Path, Pin>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pin_of(&self, location: &Path) -> Pin {
        self.pins().get(location).cloned().unwrap_or_default()
    }

    /// By the name that was asked for: the answer may bear another, below a prefix of the store.
    fn pin(&self, location: &Path, meta: &ObjectMeta) {
        if let Some(etag) = &meta.e_tag {
            let mut pins = self.pins();
            let pin = pins.entry(location.clone()).or_default();
            pin.etag.get_or_insert_with(|| etag.clone());
        }
    }
}

impl fmt::Display for PinnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pinned {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for PinnedStore {
    // Ranges are left to the trait's default, which reads each of them through here: the pin holds for all.
    async fn get_opts(&self, location: &Path, mut options: GetOptions) -> Result<GetResult> {
        let pin = self.pin_of(location);
        let is_kept = pin.is_small && is_plain(&options);
        if is_kept && let Some(file) = self.kept.get(location) {
            return file.answer(options.range.as_ref());
        }
        if pin.etag.is_some() {
            options = options.with_if_match(pin.etag);
        }
        let is_kept = is_kept && self.kept.has_room();
        let part = if is_kept { options.range.take() } else { None };
        let fault = Arc::clone(&self.fault);
        let note = move |error: &Error| {
            fault.get_or_init(|| Fault::of(error));
        };
        let mut result = self.inner.get_opts(location, options).await.inspect_err(&note)?;
        self.pin(location, &result.meta);
        if is_kept {
            let file = self.kept.keep(location, result).await.inspect_err(&note)?;
            return file.answer(part.as_ref());
        }
        // An answer may break off after its head has come.
        result.payload = match result.payload {
            GetResultPayload::Stream(bytes) => GetResultPayload::Stream(bytes.inspect_err(note).boxed()),
            file @ GetResultPayload::File(..) => file,
        };
        Ok(result)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
