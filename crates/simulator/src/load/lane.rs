//! One source database in a bulk load: created if missing, required to be empty, filled in one transaction.

use indicatif::ProgressBar;
use kindred_model::Source;
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc::Receiver;

use super::sink::Chunk;
use crate::database::Database;
use crate::rows::Table;
use crate::{Population, Schema, SimulatorError, record};

/// A database with a transaction under way, the rows on their way to it, and its line on the terminal.
pub(super) struct Lane {
    pub(super) database: Database,
    pub(super) chunks: Receiver<Chunk>,
    pub(super) bar: ProgressBar,
}

impl Lane {
    /// Copies chunks in as they come, until the model is done, then builds the indexes; rows per table of [`Table::ALL`].
    pub(super) async fn run(mut self) -> Result<(Database, Vec<u64>), SimulatorError> {
        let mut counts = vec![0; Table::ALL.len()];
        while let Some(chunk) = self.chunks.recv().await {
            let Chunk { table, rows, bytes } = chunk;
            self.database.copy(table, table.name(), &bytes).await?;
            counts[table as usize] += rows;
            self.bar.inc(rows);
            self.bar.set_message(table.name());
        }
        index(&mut self.database, &self.bar).await?;
        self.bar.finish();
        Ok((self.database, counts))
    }
}

/// Connects, begins the transaction, makes sure that the tables are there and empty, and locks them against other
/// writers.
pub(super) async fn open(source: Source, url: &str, population: &Population) -> Result<Database, SimulatorError> {
    let mut database = Database::connect(source, url).await?;
    database.execute("begin").await?;
    database.execute(Schema::of(source).tables).await?;
    for table in Table::of(source) {
        require_empty(&mut database, table).await?;
    }
    if source == record::KEPT_IN {
        let begun = record::begin(database.connection(), population).await;
        begun.map_err(|error| database.failure(error))?;
    }
    Ok(database)
}

/// Refuses a table with rows: a history is written once, and never into another.
async fn require_empty(database: &mut Database, table: Table) -> Result<(), SimulatorError> {
    let name = table.name();
    let lock = format!("lock table {name} in exclusive mode");
    database.execute(AssertSqlSafe(lock)).await?;
    let occupied = sqlx::query_scalar(AssertSqlSafe(format!("select exists (select from {name})")))
        .fetch_one(database.connection())
        .await;
    if occupied.map_err(|error| database.failure(error))? {
        return Err(SimulatorError::Occupied {
            database: database.source(),
            table: name,
        });
    }
    Ok(())
}

/// Builds the indexes, which is faster than to keep them up during the load, and gathers the planner's statistics.
async fn index(database: &mut Database, bar: &ProgressBar) -> Result<(), SimulatorError> {
    bar.set_message("indexes");
    database.execute("set local maintenance_work_mem = '128MB'").await?;
    database.execute(Schema::of(database.source()).indexes).await?;
    bar.set_message("statistics");
    for table in Table::of(database.source()) {
        let analyze = format!("analyze {}", table.name());
        database.execute(AssertSqlSafe(analyze)).await?;
    }
    bar.set_message("done");
    Ok(())
}
