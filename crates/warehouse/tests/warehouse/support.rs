//! A migrated database a test, runs in it, and Arrow rows for its tables.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use chrono::NaiveDate;
use kindred_model::{DayWindow, Instant, Job, RunStatus, Trigger};
use kindred_testkit::TestDatabase;
pub(crate) use kindred_testkit::{at, day};
use kindred_warehouse::{
    Column, ColumnType, ConnectOptions, Publication, RunOutcome, RunRequest, Scope, SummaryTable, TableChange,
    Warehouse,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) struct Database {
    pub(crate) warehouse: Warehouse,
    database: TestDatabase,
}

impl Database {
    /// Empty: no table yet.
    pub(crate) async fn empty() -> Self {
        let database = TestDatabase::create("warehouse").await;
        let warehouse = Warehouse::connect(&database.url().into(), &ConnectOptions::default())
            .await
            .unwrap();
        Self { warehouse, database }
    }

    pub(crate) async fn migrated() -> Self {
        let database = Self::empty().await;
        database.warehouse.migrate().await.unwrap();
        database
    }

    pub(crate) fn url(&self) -> String {
        self.database.url()
    }

    /// A run that this owner holds, over these days.
    pub(crate) async fn running(&self, owner: Uuid, window: DayWindow, at: Instant) -> Uuid {
        let run_id = self.warehouse.request(&request(window, at)).await.unwrap();
        self.warehouse
            .claim(run_id, owner, at)
            .await
            .unwrap()
            .expect("nobody else claims it");
        run_id
    }

    /// The only value of a query.
    pub(crate) async fn one<T>(&self, sql: &'static str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        sqlx::query_scalar(sql).fetch_one(self.warehouse.pool()).await.unwrap()
    }

    /// Publishes rows for a scope of one table in a run of its own; returns the run and how many rows changed.
    pub(crate) async fn publish(
        &self,
        table: &'static SummaryTable,
        scope: Scope,
        rows: &[Value],
        at: Instant,
    ) -> (Uuid, u64) {
        let owner = Uuid::new_v4();
        let run_id = self.running(owner, DayWindow::day(at.date_naive()), at).await;
        let rows = vec![batch(table, run_id, at, rows)].into();
        let publication = Publication {
            tables: vec![TableChange { table, rows, scope }],
            ..publication(run_id, owner, at)
        };
        let published = self
            .warehouse
            .publish(&publication, || async { Ok::<_, Never>(()) })
            .await
            .unwrap();
        (run_id, published.rows_changed[0].1)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
pub(crate) struct Never;

pub(crate) fn window(from: &str, to: &str) -> DayWindow {
    DayWindow::new(day(from), day(to)).unwrap()
}

pub(crate) fn request(window: DayWindow, at: Instant) -> RunRequest {
    RunRequest {
        job: Job::Daily,
        interval: window.into(),
        trigger: Trigger::Manual,
        dry_run: false,
        at,
    }
}

pub(crate) fn outcome(status: RunStatus) -> RunOutcome {
    RunOutcome {
        status,
        records_read: 0,
        records_processed: 0,
        error_message: None,
        checks: json!([]),
        steps: Vec::new(),
        transient: false,
    }
}

/// A publication of nothing but the run's end.
pub(crate) fn publication(run_id: Uuid, owner: Uuid, at: Instant) -> Publication {
    Publication {
        run_id,
        owner,
        at,
        tables: Vec::new(),
        partitions: Vec::new(),
        watermarks: Vec::new(),
        noted: Vec::new(),
        settled: Vec::new(),
        event_files: Vec::new(),
        events_since: None,
        outcome: outcome(RunStatus::Completed),
    }
}

/// Rows of a table: objects whose absent fields are null.
pub(crate) fn batch(table: &SummaryTable, run_id: Uuid, at: Instant, rows: &[Value]) -> RecordBatch {
    let values = |name| rows.iter().map(move |row| row.get(name).unwrap_or(&Value::Null));
    let texts = |name| values(name).map(Value::as_str);
    let array = |column: &Column| -> ArrayRef {
        match column.column_type {
            ColumnType::BigInt => Arc::new(values(column.name).map(Value::as_i64).collect::<Int64Array>()),
            ColumnType::Double | ColumnType::Numeric => {
                Arc::new(values(column.name).map(Value::as_f64).collect::<Float64Array>())
            }
            ColumnType::Boolean => Arc::new(values(column.name).map(Value::as_bool).collect::<BooleanArray>()),
            ColumnType::Text | ColumnType::Json => Arc::new(texts(column.name).collect::<StringArray>()),
            ColumnType::Date => {
                let since_epoch = |text| (day(text) - NaiveDate::default()).num_days().try_into().unwrap();
                Arc::new(
                    texts(column.name)
                        .map(|text| text.map(since_epoch))
                        .collect::<Date32Array>(),
                )
            }
            ColumnType::Instant if column.name == "computed_at" => {
                Arc::new(TimestampMicrosecondArray::from(vec![at.timestamp_micros(); rows.len()]).with_timezone("UTC"))
            }
            ColumnType::Instant => {
                let micros = texts(column.name).map(|text| text.map(|text| self::at(text).timestamp_micros()));
                Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
            ColumnType::Uuid => {
                let ids = run_id.as_bytes().repeat(rows.len());
                Arc::new(FixedSizeBinaryArray::new(16, ids.into(), None))
            }
        }
    };
    RecordBatch::try_from_iter(table.columns.iter().map(|column| (column.name, array(column)))).unwrap()
}

/// A row of `lifecycle_daily`, closed.
pub(crate) fn lifecycle(date: &str, new_active: i64) -> Value {
    json!({
        "date": date, "new_active": new_active, "returning": 5, "resurrected": 2, "dormant": 1, "is_partial": false,
    })
}

/// A row of `segment_kpi_daily`, of a country.
pub(crate) fn segment(date: &str, value: &str) -> Value {
    json!({
        "date": date, "dimension": "country", "value": value, "active_users": 4, "total_sessions": 6,
        "session_seconds": 90.5, "closed_sessions": 5, "total_messages": 8, "total_revenue": 12.34,
    })
}

pub(crate) fn days(from: &str, to: &str) -> Scope {
    Scope::Days(vec![window(from, to)])
}

/// Publishes with nothing to swap; returns the rows changed by table.
pub(crate) async fn published(database: &Database, publication: &Publication) -> Vec<(&'static str, u64)> {
    let done = database
        .warehouse
        .publish(publication, || async { Ok::<_, Never>(()) })
        .await;
    done.unwrap().rows_changed
}
