//! Single queries against plain PostgreSQL over the raw rows, without the jobs around them.

use std::time::Duration;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use kindred_engine::{Engine, EngineOptions, Params, QueryLibrary, Rows, Session, Value};
use kindred_extract::{PostgresSource, SourceConfig, UserKeys, embedded_queries, fact_schema};
use kindred_lake::Lake;
use kindred_model::Fact;
use kindred_testkit::{TestDatabase, day};
use kindred_warehouse::SummaryTable;
use secrecy::SecretString;
use tempfile::TempDir;

use super::population;
use crate::support::world::{run_sql, simulated};
use crate::support::{Cells, differences};

/// Raw rows in PostgreSQL, and a session that has read some of them.
pub(super) struct Bench {
    pub(super) source: TestDatabase,
    pub(super) keys: UserKeys,
    session: Session,
    _folder: TempDir,
}

impl Bench {
    /// A simulated history, changed by these statements, of which these facts are read.
    pub(super) async fn new(changes: &[&str], facts: &[Fact]) -> Self {
        let source = TestDatabase::from_template(&simulated(population()).await, "bench").await;
        for sql in changes {
            run_sql(&source, sql).await;
        }
        let folder = tempfile::tempdir().unwrap();
        let bench = Self {
            keys: UserKeys::new("a secret for tests alone").unwrap(),
            session: session(&folder).await,
            _folder: folder,
            source,
        };
        for &fact in facts {
            let rows = bench.extract(fact).await;
            bench.keep("extracted", &rows);
            let instant = fact.partition_column();
            // As the paths of the lake say it: events lie by hours, all else by days.
            let hour = match fact {
                Fact::Events => format!(", cast(date_part('hour', {instant}) as int) as hour"),
                _ => String::new(),
            };
            let rows = bench
                .sql(&format!(
                    "select *, cast({instant} as date) as date{hour} from extracted"
                ))
                .await;
            bench.keep(fact.as_str(), &rows);
        }
        bench
    }

    async fn extract(&self, fact: Fact) -> Rows {
        let config = SourceConfig {
            source: fact.source(),
            url: SecretString::from(self.source.url()),
            keys: self.keys.clone(),
            queries: embedded_queries(fact.source()),
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

    /// The rows of a statement.
    pub(super) async fn sql(&self, sql: &str) -> Rows {
        let stream = self.session.sql(sql).await.unwrap();
        let schema = stream.schema();
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        Rows { schema, batches }
    }

    /// Makes rows readable as a table.
    pub(super) fn keep(&self, name: &str, rows: &Rows) {
        self.session.register_rows(name, rows).unwrap();
    }

    /// The answer of a query of the library.
    pub(super) async fn query(&self, name: &str, params: &Params) -> Rows {
        let library = QueryLibrary::embedded().unwrap();
        self.session.query(library.get(name).unwrap(), params).await.unwrap()
    }

    /// Compares an answer with that of a statement over the raw rows; how many cells.
    pub(super) async fn compare(&self, table: &'static SummaryTable, rows: &Rows, sql: &str) -> usize {
        let given = Cells::of_batches(table, false, &rows.batches);
        let expected = Cells::answered(&self.source, table, false, sql).await;
        let lines = differences(table, &given, &expected);
        let shown = lines.len().min(20);
        assert!(lines.is_empty(), "{}\n{} lines", lines[..shown].join("\n"), lines.len());
        given.count()
    }
}

/// The parameters `from` and `to`.
pub(super) fn window(from: &str, to: &str) -> Params {
    let params = Params::default().with("from", Value::Day(day(from)));
    params.with("to", Value::Day(day(to)))
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
