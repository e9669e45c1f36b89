//! The behaviour queries against plain PostgreSQL over the raw events, without the jobs around them.

use std::time::Duration;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use kindred_engine::{Engine, EngineOptions, Params, QueryLibrary, Rows, Session, Value};
use kindred_extract::{PostgresSource, SourceConfig, UserKeys, embedded_queries, fact_schema};
use kindred_lake::Lake;
use kindred_model::{Fact, Instant, Source};
use kindred_testkit::{TestDatabase, at, day};
use kindred_warehouse::{BEHAVIOR_ROLLUPS, SummaryTable, USER_BEHAVIOR_EVENTS};
use secrecy::SecretString;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use uuid::Uuid;

use super::population;
use crate::support::world::{run_sql, simulated};
use crate::support::{Cells, differences};

/// The end of an hour of the history, 90 days after its first one.
const ROLLUP_AS_OF: &str = "2026-03-15T10:00:00Z";

/// Before and in the sign-ups of the history's last days.
const FROM: &str = "2026-03-12T22:30:00Z";
const UNTIL: &str = "2026-03-15T10:00:00Z";

/// Staff, devices that several people use, events without a device, without a platform, on the hour. Properties are what
/// extraction makes of them, and are not compared here.
const DIRT: &str = "
    update behavior_events set properties = '{}';
    update users set is_internal = true where abs(hashtext(id::text)) % 19 = 1;
    update behavior_events set platform = null where abs(hashtext(event_id)) % 31 = 1;
    update behavior_events set anonymous_id = (select min(anonymous_id) from behavior_events)
    where abs(hashtext(anonymous_id)) % 23 = 2;
    update behavior_events set anonymous_id = null where user_id is not null and abs(hashtext(event_id)) % 37 = 3;
    update behavior_events set event_time = date_trunc('hour', event_time) where abs(hashtext(event_id)) % 41 = 4;
    create schema oracle;
    create table oracle.staff as select id from users where is_internal;
    create table oracle.user_keys (id uuid primary key, user_key bigint not null)";

