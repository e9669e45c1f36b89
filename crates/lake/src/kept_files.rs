//! Small files that are held in memory once they were read.
//!
//! A reader of Parquet asks for the end of a file first, which is all of a small one, and then for its columns; the next
//! plan asks again. Each request costs more than the bytes: a way to another thread and back on a disk, and tens of
//! milliseconds in a bucket. A history of small days has thousands of such files.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{Attributes, GetOptions, GetResult, GetResultPayload, ObjectMeta, Result};

/// The largest file that is kept, in bytes: as much as a reader asks for at first.
const LARGEST: u64 = 64 << 10;

/// Bytes of all files that are kept together. What comes when they are full is read as often as it is asked for.
const MOST: u64 = 32 << 20;

/// The files, by the names under which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct KeptFiles(Mutex<Files>);

#[derive(Debug, Default)]
struct Files {
    by_name: HashMap<Path, (ObjectMeta, Bytes)>,
    bytes: u64,
}

impl KeptFiles {
    /// What a request for a part of a kept file asks for. Conditions are for the store to judge.
    pub(crate) fn answer(&self, location: &Path, options: &GetOptions) -> Option<GetResult> {
        let is_plain = !options.head
            && options.version.is_none()
            && options.if_match.is_none()
            && options.if_none_match.is_none()
            && options.if_modified_since.is_none()
            && options.if_unmodified_since.is_none();
        if !is_plain {
            return None;
        }
        let files = self.files();
        let (meta, bytes) = files.by_name.get(location)?;
        let range = match &options.range {
            Some(range) => range.as_range(meta.size).ok()?,
            None => 0..meta.size,
        };
        Some(whole_or_part(meta.clone(), bytes.clone(), range))
    }

    /// Keeps the file of an answer that is all of it, when it is small and there is room.
    pub(crate) async fn keep(&self, location: &Path, result: GetResult) -> Result<GetResult> {
        let size = result.meta.size;
        if result.range != (0..size) || size > LARGEST || self.files().bytes + size > MOST {
            return Ok(result);
        }
        let meta = result.meta.clone();
        let bytes = result.bytes().await?;
        let mut files = self.files();
        if files
            .by_name
            .insert(location.clone(), (meta.clone(), bytes.clone()))
            .is_none()
        {
            files.bytes += size;
        }
        Ok(whole_or_part(meta, bytes, 0..size))
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a kept file is small")]
fn whole_or_part(meta: ObjectMeta, bytes: Bytes, range: Range<u64>) -> GetResult {
    let part = bytes.slice(range.start as usize..range.end as usize);
    GetResult {
        payload: GetResultPayload::Stream(stream::iter([Ok(part)]).boxed()),
        meta,
        range,
        attributes: Attributes::default(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::{Error, ObjectStoreExt, PutPayload};

    use super::*;
    use crate::PinnedStore;

    async fn file(store: &InMemory, name: &str, size: u64) -> Path {
        let path = Path::from(name);
        let bytes: Vec<u8> = (0..size).map(|byte| (byte % 251) as u8).collect();
        store.put(&path, PutPayload::from(bytes)).await.unwrap();
        path
    }

    /// What was kept answers although the file is gone.
    #[tokio::test]
    async fn a_small_file_that_was_read_whole_is_not_asked_for_again() {
        let inner = Arc::new(InMemory::new());
        let path = file(&inner, "small", LARGEST).await;
        let store = PinnedStore::new(inner.clone(), []);
        let whole = store.get_range(&path, 0..LARGEST).await.unwrap();
        inner.delete(&path).await.unwrap();
        assert_eq!(store.get_range(&path, 250..253).await.unwrap(), whole.slice(250..253));
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), whole);
        let beyond = store.get_range(&path, LARGEST..LARGEST + 1).await;
        assert!(matches!(beyond, Err(Error::NotFound { .. })), "{beyond:?}");
    }

    #[tokio::test]
    async fn a_part_of_a_file_and_a_large_file_are_not_kept() {
        let inner = Arc::new(InMemory::new());
        let (small, large) = (
            file(&inner, "small", 100).await,
            file(&inner, "large", LARGEST + 1).await,
        );
        let store = PinnedStore::new(inner.clone(), []);
        store.get_range(&small, 1..100).await.unwrap();
        store.get(&large).await.unwrap().bytes().await.unwrap();
        for path in [small, large] {
            inner.delete(&path).await.unwrap();
            assert!(store.get(&path).await.is_err(), "{path}");
        }
    }

    #[tokio::test]
    async fn no_more_is_kept_than_there_is_room_for() {
        let inner = Arc::new(InMemory::new());
        let store = PinnedStore::new(inner.clone(), []);
        let mut paths = Vec::new();
        for number in 0..=MOST / LARGEST {
            let path = file(&inner, &number.to_string(), LARGEST).await;
            store.get(&path).await.unwrap().bytes().await.unwrap();
            inner.delete(&path).await.unwrap();
            paths.push(path);
        }
        let last = paths.pop().unwrap();
        assert!(store.get(&last).await.is_err());
        for path in paths {
            assert!(store.get(&path).await.is_ok(), "{path}");
        }
    }
}
