//! ConnectorX's side of a read: a source over a connection that is already open, a destination of our own, and the
//! transport between them that says which PostgreSQL type becomes which value.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use connectorx::data_order::DataOrder;
use connectorx::errors::ConnectorXError;
use connectorx::prelude::{CXQuery, Destination, Source};
use connectorx::sources::postgres::{
    BinaryProtocol, PostgresSourceError, PostgresSourcePartition, PostgresTypePairs, PostgresTypeSystem,
};
use connectorx::typesystem::TypeConversion;
use connectorx::{impl_transport, impl_typesystem};
use kindred_model::Fact;
use postgres::types::Type;
use postgres_native_tls::MakeTlsConnector;
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::batches::{BatchError, BatchWriter};
use super::worker::PgConnection;
use crate::UserKeys;

/// The values that reach a batch. What a column makes of one is the column's affair. The flag, of ConnectorX's making,
/// says whether it may be null; whether it may be by contract is decided by the batch, where the column has a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum ValueType {
    Uuid(bool),
    Text(bool),
    Decimal(bool),
    Instant(bool),
    Boolean(bool),
}

impl_typesystem! {
    system = ValueType,
    mappings = {
        { Uuid => Uuid }
        { Text => &'r str }
        { Decimal => Decimal }
        { Instant => DateTime<Utc> }
        { Boolean => bool }
    }
}

/// PostgreSQL's types to values.
pub(super) struct FactTransport;

/// Where a transfer broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    #[error(transparent)]
    Source(#[from] PostgresSourceError),
    #[error(transparent)]
    Destination(#[from] BatchError),
    #[error(transparent)]
    ConnectorX(#[from] ConnectorXError),
}

impl_transport!(
    name = FactTransport,
    error = TransportError,
    systems = PostgresTypeSystem => ValueType,
    route = OpenSource => RowDestination,
    mappings = {
        { UUID[Uuid]                 => Uuid[Uuid]             | conversion auto }
        { Text[&'r str]              => Text[&'r str]          | conversion auto }
        { VarChar[&'r str]           => Text[&'r str]          | conversion none }
        { BpChar[&'r str]            => Text[&'r str]          | conversion none }
        { Enum[&'r str]              => Text[&'r str]          | conversion none }
        { Numeric[Decimal]           => Decimal[Decimal]       | conversion auto }
        { TimestampTz[DateTime<Utc>] => Instant[DateTime<Utc>] | conversion auto }
        { Bool[bool]                 => Boolean[bool]          | conversion auto }
    }
);

/// A connection inside its transaction, about to run one query of known columns.
pub(super) struct OpenSource {
    connection: PgConnection,
    names: Vec<String>,
    schema: Vec<PostgresTypeSystem>,
    wire: Vec<Type>,
    query: Option<CXQuery<String>>,
}

impl OpenSource {
    /// `columns` have been held against the contract: ConnectorX panics at types that it does not know.
    pub(super) fn new(connection: PgConnection, columns: Vec<(String, Type)>) -> Self {
        let (names, types): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let schema: Vec<_> = types.iter().map(PostgresTypeSystem::from).collect();
        let wire = types
            .iter()
            .zip(&schema)
            .map(|(of, system)| PostgresTypePairs(of, system).into())
            .collect();
        Self {
            connection,
            names,
            schema,
            wire,
            query: None,
        }
    }
}

impl Source for OpenSource {
    const DATA_ORDERS: &'static [DataOrder] = &[DataOrder::RowMajor];
    type TypeSystem = PostgresTypeSystem;
    type Partition = PostgresSourcePartition<BinaryProtocol, MakeTlsConnector>;
    type Error = PostgresSourceError;

    fn set_data_order(&mut self, _order: DataOrder) -> Result<(), Self::Error> {
        Ok(())
    }

    fn set_queries<Q: ToString>(&mut self, queries: &[CXQuery<Q>]) {
        self.query = queries.first().map(|query| query.map(Q::to_string));
    }

    fn set_origin_query(&mut self, _query: Option<String>) {}

    fn fetch_metadata(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn result_rows(&mut self) -> Result<Option<usize>, Self::Error> {
        Ok(None)
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn schema(&self) -> Vec<Self::TypeSystem> {
        self.schema.clone()
    }

    /// One connection, one partition.
    fn partition(self) -> Result<Vec<Self::Partition>, Self::Error> {
        let partition = |query| PostgresSourcePartition::new(self.connection, &query, &self.schema, &self.wire);
        Ok(self.query.map(partition).into_iter().collect())
    }
}

/// Arrow batches of one fact, sent away as they fill.
pub(super) struct RowDestination {
    fact: Fact,
    schema: SchemaRef,
    keys: UserKeys,
    batch_rows: usize,
    batches: mpsc::Sender<RecordBatch>,
    values: Vec<ValueType>,
}

impl RowDestination {
    pub(super) fn new(
        fact: Fact,
        schema: SchemaRef,
        keys: UserKeys,
        batch_rows: usize,
        batches: mpsc::Sender<RecordBatch>,
    ) -> Self {
        Self {
            fact,
            schema,
            keys,
            batch_rows,
            batches,
            values: Vec::new(),
        }
    }
}

impl Destination for RowDestination {
    const DATA_ORDERS: &'static [DataOrder] = &[DataOrder::RowMajor];
    type TypeSystem = ValueType;
    type Partition<'a> = BatchWriter;
    type Error = BatchError;

    fn needs_count(&self) -> bool {
        false
    }

    fn allocate<S: AsRef<str>>(
        &mut self,
        _rows: usize,
        _names: &[S],
        values: &[ValueType],
        _order: DataOrder,
    ) -> Result<(), Self::Error> {
        self.values = values.to_vec();
        Ok(())
    }

    fn partition(&mut self, count: usize) -> Result<Vec<BatchWriter>, Self::Error> {
        let writer = || {
            BatchWriter::new(
                self.fact,
                Arc::clone(&self.schema),
                &self.keys,
                self.batch_rows,
                self.batches.clone(),
            )
        };
        Ok((0..count).map(|_| writer()).collect())
    }

    fn schema(&self) -> &[ValueType] {
        &self.values
    }
}
