//! The lake's files: what they say of their origin, and what becomes of a plan whose file is replaced underneath.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use kindred_engine::{Engine, EngineOptions, Params, QueryLibrary, Session};
use kindred_lake::{Dataset, FileStamp, Lake};
use kindred_testkit::day;
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;
use uuid::Uuid;

const FILE: &str = "facts/users/date=2026-03-01/part-0.parquet";

struct World {
    folder: TempDir,
    lake: Lake,
    engine: Engine,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = EngineOptions {
            memory_limit: 64 << 20,
            spill_folder: folder.path().join("spill"),
            deadline: Duration::from_secs(60),
            target_partitions: 2,
        };
        Self {
            lake: Lake::open(folder.path().join("lake").to_str().unwrap(), []).unwrap(),
            engine: Engine::new(options).unwrap(),
            folder,
        }
    }

    /// Replaces the users of one day by these, all of them staff.
    async fn publish(&self, keys: &[i64], stamp: FileStamp) -> Uuid {
        let rows = users(keys);
        let run_id = Uuid::new_v4();
        let dataset = Dataset::facts("users");
        let mut stage = self.lake.stage(dataset, rows.schema(), &["user_key"], run_id, stamp);
        stage.write(day("2026-03-01"), rows).await.unwrap();
        self.lake.swap(&stage.finish().await.unwrap()).await.unwrap();
        run_id
    }

    /// A session that sees the users as they are now.
    async fn session(&self) -> Session {
        let dataset = Dataset::facts("users");
        let snapshot = self.lake.snapshot([dataset.clone()]).await.unwrap();
        let session = self.engine.session(&self.lake, snapshot);
        session
            .register_dataset("users", &dataset, &users(&[]).schema())
            .unwrap();
        session
    }
}

/// So many keys that lie apart: a file of tens of thousands is no small one.
fn keys(count: i64) -> Vec<i64> {
    const STEP: i64 = -7_046_029_254_386_353_131;
    (1..=count).map(|number| number.wrapping_mul(STEP)).collect()
}

fn users(keys: &[i64]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 2] = [
        ("user_key", Arc::new(Int64Array::from(keys.to_vec()))),
        ("is_internal", Arc::new(BooleanArray::from(vec![true; keys.len()]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_file_was_replaced_fails_as_one_to_try_again_and_mixes_nothing() {
    let world = World::new();
    let library = QueryLibrary::embedded().unwrap();
    let query = library.get("state/internal_users").unwrap();
    world.publish(&keys(30_000), FileStamp::default()).await;
    let before = world.session().await;
    assert_eq!(before.query(query, &Params::default()).await.unwrap().len(), 30_000);

    world.publish(&keys(20_000), FileStamp::default()).await;
    let error = before.query(query, &Params::default()).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    let after = world.session().await;
    assert_eq!(after.query(query, &Params::default()).await.unwrap().len(), 20_000);

    std::fs::remove_file(world.folder.path().join("lake").join(FILE)).unwrap();
    let error = after.query(query, &Params::default()).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
}

/// The listing says which version it is, and not the first answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_replaced_before_a_session_first_read_it_is_not_read() {
    let library = QueryLibrary::embedded().unwrap();
    let query = library.get("state/internal_users").unwrap();
    for rows in [3, 30_000] {
        let world = World::new();
        world.publish(&keys(rows), FileStamp::default()).await;
        let before = world.session().await;
        world.publish(&keys(rows - 1), FileStamp::default()).await;
        let error = before.query(query, &Params::default()).await.unwrap_err();
        assert!(error.is_retryable(), "{rows} rows: {error:?}");
    }
}

/// What a session has read whole, it need not read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_with_the_small_files_that_it_began_with() {
    let world = World::new();
    let library = QueryLibrary::embedded().unwrap();
    let query = library.get("state/internal_users").unwrap();
    world.publish(&[1, 2, 3], FileStamp::default()).await;
    let before = world.session().await;
    assert_eq!(before.query(query, &Params::default()).await.unwrap().len(), 3);

    world.publish(&[4, 5], FileStamp::default()).await;
    assert_eq!(before.query(query, &Params::default()).await.unwrap().len(), 3);
    let after = world.session().await;
    assert_eq!(after.query(query, &Params::default()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_says_which_run_and_sql_made_it_and_is_made_for_its_readers() {
    let world = World::new();
    let stamp = FileStamp {
        job: "daily".to_owned(),
        interval: "2026-03-01/2026-03-02".to_owned(),
        contract_version: "1".to_owned(),
        ..FileStamp::default()
    };
    let run_id = world.publish(&[3, 1, 2], stamp.with_sql("select 1")).await;
    let file = File::open(world.folder.path().join("lake").join(FILE)).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let metadata = reader.metadata();
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    let said = |key: &str| {
        let pair = pairs.iter().find(|pair| pair.key == format!("kindred.{key}"));
        pair.and_then(|pair| pair.value.clone()).unwrap()
    };
    assert_eq!(said("run_id"), run_id.to_string());
    assert_eq!(said("job"), "daily");
    assert_eq!(said("interval"), "2026-03-01/2026-03-02");
    assert_eq!(said("contract_version"), "1");
    assert_eq!(said("sql_hash").len(), 64);
    assert_ne!(said("sql_hash"), said("content_hash"));

    let column = metadata.row_group(0).column(0);
    assert!(matches!(column.compression(), Compression::ZSTD(_)));
    assert!(column.statistics().is_some() && column.column_index_offset().is_some());
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    let keys: Vec<_> = rows.iter().map(ToString::to_string).collect();
    assert_eq!(
        keys,
        [1, 2, 3].map(|key| format!("{{user_key: {key}, is_internal: true}}"))
    );
}
