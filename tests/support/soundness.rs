//! What must hold of a warehouse and its lake after every run, published or not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use kindred_jobs::{lake_tables, summary_schema};
use kindred_lake::{Dataset, read_content_hash};
use kindred_warehouse::{SUMMARY_TABLES, SummaryTable, USER_BEHAVIOR_EVENTS};

use super::{Cells, World, differences};

impl World {
    /// Holds the lake against the warehouse: equal figures in the mirrors, each file as the warehouse knows it, and
    /// nothing else lying about.
    pub(crate) async fn assert_sound(&self) {
        let mut wrong = Vec::new();
        for table in SUMMARY_TABLES {
            let published = Cells::published(&self.warehouse, table, true).await;
            let mirrored = self.mirrored(table, true).await;
            wrong.extend(
                differences(table, &mirrored, &published)
                    .into_iter()
                    .map(|line| format!("mirror of {line}")),
            );
        }
        wrong.extend(self.unknown_files().await);
        let staged = files_below(&self.lake().join(".staging"));
        wrong.extend(staged.iter().map(|file| format!("{} was left behind", file.display())));
        wrong.truncate(20);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The rows of a table's mirror in the lake, as a plan reads them.
    pub(crate) async fn mirrored(&self, table: &'static SummaryTable, signed: bool) -> Cells {
        let dataset = Dataset::kpi(table.name);
        let lake = &self.platform.lake;
        let snapshot = lake.snapshot([dataset.clone()]).await.unwrap();
        let session = self.platform.engine.session(lake, snapshot);
        session
            .register_dataset(table.name, &dataset, &summary_schema(table))
            .unwrap();
        let rows = session.sql(&format!("select * from {}", table.name)).await.unwrap();
        let batches: Vec<_> = rows.try_collect().await.unwrap();
        Cells::of_batches(table, signed, &batches)
    }

    /// How many events of this id the lake holds.
    pub(crate) async fn events(&self, id: &str) -> usize {
        let (_, dataset, schema) = lake_tables()
            .into_iter()
            .find(|(name, ..)| *name == "events")
            .expect("events are a table of the lake");
        let lake = &self.platform.lake;
        let session = self
            .platform
            .engine
            .session(lake, lake.snapshot([dataset.clone()]).await.unwrap());
        session.register_dataset("events", &dataset, &schema).unwrap();
        let sql = format!("select 1 from events where event_id = '{id}'");
        let rows = session.sql(&sql).await.unwrap();
        let batches: Vec<_> = rows.try_collect().await.unwrap();
        batches.iter().map(arrow::array::RecordBatch::num_rows).sum()
    }

    /// Where the files of the lake are not those that the warehouse has recorded.
    async fn unknown_files(&self) -> Vec<String> {
        let lake = &self.platform.lake;
        let mut wrong = Vec::new();
        for (_, dataset, _) in lake_tables() {
            let recorded = self
                .platform
                .warehouse
                .partitions(Some(&dataset.to_string()))
                .await
                .unwrap();
            let mut recorded: BTreeMap<_, _> = recorded.into_iter().map(|known| (known.path.clone(), known)).collect();
            let snapshot = lake.snapshot([dataset.clone()]).await.unwrap();
            for file in snapshot.files(&dataset) {
                let path = dataset.file(file.partition);
                let hash = read_content_hash(lake, file).await.unwrap();
                match recorded.remove(&path) {
                    None => wrong.push(format!("{path}: the warehouse knows no such file")),
                    Some(known) if Some(&known.content_hash) != hash.as_ref() => {
                        wrong.push(format!("{path}: holds other rows than the warehouse knows of"));
                    }
                    Some(known) if known.etag != file.meta.e_tag => {
                        wrong.push(format!("{path}: is another file than the warehouse knows of"));
                    }
                    Some(_) => {}
                }
            }
            wrong.extend(recorded.into_keys().map(|path| format!("{path}: is not in the lake")));
        }
        wrong
    }

    /// Every file of the lake, with its bytes and the time of its last change.
    pub(crate) fn lake_files(&self) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
        files_below(&self.lake())
            .into_iter()
            .map(|path| {
                let changed = fs::metadata(&path).unwrap().modified().unwrap();
                let bytes = fs::read(&path).unwrap();
                (path, (bytes, changed))
            })
            .collect()
    }

    /// Every summary row by table and key, with the transaction that wrote it last and its cells.
    pub(crate) async fn versions(&self) -> BTreeMap<(&'static str, String), (String, String)> {
        let mut versions = BTreeMap::new();
        for table in SUMMARY_TABLES {
            let key = table.key.join(" || '/' || ");
            let sql = format!(
                "select ({key})::text, xmin::text, (to_jsonb(t) - 'run_id' - 'computed_at')::text from {} t",
                table.name
            );
            let rows: Vec<(String, String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .fetch_all(self.warehouse.pool())
                .await
                .unwrap();
            versions.extend(
                rows.into_iter()
                    .map(|(key, xmin, cells)| ((table.name, key), (xmin, cells))),
            );
        }
        versions
    }

    /// Holds everything that was published against another world's, but for who wrote it and when.
    pub(crate) async fn assert_equals(&self, other: &Self) {
        let mut wrong = Vec::new();
        let mut compared = 0;
        for table in SUMMARY_TABLES.iter().copied().chain([&USER_BEHAVIOR_EVENTS]) {
            let found = Cells::published(&self.warehouse, table, false).await;
            let expected = Cells::published(&other.warehouse, table, false).await;
            compared += usize::from(!expected.rows.is_empty());
            wrong.extend(differences(table, &found, &expected));
        }
        assert!(compared >= 9, "only {compared} tables have rows");
        let (found, expected) = (self.facts().await, other.facts().await);
        for (path, hash) in &expected {
            if found.get(path) != Some(hash) {
                wrong.push(format!("{path}: {:?} instead of {hash}", found.get(path)));
            }
        }
        wrong.extend(
            found
                .keys()
                .filter(|path| !expected.contains_key(*path))
                .map(|path| format!("{path}: should not be")),
        );
        let more = wrong.len().saturating_sub(20);
        wrong.truncate(20);
        assert!(wrong.is_empty(), "{}\nand {more} more", wrong.join("\n"));
    }

    /// The rows of every fact's partition as a hash, without those that hold none.
    async fn facts(&self) -> BTreeMap<String, String> {
        let known = self.platform.warehouse.partitions(None).await.unwrap().into_iter();
        known
            .filter(|known| known.dataset.starts_with("facts/") && known.rows > 0)
            .map(|known| (known.path, known.content_hash))
            .collect()
    }
}

/// Every file below a folder; none when it is not there.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
