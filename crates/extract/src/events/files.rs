//! NDJSON files in a folder or under a prefix of an object store.
//!
//! Each file is read whole, as a stream, when its version (ETag) is not the one that was read before. One that vanishes
//! between the listing and its turn is left for the next listing. A line that is no event is set aside and the next one
//! read; of a gzip file that breaks off, what came before counts.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use kindred_model::{Instant, day_start};
use object_store::local::LocalFileSystem;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio_util::io::StreamReader;

use super::arrivals::ArrivalBatch;
use super::gathering::Gathering;
use super::lines::{LONGEST_LINE, Line, Lines};
use super::rejected::Rejected;
use super::{ArrivalRequest, Cleaning, line};
use crate::ExtractError;

/// Endings of the files that are read, each also with `.gz`.
const ENDINGS: [&str; 3] = [".ndjson", ".jsonl", ".json"];

/// Where the files are.
pub(super) struct EventFiles {
    pub(super) place: Place,
    /// The place as it may be printed.
    pub(super) label: String,
}

pub(super) enum Place {
    /// A folder of this machine, which may come to be there later.
    Folder(PathBuf),
    Store(Arc<dyn ObjectStore>),
}

impl EventFiles {
    /// Whether the place can be listed.
    pub(super) async fn check(&self) -> Result<(), ExtractError> {
        let store = self.store()?;
        let first = store.list(None).next().await.transpose();
        first.map(drop).map_err(|error| self.failed(&error))
    }

    fn store(&self) -> Result<Arc<dyn ObjectStore>, ExtractError> {
        match &self.place {
            Place::Store(store) => Ok(Arc::clone(store)),
            Place::Folder(path) => {
                let refuse = |reason: String| ExtractError::FilesUnreachable {
                    place: self.label.clone(),
                    reason,
                };
                let metadata = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
                if !metadata.is_dir() {
                    return Err(refuse("it is no folder".into()));
                }
                let store = LocalFileSystem::new_with_prefix(path).map_err(|error| refuse(error.to_string()))?;
                Ok(Arc::new(store))
            }
        }
    }

    fn failed(&self, error: &object_store::Error) -> ExtractError {
        let place = self.label.clone();
        let reason = error.to_string();
        let is_forbidden = match error {
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => true,
            // What refuses a listing is told in words only.
            object_store::Error::Generic { .. } => ["401 Unauthorized", "403 Forbidden"]
                .iter()
                .any(|status| reason.contains(status)),
            _ => false,
        };
        if is_forbidden {
            ExtractError::FilesForbidden { place, reason }
        } else {
            ExtractError::FilesUnreachable { place, reason }
        }
    }
}

impl fmt::Debug for EventFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventFiles").field("place", &self.label).finish()
    }
}

/// The events of the files that are new or changed, oldest file first.
pub(super) struct FileEvents {
    /// For messages.
    files: EventFiles,
    store: Arc<dyn ObjectStore>,
    left: VecDeque<ObjectMeta>,
    open: Option<OpenFile>,
    read: Vec<(String, String)>,
    cleaning: Cleaning,
    /// Events that arrived before are not wanted.
    earliest: Instant,
    gathering: Gathering,
}

struct OpenFile {
    meta: ObjectMeta,
    lines: Lines,
}

impl FileEvents {
    /// Lists the files.
    pub(super) async fn open(
        files: &EventFiles,
        cleaning: Cleaning,
        request: &ArrivalRequest,
    ) -> Result<Self, ExtractError> {
        let store = files.store()?;
        let listing = store.list(None).try_filter(|file| {
            let is_new = request.known_files.get(file.location.as_ref()) != Some(&version(file));
            std::future::ready(is_new && is_ndjson(file))
        });
        let mut left: Vec<_> = listing.try_collect().await.map_err(|error| files.failed(&error))?;
        left.sort_by(|a, b| (a.last_modified, &a.location).cmp(&(b.last_modified, &b.location)));
        Ok(Self {
            files: EventFiles {
                place: Place::Store(Arc::clone(&store)),
                label: files.label.clone(),
            },
            store,
            left: left.into(),
            open: None,
            read: Vec::new(),
            earliest: request.history_since.map_or(Instant::MIN_UTC, day_start),
            gathering: Gathering::new(cleaning.batch_rows),
            cleaning,
        })
    }

