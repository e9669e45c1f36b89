//! The files of a dataset on this machine's disk, found where they must lie.
//!
//! The store's own listing opens the folder of each file and asks for the path of each three times. A history has a
//! folder for every file, thousands of them, and every run lists them all: here each file is asked for once, where the
//! layout has it.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path as FsPath;
use std::time::UNIX_EPOCH;

use object_store::ObjectMeta;
use object_store::path::Path;

use crate::{Dataset, LakeError, Partition};

/// The published files of a dataset below the lake's root. None when the dataset has no folder.
///
/// # Errors
/// When a folder or a file cannot be looked at.
pub(crate) fn files(root: &FsPath, dataset: &Dataset) -> Result<Vec<(Partition, ObjectMeta)>, LakeError> {
    let mut files = Vec::new();
    for partition in partitions(&root.join(dataset.folder()), dataset.is_hourly())? {
        let location = dataset.file(partition);
        let path = root.join(&location);
        let Some(metadata) = there(&path, fs::metadata(&path))? else {
            continue;
        };
        if metadata.is_file() {
            let meta = described(location.into(), &metadata).map_err(unlisted(&path))?;
            files.push((partition, meta));
        }
    }
    Ok(files)
}

/// Those that have a folder.
fn partitions(folder: &FsPath, hourly: bool) -> Result<Vec<Partition>, LakeError> {
    let mut partitions = Vec::new();
    for day in names(folder)? {
        let Some(partition) = Partition::parse(&day) else {
            continue;
        };
        if hourly {
            let hours = names(&folder.join(&day))?;
            partitions.extend(
                hours
                    .iter()
                    .filter_map(|hour| Partition::parse(&format!("{day}/{hour}"))),
            );
        } else {
            partitions.push(partition);
        }
    }
    Ok(partitions)
}

/// The names in a folder; none where there is no folder.
fn names(folder: &FsPath) -> Result<Vec<String>, LakeError> {
    let entries = there(folder, fs::read_dir(folder))?;
    let names = entries.into_iter().flatten().map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>().map_err(unlisted(folder))?;
    // What is no text is nothing of ours.
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

fn there<T>(path: &FsPath, found: io::Result<T>) -> Result<Option<T>, LakeError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(unlisted(path)(error)),
    }
}

fn unlisted(path: &FsPath) -> impl Fn(io::Error) -> LakeError {
    move |source| LakeError::Disk {
        action: "list",
        path: path.to_owned(),
        source,
    }
}

/// As the store describes a file: its ETag has to be the one that the store compares when the file is read.
fn described(location: Path, metadata: &Metadata) -> io::Result<ObjectMeta> {
    let modified = metadata.modified()?;
    let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(ObjectMeta {
        location,
        last_modified: modified.into(),
        size: metadata.len(),
        e_tag: Some(format!(
            "{:x}-{:x}-{:x}",
            metadata.ino(),
            age.as_micros(),
            metadata.len()
        )),
        version: None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::TryStreamExt;
    use object_store::{ObjectStore, ObjectStoreExt};

    use super::*;
    use crate::Lake;

    fn write(root: &FsPath, file: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }

    #[tokio::test]
    async fn the_store_lists_and_describes_the_same() {
        let home = tempfile::tempdir().unwrap();
        let lake = Lake::open(home.path().to_str().unwrap(), []).unwrap();
        let days = ["2026-01-31", "2026-02-01"].map(|day| Partition::from(day.parse::<chrono::NaiveDate>().unwrap()));
        let users = Dataset::facts("users");
        let events = Dataset::facts("events").by_hour();
        for day in days {
            write(home.path(), &users.file(day));
            for hour in [0, 7, 23] {
                write(home.path(), &events.file(Partition::hour(day.day, hour)));
            }
        }
        for dataset in [users, events] {
            let ours: BTreeMap<_, _> = files(home.path(), &dataset).unwrap().into_iter().collect();
            let folder = Path::from(dataset.folder());
            let theirs: Vec<_> = lake.store().list(Some(&folder)).try_collect().await.unwrap();
            let theirs = theirs
                .into_iter()
                .map(|meta| (dataset.partition_of(&meta.location).unwrap(), meta));
            assert_eq!(ours, theirs.collect());
            assert!(!ours.is_empty());
            for meta in ours.into_values() {
                assert_eq!(lake.store().head(&meta.location).await.unwrap(), meta);
            }
        }
    }

    #[test]
    fn what_is_no_file_of_the_dataset_is_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let users = Dataset::facts("users");
        let events = Dataset::facts("events").by_hour();
        assert_eq!(files(home.path(), &users).unwrap(), []);
        for file in [
            "facts/users/date=2026-01-31",
            "facts/users/date=soon/part-0.parquet",
            "facts/users/date=2026-02-01/hour=07/part-0.parquet",
            "facts/users/date=2026-02-02/part-0.parquet/part-0.parquet",
            "facts/users/date=2026-02-03/part-1.parquet",
            "facts/events/date=2026-01-31",
            "facts/events/date=2026-02-01/part-0.parquet",
            "facts/events/date=2026-02-02/hour=24/part-0.parquet",
            "facts/events/date=2026-02-03/hour=07",
        ] {
            write(home.path(), file);
        }
        assert_eq!(files(home.path(), &users).unwrap(), []);
        assert_eq!(files(home.path(), &events).unwrap(), []);
    }
}
