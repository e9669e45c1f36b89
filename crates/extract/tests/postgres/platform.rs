//! Source databases in their canonical schema, with rows in them, and the extractor over them.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType};
use chrono::NaiveDate;
use kindred_extract::{
    ExtractError, FactQueries, PostgresSource, Rows, Snapshot, SourceConfig, UserKeys, embedded_queries,
};
use kindred_model::{Fact, Source};
use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

pub(crate) const SECRET: &str = "correct horse battery staple";

/// A source database of one test.
pub(crate) struct Platform {
    pub(crate) database: TestDatabase,
    pub(crate) source: Source,
}

impl Platform {
    /// The source's tables, empty.
    pub(crate) async fn empty(source: Source) -> Self {
        let database = TestDatabase::create(source.as_str()).await;
        let platform = Self { database, source };
        platform.execute(ddl(source)).await;
        platform
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.database.pool()).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let count = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(self.database.pool())
            .await;
        count.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) fn extractor(&self) -> PostgresSource {
        self.extractor_with(|_| {})
    }

    /// An extractor with some of its settings changed.
    pub(crate) fn extractor_with(&self, change: impl FnOnce(&mut SourceConfig)) -> PostgresSource {
        let mut config = config(self.source, &self.database.url());
        change(&mut config);
        PostgresSource::new(config).expect("the settings are good")
    }

    /// An extractor whose query for `fact` is `rows`.
    pub(crate) fn extractor_of(&self, fact: Fact, rows: &str) -> PostgresSource {
        self.extractor_with(|config| query_of(config, fact).rows = rows.to_owned())
    }

    /// The queries of ours that the server is busy with.
    pub(crate) async fn busy(&self) -> i64 {
        self.count(
            "select count(*) from pg_stat_activity where datname = current_database()
                and application_name = 'kindred' and state = 'active'",
        )
        .await
    }

    /// Waits for the server to be busy, or idle.
    pub(crate) async fn wait_until(&self, busy: bool, patience: Duration) {
        let began = std::time::Instant::now();
        while (self.busy().await > 0) != busy {
            assert!(
                began.elapsed() < patience,
                "after {patience:?} the server was still not {busy}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) fn config(source: Source, url: &str) -> SourceConfig {
    SourceConfig {
        source,
        url: url.to_owned().into(),
        keys: keys(),
        queries: embedded_queries(source),
        deadline: Duration::from_secs(30),
        batch_rows: 1000,
        queue_batches: 2,
    }
}

pub(crate) fn query_of(config: &mut SourceConfig, fact: Fact) -> &mut FactQueries {
    config.queries.get_mut(&fact).expect("a fact of the source")
}

pub(crate) fn keys() -> UserKeys {
    UserKeys::new(SECRET).expect("the secret is long enough")
}

pub(crate) fn facts(source: Source) -> Vec<Fact> {
    Fact::ALL
        .iter()
        .copied()
        .filter(|fact| fact.source() == source)
        .collect()
}

pub(crate) async fn open(extractor: &PostgresSource, fact: Fact) -> Snapshot {
    extractor.open(&[fact]).await.unwrap_or_else(|error| panic!("{error}"))
}

/// All rows of a fact, in one batch.
pub(crate) async fn read_all(extractor: &PostgresSource, fact: Fact) -> RecordBatch {
    collect(open(extractor, fact).await.read(fact, None, None)).await
}

pub(crate) async fn read_window(snapshot: &Snapshot, fact: Fact, from: NaiveDate, to: NaiveDate) -> RecordBatch {
    collect(snapshot.read(fact, Some(from), Some(to))).await
}

pub(crate) async fn collect(rows: Rows) -> RecordBatch {
    try_collect(rows).await.unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) async fn try_collect(mut rows: Rows) -> Result<RecordBatch, ExtractError> {
    let mut batches = Vec::new();
    while let Some(batch) = rows.next().await {
        batches.push(batch?);
    }
    Ok(concat_batches(&rows.schema(), &batches).expect("batches of one schema"))
}

/// Every row as texts, sorted: rows of one instant have no order of their own.
pub(crate) fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let row = |row| {
        batch
            .columns()
            .iter()
            .map(|column| text(column.as_ref(), row))
            .collect()
    };
    let mut rows: Vec<Vec<String>> = (0..batch.num_rows()).map(row).collect();
    rows.sort();
    rows
}

/// One column by name, as texts, in the order of the rows.
pub(crate) fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    (0..batch.num_rows()).map(|row| text(column.as_ref(), row)).collect()
}

fn text(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return "null".into();
    }
    match array.data_type() {
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::FixedSizeBinary(16) => Uuid::from_slice(array.as_fixed_size_binary().value(row))
            .expect("16 bytes")
            .to_string(),
        DataType::Utf8 => format!("{:?}", array.as_string::<i32>().value(row)),
        DataType::Decimal128(12, 2) => array.as_primitive::<Decimal128Type>().value(row).to_string(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        other => panic!("no fact has a column of {other}"),
    }
}

fn ddl(source: Source) -> &'static str {
    match source {
        Source::Users => include_str!("../../../../migrations/sources/users.sql"),
        Source::Interactions | Source::Events => include_str!("../../../../migrations/sources/interactions.sql"),
        Source::Communications => include_str!("../../../../migrations/sources/communications.sql"),
        Source::Moderation => include_str!("../../../../migrations/sources/moderation.sql"),
    }
}