#[tokio::test(flavor = "multi_thread")]
async fn rollups_are_what_plain_sql_counts_in_the_raw_events() {
    let bench = Bench::new().await;
    let params = Params::default().with("rollup_as_of", Value::Instant(Some(at(ROLLUP_AS_OF))));
    let rows = bench.query("behavior/behavior_rollups", &params).await;
    let sql = include_str!("behavior_rollups.sql").replace("{rollup_as_of}", &timestamp(at(ROLLUP_AS_OF)));
    let compared = bench.compare(&BEHAVIOR_ROLLUPS, &rows, &sql).await;
    assert!(compared > 4_000, "only {compared} cells were compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_span_have_the_users_that_plain_sql_finds() {
    let bench = Bench::new().await;
    let params = [("from", "2026-03-12"), ("to", "2026-03-16")];
    let params = params.into_iter().fold(Params::default(), |params, (name, date)| {
        params.with(name, Value::Day(day(date)))
    });
    let params = [("start", FROM), ("until", UNTIL)]
        .into_iter()
        .fold(params, |params, (name, instant)| {
            params.with(name, Value::Instant(Some(at(instant))))
        });
    let rows = bench.query("behavior/user_behavior_events", &params).await;
    let sql = include_str!("user_behavior_events.sql")
        .replace("{from}", &timestamp(at(FROM)))
        .replace("{to}", &timestamp(at(UNTIL)));
    let compared = bench.compare(&USER_BEHAVIOR_EVENTS, &rows, &sql).await;
    assert!(compared > 6_000, "only {compared} cells were compared");
}

fn timestamp(at: Instant) -> String {
    format!("timestamptz '{}'", at.to_rfc3339())
}

/// Raw events in PostgreSQL, and a session that has read them.
struct Bench {
    source: TestDatabase,
    session: Session,
    _folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let source = TestDatabase::from_template(&simulated(population()).await, "behavior").await;
        run_sql(&source, DIRT).await;
        let keys = UserKeys::new("a secret for tests alone").unwrap();
        name_keys(&source, &keys).await;
        let folder = tempfile::tempdir().unwrap();
        let bench = Self {
            session: session(&folder).await,
            _folder: folder,
            source,
        };
        for (source, fact) in [(Source::Users, Fact::Users), (Source::Events, Fact::Events)] {
            let rows = bench.extract(source, fact, &keys).await;
            bench.session.register_rows("extracted", &rows).unwrap();
            let day = fact.partition_column();
            let sql = format!("select *, cast({day} as date) as date from extracted");
            bench.register(fact.as_str(), &sql).await;
        }
        let aliases = "select date, anonymous_key, user_key, event_time, event_id from events
            where anonymous_key is not null and user_key is not null";
        bench.register("aliases", aliases).await;
        let ever = Params::default()
            .with("from", Value::Day(day("2020-01-01")))
            .with("to", Value::Day(day("2030-01-01")));
        for state in ["state/internal_users", "state/event_counts"] {
            let rows = bench.query(state, &ever).await;
            let name = state.trim_start_matches("state/");
            bench.session.register_rows(name, &rows).unwrap();
        }
        bench
    }

    async fn extract(&self, source: Source, fact: Fact, keys: &UserKeys) -> Rows {
        let config = SourceConfig {
            source,
            url: SecretString::from(self.source.url()),
            keys: keys.clone(),
            queries: embedded_queries(source),
            deadline: Duration::from_secs(60),
            batch_rows: 4096,
            queue_batches: 4,
        };
        let snapshot = PostgresSource::new(config).unwrap().open(&[fact]).await.unwrap();
        let batches = snapshot.read(fact, None, None).into_stream().try_collect().await;
        Rows {
            schema: fact_schema(fact),
            batches: batches.unwrap(),
        }
    }

    async fn register(&self, name: &str, sql: &str) {
        let stream = self.session.sql(sql).await.unwrap();
        let schema = stream.schema();
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        self.session.register_rows(name, &Rows { schema, batches }).unwrap();
    }

    async fn query(&self, name: &str, params: &Params) -> Rows {
        let library = QueryLibrary::embedded().unwrap();
        self.session.query(library.get(name).unwrap(), params).await.unwrap()
    }

    /// Compares an answer with that of a statement over the raw rows; how many cells.
    async fn compare(&self, table: &'static SummaryTable, rows: &Rows, sql: &str) -> usize {
        let given = Cells::of_batches(table, false, &rows.batches);
        let expected = Cells::answered(&self.source, table, false, sql).await;
        let lines = differences(table, &given, &expected);
        let shown = lines.len().min(20);
        assert!(lines.is_empty(), "{}\n{} lines", lines[..shown].join("\n"), lines.len());
        given.count()
    }
}

async fn session(folder: &TempDir) -> Session {
    let lake = Lake::open(folder.path().join("lake").to_str().unwrap(), []).unwrap();
    let engine = Engine::new(EngineOptions {
        memory_limit: 512 << 20,
        spill_folder: folder.path().join("spill"),
        deadline: Duration::from_secs(60),
        target_partitions: 2,
    });
    engine.unwrap().session(&lake, lake.snapshot([]).await.unwrap())
}

/// Tells PostgreSQL the key of every user, since it cannot hash as we do.
pub(super) async fn name_keys(source: &TestDatabase, keys: &UserKeys) {
    let ids = "select id from users union select user_id from user_sessions
        union select user_id from behavior_events where user_id is not null";
    let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(ids))
        .fetch_all(source.pool())
        .await
        .unwrap();
    let user_keys: Vec<i64> = ids.iter().map(|id| keys.of_uuid(id)).collect();
    sqlx::query("insert into oracle.user_keys select * from unnest($1::uuid[], $2::bigint[])")
        .bind(ids)
        .bind(user_keys)
        .execute(source.pool())
        .await
        .unwrap();
}
