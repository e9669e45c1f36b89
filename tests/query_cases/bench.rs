//! Where a case is tried: a lake that holds its tables, and a session over it.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::{sort_to_indices, take_record_batch};
use chrono::NaiveDate;
use kindred_engine::{Engine, EngineOptions, Rows, Session};
use kindred_lake::{Dataset, FileStamp, Lake, RunId, split_by_day};
use tempfile::TempDir;

use super::Case;

/// Bytes of memory for the plans of a case.
pub(super) const MEMORY: usize = 256 << 20;

/// A lake that holds the tables of a case, and a session over it.
pub(super) struct Bench {
    folder: TempDir,
    pub(super) session: Session,
}

/// Facts and state by day lie in the lake, as in a run; the answers of other queries in memory, as in a run.
pub(super) fn in_lake(table: &str, rows: &RecordBatch) -> bool {
    rows.column_by_name("date").is_some() && !table.starts_with("daily_")
}

impl Bench {
    pub(super) async fn new(case: &Case) -> Self {
        Self::with(case, 2, MEMORY).await
    }

    /// With plans that are split into so many partitions, and bytes of memory for all of them.
    pub(super) async fn with(case: &Case, target_partitions: usize, memory_limit: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().join("lake").to_str().unwrap(), []).unwrap();
        let engine = Engine::new(EngineOptions {
            memory_limit,
            spill_folder: folder.path().join("spill"),
            deadline: Duration::from_secs(60),
            target_partitions,
        });
        let (stored, held): (Vec<_>, Vec<_>) = case.tables.iter().partition(|(name, rows)| in_lake(name, rows));
        for (name, rows) in &stored {
            store(&lake, &Dataset::facts(name), rows).await;
        }
        let snapshot = lake
            .snapshot(stored.iter().map(|(name, _)| Dataset::facts(name)))
            .await
            .unwrap();
        let session = engine.unwrap().session(&lake, snapshot);
        for (name, rows) in stored {
            session
                .register_dataset(name, &Dataset::facts(name), &rows.schema())
                .unwrap();
        }
        for (name, rows) in held {
            let rows = Rows {
                schema: rows.schema(),
                batches: vec![rows.clone()],
            };
            session.register_rows(name, &rows).unwrap();
        }
        Self { folder, session }
    }

    /// Takes a file away from under the session.
    pub(super) fn lose_file(&self, table: &str, day: NaiveDate) {
        let file = Dataset::facts(table).file(day.into());
        std::fs::remove_file(self.folder.path().join("lake").join(file)).unwrap();
    }
}

/// Publishes the rows of a table, a file for each day.
async fn store(lake: &Lake, dataset: &Dataset, rows: &RecordBatch) {
    let date = rows.schema().index_of("date").unwrap();
    let order = sort_to_indices(rows.column(date), None, None).unwrap();
    let sorted = take_record_batch(rows, &order).unwrap();
    let columns: Vec<_> = (0..rows.num_columns()).filter(|&index| index != date).collect();
    let schema = Arc::new(rows.schema().project(&columns).unwrap());
    let mut stage = lake.stage(dataset.clone(), schema, &[], RunId::from_u128(1), FileStamp::default());
    for (day, part) in split_by_day(dataset, &sorted, "date").unwrap() {
        stage.write(day, part.project(&columns).unwrap()).await.unwrap();
    }
    lake.swap(&stage.finish().await.unwrap()).await.unwrap();
}
