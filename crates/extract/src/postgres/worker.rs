//! Drives ConnectorX through one read, on a thread that may block.
//!
//! ConnectorX's own pool retries a lost connection for half a minute and keeps it to itself, which leaves nothing to
//! cancel with: the connection is made here, joins the snapshot, and is handed to ConnectorX as a source that is
//! already open. From there on it is ConnectorX: its dispatcher, its parser of the binary COPY protocol, its transport.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use connectorx::prelude::{CXQuery, DestinationPartition, Dispatcher, PartitionParser, SourcePartition};
use connectorx::typesystem::Transport;
use kindred_model::Fact;
use postgres_native_tls::MakeTlsConnector;
use r2d2::{NopErrorHandler, Pool, PooledConnection};
use r2d2_postgres::PostgresConnectionManager;
use tokio::sync::mpsc;

use super::Settings;
use super::batches::BatchError;
use super::rows::Cancellation;
use super::snapshot::Exported;
use super::transport::{FactTransport, OpenSource, RowDestination, TransportError};
use crate::ExtractError;
use crate::contract::columns;
use crate::library::rows_file;

/// How long to try for a connection to a source that answered when the snapshot was opened.
const RECONNECT: Duration = Duration::from_secs(5);

pub(super) type PgConnection = PooledConnection<PostgresConnectionManager<MakeTlsConnector>>;

/// One read: what, from where, to whom.
pub(super) struct Read {
    pub(super) settings: Arc<Settings>,
    /// Kept until the read has joined the snapshot, and longer.
    pub(super) exported: Arc<Exported>,
    pub(super) fact: Fact,
    pub(super) schema: SchemaRef,
    pub(super) sql: String,
    pub(super) batches: mpsc::Sender<RecordBatch>,
    pub(super) cancellation: Arc<Cancellation>,
}

impl Read {
    /// Reads to the end.
    ///
    /// # Errors
    /// Whatever broke it off; `Cancelled` when nobody wants the rows any more.
    pub(super) fn run(self) -> Result<(), ExtractError> {
        let mut connection = self.connect()?;
        let columns = self.columns(&mut connection)?;
        let source = OpenSource::new(connection, columns);
        let mut destination = RowDestination::new(
            self.fact,
            Arc::clone(&self.schema),
            self.settings.keys.clone(),
            self.settings.batch_rows,
            self.batches.clone(),
        );
        let queries = [CXQuery::naked(&self.sql)];
        let dispatcher = Dispatcher::<_, _, FactTransport>::new(source, &mut destination, &queries, None);
        transfer(dispatcher).map_err(|error| self.explain(error))
    }

    /// A connection that has joined the snapshot and can be cancelled.
    fn connect(&self) -> Result<PgConnection, ExtractError> {
        let settings = &self.settings;
        let config = postgres::Config::from(settings.address.config.clone());
        let manager = PostgresConnectionManager::new(config, settings.address.tls.clone());
        let pool = Pool::builder()
            .max_size(1)
            .min_idle(Some(0))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .connection_timeout(RECONNECT.min(settings.deadline))
            .error_handler(Box::new(NopErrorHandler))
            .build_unchecked(manager);
        let mut connection = pool.get().map_err(|error| ExtractError::Unreachable {
            database: settings.database,
            address: settings.address.label.clone(),
            reason: error.to_string(),
        })?;
        // Whoever asked for the cancellation before the token was there is seen here; afterwards the token is used.
        let _ = self.cancellation.token.set(connection.cancel_token());
        if self.cancellation.is_asked() {
            return Err(ExtractError::Cancelled { fact: self.fact });
        }
        let join = format!("{}; set transaction snapshot '{}'", settings.begin(), self.exported.id);
        connection.batch_execute(&join).map_err(|error| self.failed(&error))?;
        Ok(connection)
    }

    /// Name and type of every column that will come.
    fn columns(&self, connection: &mut PgConnection) -> Result<Vec<(String, postgres::types::Type)>, ExtractError> {
        let statement = connection.prepare(&self.sql).map_err(|error| self.failed(&error))?;
        Ok(statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), column.type_().clone()))
            .collect())
    }

    fn failed(&self, error: &postgres::Error) -> ExtractError {
        if self.cancellation.is_asked() {
            return ExtractError::Cancelled { fact: self.fact };
        }
        self.settings.query_failed(&format!("reading {}", self.fact), error)
    }

    /// What ConnectorX's error means for the operator.
    fn explain(&self, error: TransportError) -> ExtractError {
        use connectorx::sources::postgres::PostgresSourceError;
        let other = |reason: String| ExtractError::Failed {
            database: self.settings.database,
            what: format!("reading {}", self.fact),
            reason,
        };
        match error {
            TransportError::Source(PostgresSourceError::PostgresError(error)) => self.failed(&error),
            TransportError::Source(error) => other(error.to_string()),
            TransportError::ConnectorX(error) => other(error.to_string()),
            TransportError::Destination(BatchError::Unwanted) => ExtractError::Cancelled { fact: self.fact },
            TransportError::Destination(BatchError::Value { column, problem }) => ExtractError::Value {
                fact: self.fact,
                column: columns(self.fact)[column].name.to_owned(),
                problem,
                file: rows_file(self.fact),
            },
            TransportError::Destination(BatchError::Arrow(error)) => other(error.to_string()),
            TransportError::Destination(BatchError::ConnectorX(error)) => other(error.to_string()),
        }
    }
}

/// What `Dispatcher::run` does, on this thread instead of ConnectorX's shared pool of them.
fn transfer(dispatcher: Dispatcher<'_, OpenSource, RowDestination, FactTransport>) -> Result<(), TransportError> {
    let (_, sources, destinations, from, to) = dispatcher.prepare()?;
    for (mut source, mut destination) in sources.into_iter().zip(destinations) {
        let mut parser = source.parser()?;
        let processors = from
            .iter()
            .zip(&to)
            .map(|(&from, &to)| FactTransport::processor(from, to));
        let processors = processors.collect::<Result<Vec<_>, _>>()?;
        loop {
            let (rows, is_last) = parser.fetch_next()?;
            for _ in 0..rows {
                for process in &processors {
                    process(&mut parser, &mut destination)?;
                }
            }
            if is_last {
                break;
            }
        }
        destination.finalize()?;
    }
    Ok(())
}