    /// The files read to their end, with the version that was read.
    pub(super) fn read_files(&self) -> Vec<(String, String)> {
        self.read.clone()
    }

    /// The next batch; none at the end of the last file.
    pub(super) async fn next(&mut self) -> Result<Option<ArrivalBatch>, ExtractError> {
        loop {
            if self.gathering.is_full() || self.gathering.has_many_findings() {
                return Ok(self.gathering.take());
            }
            let Some(file) = &mut self.open else {
                match self.left.pop_front() {
                    Some(meta) => self.open = self.open_file(&meta).await?,
                    None => return Ok(self.gathering.take()),
                }
                continue;
            };
            match file.lines.next().await {
                Ok(Some(line)) => {
                    let name = file.meta.location.as_ref();
                    let added = match line.bytes {
                        None => Err(format!("it is longer than {LONGEST_LINE} bytes")),
                        Some(bytes) => line::event(bytes, &self.cleaning, file.meta.last_modified).and_then(|told| {
                            if told.received_at < self.earliest {
                                return Ok(());
                            }
                            self.gathering.add(told)
                        }),
                    };
                    if let Err(reason) = added {
                        self.gathering.reject(rejected(name, &line, reason));
                    }
                }
                Ok(None) => self.close_file(),
                Err(error) => match store_error(&error) {
                    Some(error) => return Err(self.files.failed(error)),
                    None => {
                        let (offset, held) = file.lines.unread();
                        self.gathering.reject(Rejected {
                            file: file.meta.location.to_string(),
                            offset: Some(offset),
                            length: None,
                            hash: blake3::hash(held).to_hex().to_string(),
                            reason: format!("the rest of the file cannot be unpacked: {error}"),
                        });
                        self.close_file();
                    }
                },
            }
        }
    }

    fn close_file(&mut self) {
        self.read.extend(self.open.take().map(|file| {
            let version = version(&file.meta);
            (file.meta.location.to_string(), version)
        }));
    }

    /// Opens a file; none when it has vanished.
    async fn open_file(&mut self, listed: &ObjectMeta) -> Result<Option<OpenFile>, ExtractError> {
        let found = match self.store.get(&listed.location).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => {
                tracing::info!(file = %listed.location, "a file of events has vanished since it was listed");
                return Ok(None);
            }
            Err(error) => return Err(self.files.failed(&error)),
        };
        // It may have been replaced since the listing: what counts is what is read.
        let meta = ObjectMeta {
            location: listed.location.clone(),
            ..found.meta.clone()
        };
        // A local file that was cut short gives empty pieces for ever.
        let pieces = found
            .into_stream()
            .try_take_while(|piece| std::future::ready(Ok(!piece.is_empty())))
            .map_err(io::Error::from);
        match Lines::of(StreamReader::new(pieces.boxed())).await {
            Ok(lines) => Ok(Some(OpenFile { meta, lines })),
            Err(error) => Err(ExtractError::FilesUnreachable {
                place: self.files.label.clone(),
                reason: error.to_string(),
            }),
        }
    }
}

/// A line as it is noted that is no event.
pub(super) fn rejected(file: &str, line: &Line<'_>, reason: String) -> Rejected {
    Rejected {
        file: file.to_owned(),
        offset: Some(line.offset),
        length: Some(line.length),
        hash: line.hash.hex(),
        reason,
    }
}

fn is_ndjson(file: &ObjectMeta) -> bool {
    let name = file.location.filename().unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(name);
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What changes when a file does: its ETag, or what stands in for one in a store that has none.
fn version(file: &ObjectMeta) -> String {
    let stand_in = || format!("{}-{}", file.last_modified.timestamp_micros(), file.size);
    file.e_tag.clone().unwrap_or_else(stand_in)
}

/// The store's error behind that of a reader; none when the store did its part and the content is at fault.
fn store_error(error: &io::Error) -> Option<&object_store::Error> {
    error.get_ref()?.downcast_ref()
}
