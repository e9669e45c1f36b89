//! Drives ConnectorX through one read, on a thread that may block: its dispatcher prepares source and destination, its
//! transport takes each value from the one to the other.

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use connectorx::prelude::{CXQuery, DestinationPartition, Dispatcher, PartitionParser, SourcePartition};
use connectorx::typesystem::Transport;
use kindred_model::Fact;
use tokio::sync::mpsc;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::batches::{BatchError, BatchWriter};
use super::binary::ValueError;
use super::connection::Exported;
use super::copy::{CopyError, CopySource};
use super::link::Link;
use super::nulls::Nulls;
use super::transport::{FactTransport, RowDestination, TransportError};
use crate::ExtractError;
use crate::contract::columns;
use crate::library::rows_file;

/// One read: what, from where, to whom.
pub(super) struct Read {
    pub(super) settings: Arc<Settings>,
    /// Kept until the read has joined the snapshot, and longer.
    pub(super) exported: Arc<Exported>,
    pub(super) fact: Fact,
    pub(super) schema: SchemaRef,
    pub(super) sql: String,
    pub(super) batches: mpsc::Sender<RecordBatch>,
    /// What is set aside.
    pub(super) nulls: Arc<Mutex<Nulls>>,
    pub(super) cancelled: CancellationToken,
}

impl Read {
    /// Reads to the end.
    ///
    /// # Errors
    /// Whatever broke it off; `Cancelled` when nobody wants the rows any more, and then the server has stopped, too.
    pub(super) fn run(self) -> Result<(), ExtractError> {
        let unwanted = ExtractError::Cancelled { fact: self.fact };
        let Some(link) = Link::open(&self.settings, &self.exported, &self.what(), self.cancelled.clone())? else {
            return Err(unwanted);
        };
        let read = self.transfer(&link);
        if self.cancelled.is_cancelled() {
            link.stop(&self.settings);
            return Err(unwanted);
        }
        read.map_err(|error| self.explain(error))
    }

    /// What ConnectorX's `Dispatcher::run` does, on this thread instead of its shared pool of them.
    fn transfer(&self, link: &Arc<Link>) -> Result<(), TransportError> {
        let source = CopySource::new(Arc::clone(link), self.columns(link)?);
        let writer = BatchWriter::new(
            self.fact,
            Arc::clone(&self.schema),
            &self.settings.keys,
            self.settings.batch_rows,
            self.batches.clone(),
            Arc::clone(&self.nulls),
        );
        let mut destination = RowDestination::new(writer);
        let queries = [CXQuery::naked(&self.sql)];
        let dispatcher = Dispatcher::<_, _, FactTransport>::new(source, &mut destination, &queries, None);
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

    /// Name and type of every column that will come.
    fn columns(&self, link: &Link) -> Result<Vec<(String, Type)>, CopyError> {
        let statement = link
            .unless_cancelled(link.client.prepare(&self.sql))
            .ok_or(CopyError::Cancelled)??;
        Ok(statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), column.type_().clone()))
            .collect())
    }

    fn value_error(&self, column: usize, problem: String) -> ExtractError {
        ExtractError::Value {
            fact: self.fact,
            column: columns(self.fact)[column].name.to_owned(),
            problem,
            file: rows_file(self.fact),
        }
    }

    fn what(&self) -> String {
        format!("reading {}", self.fact)
    }

    /// What a transfer's error means for the operator.
    fn explain(&self, error: TransportError) -> ExtractError {
        let other = |reason: String| ExtractError::Failed {
            database: self.settings.database,
            what: self.what(),
            reason,
        };
        match error {
            TransportError::Source(CopyError::Postgres(error)) => self.settings.query_failed(&self.what(), &error),
            TransportError::Source(CopyError::Cancelled) | TransportError::Destination(BatchError::Unwanted) => {
                ExtractError::Cancelled { fact: self.fact }
            }
            TransportError::Source(CopyError::Value(ValueError::Unreadable { column, reason })) => {
                self.value_error(column, format!("a value cannot be read: {reason}"))
            }
            TransportError::Destination(BatchError::Value { column, problem }) => self.value_error(column, problem),
            TransportError::Source(error @ (CopyError::CutOff | CopyError::Value(ValueError::Malformed(_)))) => {
                other(error.to_string())
            }
            TransportError::Destination(BatchError::Arrow(error)) => other(error.to_string()),
            TransportError::ConnectorX(error)
            | TransportError::Source(CopyError::ConnectorX(error))
            | TransportError::Destination(BatchError::ConnectorX(error)) => other(error.to_string()),
        }
    }
}
