//! A table with a file for each hour: its groups are handed on hour by hour, and none of them is lost or torn by it.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use kindred_engine::{Engine, EngineOptions, Session};
use kindred_lake::{Dataset, FileStamp, Lake, Partition, RunId};
use tempfile::TempDir;

use super::bench::MEMORY;
use super::plans::day;
use super::shares::{plan, rows};

const DAYS: i64 = 4;
const HOURS: i64 = 24;
const KEYS: i64 = 7;

/// More than a batch has, so that hours end within one.
const ROWS_AN_HOUR: i64 = 10_000;

const BY_HOUR: &str = "select date, hour, user_key, count(*) as clicks from clicks group by date, hour, user_key";

/// A session over clicks of the same few keys in every hour, for so many streams.
async fn session(folder: &TempDir, target_partitions: usize) -> Session {
    let lake = Lake::open(folder.path().to_str().unwrap(), []).unwrap();
    let dataset = Dataset::facts("clicks").by_hour();
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..ROWS_AN_HOUR).map(|row| row % KEYS)));
    let hour = RecordBatch::try_from_iter([("user_key", keys)]).unwrap();
    let (run, stamp) = (RunId::from_u128(1), FileStamp::default());
    let mut stage = lake.stage(dataset.clone(), hour.schema(), &[], run, stamp);
    for number in 0..DAYS * HOURS {
        let partition = Partition::hour(day(number / HOURS), u8::try_from(number % HOURS).unwrap());
        stage.write(partition, hour.clone()).await.unwrap();
    }
    lake.swap(&stage.finish().await.unwrap()).await.unwrap();
    let engine = Engine::new(EngineOptions {
        memory_limit: MEMORY,
        spill_folder: folder.path().join("spill"),
        deadline: Duration::from_secs(60),
        target_partitions,
    });
    let session = engine
        .unwrap()
        .session(&lake, lake.snapshot([dataset.clone()]).await.unwrap());
    session.register_dataset("clicks", &dataset, &hour.schema()).unwrap();
    session
}

async fn number(session: &Session, sql: &str) -> i64 {
    let number = cast(rows(session, sql).await[0].column(0), &DataType::Int64).unwrap();
    number.as_primitive::<Int64Type>().value(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_grouped_by_hour_and_more_is_handed_on_by_the_hour() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(&folder, 2).await;
    for sql in [
        BY_HOUR.to_owned(),
        BY_HOUR.replace("from clicks", "from clicks where user_key > 2"),
    ] {
        let plan = plan(&session, &sql).await;
        assert!(plan.contains("ordering_mode=PartiallySorted([0, 1])"), "{plan}");
    }
    let by_day = "select date, user_key, count(*) from clicks group by date, user_key";
    let plan = plan(&session, by_day).await;
    assert!(!plan.contains("ordering_mode"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_group_of_an_hour_comes_once_with_all_of_its_rows() {
    for streams in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let session = session(&folder, streams).await;
        let groups = number(&session, &format!("select count(*) from ({BY_HOUR})")).await;
        assert_eq!(groups, DAYS * HOURS * KEYS, "{streams} streams");
        let clicks = number(&session, &format!("select sum(clicks) from ({BY_HOUR})")).await;
        assert_eq!(clicks, DAYS * HOURS * ROWS_AN_HOUR, "{streams} streams");
        let keys = number(
            &session,
            &format!("select count(distinct (date, hour, user_key)) from ({BY_HOUR})"),
        )
        .await;
        assert_eq!(keys, DAYS * HOURS * KEYS, "{streams} streams");
    }
}
