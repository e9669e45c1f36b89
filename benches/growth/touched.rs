//! Which partitions of the lake a run has opened, told by when each file was read last.
//!
//! Linux notes a reading when the one before lies behind the file's last change (`relatime`), and a link that is made to a
//! file is a change of it. So it tells of a fresh copy of the lake what was read of it, footers included.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, ensure};

use crate::platform::Copy;
use crate::process::Ran;

/// A run, and the rows of the partitions that it opened, by dataset.
pub(crate) struct Touched {
    pub(crate) ran: Ran,
    pub(crate) rows: BTreeMap<String, u64>,
}

/// Lets `run` run on a copy of the lake `evening`.
pub(crate) async fn touched(
    copy: &Copy<'_>,
    evening: &Path,
    run: impl FnOnce() -> anyhow::Result<Ran>,
) -> anyhow::Result<Touched> {
    ensure!(
        notes_readings(&copy.lake)?,
        "this file system does not note when files are read"
    );
    let before = partitions(copy).await?;
    let began = SystemTime::now();
    let ran = run()?;
    let mut rows = BTreeMap::<String, u64>::new();
    for (path, (dataset, count)) in &before {
        if read_since(&evening.join(path), began)? {
            *rows.entry(dataset.clone()).or_default() += count;
        }
    }
    // What the run has written and read again itself.
    for (path, (dataset, count)) in &partitions(copy).await? {
        let is_new = !before.contains_key(path) || inode(&evening.join(path)) != inode(&copy.lake.join(path));
        if is_new && read_since(&copy.lake.join(path), began)? {
            *rows.entry(dataset.clone()).or_default() += count;
        }
    }
    Ok(Touched { ran, rows })
}

/// The warehouse's list of the lake: dataset and rows by path.
async fn partitions(copy: &Copy<'_>) -> anyhow::Result<BTreeMap<String, (String, u64)>> {
    let sql = "select path, dataset, rows from lake_partitions";
    let found: Vec<(String, String, i64)> = sqlx::query_as(sql).fetch_all(copy.warehouse.pool()).await?;
    let found = found.into_iter();
    Ok(found
        .map(|(path, dataset, rows)| (path, (dataset, rows.unsigned_abs())))
        .collect())
}

fn read_since(file: &Path, began: SystemTime) -> anyhow::Result<bool> {
    let known = fs::metadata(file).with_context(|| format!("{} is gone", file.display()))?;
    let read = known.accessed()?;
    // A file that was written meanwhile has been read by nobody when it is as old as its reading.
    Ok(read >= began && read > known.modified()?)
}

fn inode(file: &Path) -> Option<u64> {
    fs::metadata(file).ok().map(|known| known.ino())
}

/// Tries it.
fn notes_readings(folder: &Path) -> anyhow::Result<bool> {
    let (file, link) = (folder.join("tried"), folder.join("tried-too"));
    fs::write(&file, "read me")?;
    // So that clocks of the file system's precision tell the two apart.
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::hard_link(&file, &link)?;
    fs::read(&file)?;
    let known = fs::metadata(&file)?;
    fs::remove_file(&file)?;
    fs::remove_file(&link)?;
    Ok(known.accessed()? > known.modified()?)
}
