//! A connection to one source database, and errors that name it.

use kindred_model::Source;
use sqlx::{Connection, PgConnection, SqlSafeStr};

use crate::SimulatorError;
use crate::address::connect_options;
use crate::rows::Table;

/// A connection. A transaction under way is rolled back when this is dropped.
pub(crate) struct Database {
    source: Source,
    connection: PgConnection,
}

impl Database {
    pub(crate) async fn connect(source: Source, url: &str) -> Result<Self, SimulatorError> {
        let options = connect_options(url).map_err(|error| SimulatorError::Address {
            database: source,
            source: error,
        })?;
        let connection = PgConnection::connect_with(&options).await;
        let connection = connection.map_err(|error| SimulatorError::Unreachable {
            database: source,
            source: error,
        })?;
        Ok(Self { source, connection })
    }

    /// Which database it is.
    pub(crate) const fn source(&self) -> Source {
        self.source
    }

    pub(crate) const fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(crate) async fn execute(&mut self, sql: impl SqlSafeStr) -> Result<(), SimulatorError> {
        let outcome = sqlx::raw_sql(sql).execute(&mut self.connection).await;
        outcome.map(drop).map_err(|error| self.failure(error))
    }

    /// Copies rows of a table, in the binary format, into the table of a name.
    pub(crate) async fn copy(&mut self, table: Table, name: &str, bytes: &[u8]) -> Result<(), SimulatorError> {
        let copied = async {
            let mut copy = self.connection.copy_in_raw(&table.copy_statement(name)).await?;
            copy.send(bytes).await?;
            copy.finish().await
        };
        copied.await.map(drop).map_err(|error| SimulatorError::Load {
            database: self.source,
            table: table.name(),
            source: error,
        })
    }

    /// Commits the transaction and closes the connection.
    pub(crate) async fn commit_and_close(mut self) -> Result<(), SimulatorError> {
        self.execute("commit").await?;
        let source = self.source;
        self.connection.close().await.map_err(|error| SimulatorError::Database {
            database: source,
            source: error,
        })
    }

    pub(crate) const fn failure(&self, source: sqlx::Error) -> SimulatorError {
        SimulatorError::Database {
            database: self.source,
            source,
        }
    }
}
