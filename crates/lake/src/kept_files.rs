//! Small files that are held in memory once they were read.
//!
//! A reader of Parquet asks for the end of a file first, unless it knows the footer already, and then for its columns; the
//! next plan asks again. Each request costs more than the bytes: a way to another thread and back on a disk, and tens of
//! milliseconds in a bucket. A history of small days has thousands of such files. So the first request for any part of one
//! reads all of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{Attributes, Error, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, Result};

/// The largest file that is kept, in bytes: as much as a reader asks for at first.
pub(crate) const LARGEST: u64 = 64 << 10;

/// Bytes of all files that are kept together. What comes when they are full is read as often as it is asked for.
const MOST: u64 = 32 << 20;

/// The files, by the names under which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct KeptFiles(Mutex<Files>);

#[derive(Debug, Default)]
struct Files {
    by_name: HashMap<Path, KeptFile>,
    bytes: u64,
}

/// A whole file.
#[derive(Debug, Clone)]
pub(crate) struct KeptFile {
    meta: ObjectMeta,
    bytes: Bytes,
}

impl KeptFiles {
    pub(crate) fn get(&self, location: &Path) -> Option<KeptFile> {
        self.files().by_name.get(location).cloned()
    }

    /// Whether one more file may be kept.
    pub(crate) fn has_room(&self) -> bool {
        self.files().bytes + LARGEST <= MOST
    }

    /// Reads an answer that is all of a file, and keeps it while there is room.
    pub(crate) async fn keep(&self, location: &Path, whole: GetResult) -> Result<KeptFile> {
        let meta = whole.meta.clone();
        let bytes = whole.bytes().await?;
        if bytes.len() as u64 != meta.size {
            return Err(unreadable(format!(
                "{location} has {} bytes, of which {} came",
                meta.size,
                bytes.len()
            )));
        }
        // What a connection hands out may be a part of a larger buffer, which it would hold.
        let bytes = Bytes::copy_from_slice(&bytes);
        let file = KeptFile { meta, bytes };
        let mut files = self.files();
        if files.bytes + file.meta.size <= MOST && !files.by_name.contains_key(location) {
            files.bytes += file.meta.size;
            files.by_name.insert(location.clone(), file.clone());
        }
        Ok(file)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptFile {
    /// A part of it, or all.
    #[expect(clippy::cast_possible_truncation, reason = "a kept file is small")]
    pub(crate) fn answer(self, range: Option<&GetRange>) -> Result<GetResult> {
        let range = match range {
            Some(range) => range.as_range(self.meta.size).map_err(unreadable)?,
            None => 0..self.meta.size,
        };
        let part = self.bytes.slice(range.start as usize..range.end as usize);
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::iter([Ok(part)]).boxed()),
            meta: self.meta,
            range,
            attributes: Attributes::default(),
        })
    }
}

/// Whether a request asks for bytes alone. Conditions and versions are for the store to judge.
pub(crate) const fn is_plain(options: &GetOptions) -> bool {
    !options.head
        && options.version.is_none()
        && options.if_match.is_none()
        && options.if_none_match.is_none()
        && options.if_modified_since.is_none()
        && options.if_unmodified_since.is_none()
}

fn unreadable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic {
        store: "kept files",
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    use super::*;
    use crate::PinnedStore;

    async fn file(store: &InMemory, name: &str, size: u64) -> ObjectMeta {
        let path = Path::from(name);
        let bytes: Vec<u8> = (0..size).map(|byte| (byte % 251) as u8).collect();
        store.put(&path, PutPayload::from(bytes)).await.unwrap();
        store.head(&path).await.unwrap()
    }

    fn pinned<'a>(inner: &Arc<InMemory>, listed: impl IntoIterator<Item = &'a ObjectMeta>) -> PinnedStore {
        let store = PinnedStore::new(inner.clone());
        store.expect(listed);
        store
    }

    /// What was kept answers although the file is gone.
    #[tokio::test]
    async fn a_small_file_of_which_a_part_was_read_is_not_asked_for_again() {
        let inner = Arc::new(InMemory::new());
        let small = file(&inner, "small", LARGEST).await;
        let store = pinned(&inner, [&small]);
        let path = &small.location;
        let part = store.get_range(path, 250..253).await.unwrap();
        assert_eq!(part.as_ref(), [250, 0, 1]);
        inner.delete(path).await.unwrap();
        let whole = store.get(path).await.unwrap().bytes().await.unwrap();
        assert_eq!((whole.len() as u64, whole.slice(250..253)), (LARGEST, part));
        assert!(store.get_range(path, LARGEST..LARGEST + 1).await.is_err());
        assert!(store.head(path).await.is_err(), "whether it is there, the store says");
    }

    #[tokio::test]
    async fn a_large_file_and_one_that_was_not_listed_are_not_kept() {
        let inner = Arc::new(InMemory::new());
        let (large, unlisted) = (file(&inner, "large", LARGEST + 1).await, file(&inner, "new", 100).await);
        let store = pinned(&inner, [&large]);
        for path in [large.location, unlisted.location] {
            store.get(&path).await.unwrap().bytes().await.unwrap();
            inner.delete(&path).await.unwrap();
            assert!(store.get(&path).await.is_err(), "{path}");
        }
    }

    #[tokio::test]
    async fn no_more_is_kept_than_there_is_room_for() {
        let inner = Arc::new(InMemory::new());
        let mut files = Vec::new();
        for number in 0..=MOST / LARGEST {
            files.push(file(&inner, &number.to_string(), LARGEST).await);
        }
        let store = pinned(&inner, &files);
        for file in &files {
            store.get(&file.location).await.unwrap().bytes().await.unwrap();
            inner.delete(&file.location).await.unwrap();
        }
        let last = files.pop().unwrap();
        assert!(store.get(&last.location).await.is_err());
        for file in files {
            assert!(store.get(&file.location).await.is_ok(), "{}", file.location);
        }
    }
}