/// Rows of every table of a source: `rows` of each, with every nullable column null in some of them, and texts, amounts
/// and instants at the edges of what they may be. Text columns that are private hold the word PRIVATE.
pub(crate) async fn fill(platform: &Platform, rows: u32) {
    for insert in inserts(platform.source) {
        platform
            .execute(&format!("with n as (select generate_series(1, {rows}) as i) {insert}"))
            .await;
    }
}

fn inserts(source: Source) -> Vec<String> {
    let id = "gen_random_uuid()";
    let text =
        r#"(array['ios', '', 'ä ☂ 👩‍👩‍👧', $$'; drop table users; --$$, E'a\\b\n\t"c"', repeat('x', 512)])[1 + i % 6]"#;
    let maybe_text = format!("case when i % 4 > 0 then {text} end");
    let money = "(array[0, 0.01, 9999999999.99, -9999999999.99, 9.9, 12])[1 + i % 6]::numeric(12,2)";
    let number = "(array[0, 1, 2147483647, -2147483648, 7, 12])[1 + i % 6]";
    let at = "timestamptz '2026-03-01T00:00:00Z' + i * interval '7 hours 11 minutes 13.000017 seconds'";
    let maybe_at = format!("case when i % 3 > 0 then {at} - interval '80 years' end");
    match source {
        Source::Users => vec![
            format!(
                "insert into users select {id}, i || 'PRIVATE@example.org', 'PRIVATE', 'PRIVATE', date '1990-01-01',
                 {maybe_text}, {maybe_text}, {maybe_text}, {text}, i % 5 = 0, {at}, {at} from n"
            ),
            format!(
                "insert into user_sessions select {id}, {id}, {maybe_text}, {maybe_text}, {maybe_text}, {at}, {at},
                 {maybe_at}, {maybe_text}, {at} from n"
            ),
            format!(
                "insert into subscriptions select {id}, {id}, {text}, {maybe_text}, {money}, 'USD', {text}, {at},
                 {maybe_at}, {maybe_at}, {maybe_at}, {at} from n"
            ),
            format!(
                "insert into payments select {id}, {id}, case when i % 2 = 0 then {id} end, {text}, {money}, 'EUR',
                 {text}, {at}, {maybe_at}, case when i % 3 = 0 then {money} end, {at} from n"
            ),
        ],
        Source::Interactions | Source::Events => vec![
            format!("insert into swipes select {id}, {id}, {id}, {text}, {at} from n"),
            format!("insert into matches select {id}, {id}, {id}, {at} from n"),
            format!(
                "insert into interactions select {id}, {text}, {id}, {id}, {at}, {maybe_at}, {maybe_text}, {at} from n"
            ),
            format!("insert into matching_queue select {id}, {id}, {at}, {maybe_at}, {maybe_text}, {at} from n"),
            format!("insert into session_telemetry select {id}, {id}, {at}, {number}, {number}, {at} from n"),
        ],
        Source::Communications => {
            vec![format!(
                "insert into messages select {id}, {id}, {id}, {id}, {text}, 'PRIVATE', {at} from n"
            )]
        }
        Source::Moderation => vec![
            format!("insert into reports select {id}, {id}, {id}, {text}, {at}, {maybe_at}, {at} from n"),
            format!("insert into moderation_actions select {id}, {id}, {text}, i % 2 = 0, {at} from n"),
        ],
    }
}

/// Facts' rows as texts, by another way: sqlx over the same query.
pub(crate) async fn oracle(platform: &Platform, fact: Fact) -> Vec<Vec<String>> {
    use chrono::{DateTime, Utc};
    use sqlx::Row;
    use sqlx::types::Decimal;

    let queries: BTreeMap<Fact, FactQueries> = embedded_queries(platform.source);
    let sql = queries[&fact]
        .rows
        .replace("$from", "'-infinity'")
        .replace("$to", "'infinity'");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(platform.database.pool())
        .await
        .expect("the oracle answers");
    let schema = kindred_extract::fact_schema(fact);
    let texts = |row: &sqlx::postgres::PgRow| {
        let fields = schema.fields().iter().map(|field| {
            let name = field.name().as_str();
            let text = match field.data_type() {
                DataType::Int64 => row
                    .get::<Option<Uuid>, _>(name)
                    .map(|id| keys().of_uuid(&id).to_string()),
                DataType::Int32 => row.get::<Option<i32>, _>(name).map(|number| number.to_string()),
                DataType::FixedSizeBinary(_) => row.get::<Option<Uuid>, _>(name).map(|id| id.to_string()),
                DataType::Utf8 => row.get::<Option<String>, _>(name).map(|text| format!("{text:?}")),
                DataType::Decimal128(..) => row
                    .get::<Option<Decimal>, _>(name)
                    .map(|amount| (amount * Decimal::ONE_HUNDRED).normalize().to_string()),
                DataType::Timestamp(..) => row
                    .get::<Option<DateTime<Utc>>, _>(name)
                    .map(|at| at.timestamp_micros().to_string()),
                DataType::Boolean => row.get::<Option<bool>, _>(name).map(|flag| flag.to_string()),
                other => panic!("no fact has a column of {other}"),
            };
            text.unwrap_or_else(|| "null".into())
        });
        fields.collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = rows.iter().map(texts).collect();
    rows.sort();
    rows
}
