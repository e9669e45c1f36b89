//! One source database: created if missing, required to be empty, filled in one transaction.

use indicatif::ProgressBar;
use kindred_model::Source;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr};
use tokio::sync::mpsc::Receiver;

use super::rows::Table;
use super::sink::Chunk;
use crate::SimulatorError;
use crate::schema::Schema;

/// A connection with a transaction under way, which is rolled back when this is dropped.
pub(super) struct Database {
    source: Source,
    connection: PgConnection,
}

impl Database {
    /// Which database it is.
    pub(super) const fn source(&self) -> Source {
        self.source
    }

    /// Connects, begins the transaction, makes sure that the tables are there, and locks them against other writers.
    pub(super) async fn open(source: Source, url: &str) -> Result<Self, SimulatorError> {
        let options: PgConnectOptions = url.parse().map_err(|error| SimulatorError::Address {
            database: source,
            source: error,
        })?;
        let connection = PgConnection::connect_with(&options)
            .await
            .map_err(|error| SimulatorError::Unreachable {
                database: source,
                source: error,
            })?;
        let mut database = Self { source, connection };
        database.execute("begin").await?;
        database.execute(Schema::of(source).tables).await?;
        for table in Table::of(source) {
            database.require_empty(table).await?;
        }
        Ok(database)
    }

    /// Refuses a table with rows: a history is written once, and never into another.
    async fn require_empty(&mut self, table: Table) -> Result<(), SimulatorError> {
        let name = table.name();
        self.execute(AssertSqlSafe(format!("lock table {name} in exclusive mode")))
            .await?;
        let occupied: bool = sqlx::query_scalar(AssertSqlSafe(format!("select exists (select from {name})")))
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| self.failure(error))?;
        if occupied {
            return Err(SimulatorError::Occupied {
                database: self.source,
                table: name,
            });
        }
        Ok(())
    }

    /// Copies chunks in as they come, until the model is done; rows per table of [`Table::ALL`].
    pub(super) async fn fill(
        &mut self,
        mut chunks: Receiver<Chunk>,
        bar: &ProgressBar,
    ) -> Result<Vec<u64>, SimulatorError> {
        let mut counts = vec![0; Table::ALL.len()];
        while let Some(chunk) = chunks.recv().await {
            self.copy(&chunk).await.map_err(|error| SimulatorError::Load {
                database: self.source,
                table: chunk.table.name(),
                source: error,
            })?;
            counts[chunk.table as usize] += chunk.rows;
            bar.inc(chunk.rows);
            bar.set_message(chunk.table.name());
        }
        Ok(counts)
    }

    async fn copy(&mut self, chunk: &Chunk) -> Result<(), sqlx::Error> {
        let mut copy = self.connection.copy_in_raw(chunk.table.copy_statement()).await?;
        copy.send(&*chunk.bytes).await?;
        copy.finish().await?;
        Ok(())
    }

    /// Builds the indexes, which is faster than to keep them up during the load, and gathers the planner's statistics.
    pub(super) async fn index(&mut self, bar: &ProgressBar) -> Result<(), SimulatorError> {
        bar.set_message("indexes");
        self.execute("set local maintenance_work_mem = '128MB'").await?;
        self.execute(Schema::of(self.source).indexes).await?;
        bar.set_message("statistics");
        for table in Table::of(self.source) {
            self.execute(AssertSqlSafe(format!("analyze {}", table.name()))).await?;
        }
        bar.set_message("done");
        Ok(())
    }

    /// Makes everything visible, at once.
    pub(super) async fn commit(mut self) -> Result<(), SimulatorError> {
        self.execute("commit").await?;
        let source = self.source;
        self.connection.close().await.map_err(|error| SimulatorError::Database {
            database: source,
            source: error,
        })
    }

    async fn execute(&mut self, sql: impl SqlSafeStr) -> Result<(), SimulatorError> {
        let outcome = sqlx::raw_sql(sql).execute(&mut self.connection).await;
        outcome.map(drop).map_err(|error| self.failure(error))
    }

    const fn failure(&self, source: sqlx::Error) -> SimulatorError {
        SimulatorError::Database {
            database: self.source,
            source,
        }
    }
}
