//! ConnectorX's transport from PostgreSQL to a fact's batches: which type of the one becomes which value of the other.

use chrono::{DateTime, Utc};
use connectorx::data_order::DataOrder;
use connectorx::errors::ConnectorXError;
use connectorx::impl_transport;
use connectorx::prelude::Destination;
use connectorx::sources::postgres::PostgresTypeSystem;
use connectorx::typesystem::TypeConversion;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::batches::{BatchError, BatchWriter};
use super::copy::{CopyError, CopySource};
use super::value_type::ValueType;

/// PostgreSQL's types to values.
pub(super) struct FactTransport;

/// Where a transfer broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    #[error(transparent)]
    Source(#[from] CopyError),
    #[error(transparent)]
    Destination(#[from] BatchError),
    #[error(transparent)]
    ConnectorX(#[from] ConnectorXError),
}

impl_transport!(
    name = FactTransport,
    error = TransportError,
    systems = PostgresTypeSystem => ValueType,
    route = CopySource => RowDestination,
    mappings = {
        { UUID[Uuid]                 => Uuid[Uuid]             | conversion auto }
        { Text[&'r str]              => Text[&'r str]          | conversion auto }
        { VarChar[&'r str]           => Text[&'r str]          | conversion none }
        { BpChar[&'r str]            => Text[&'r str]          | conversion none }
        { Enum[&'r str]              => Text[&'r str]          | conversion none }
        { Numeric[Decimal]           => Decimal[Decimal]       | conversion auto }
        { TimestampTz[DateTime<Utc>] => Instant[DateTime<Utc>] | conversion auto }
        { Bool[bool]                 => Boolean[bool]          | conversion auto }
        { Int4[i32]                  => Integer[i32]           | conversion auto }
    }
);

/// Where the values go: one writer of batches.
pub(super) struct RowDestination {
    writer: Option<BatchWriter>,
    values: Vec<ValueType>,
}

impl RowDestination {
    pub(super) fn new(writer: BatchWriter) -> Self {
        Self {
            writer: Some(writer),
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
    ) -> Result<(), BatchError> {
        self.values = values.to_vec();
        Ok(())
    }

    /// A read is one query, and one partition.
    fn partition(&mut self, _count: usize) -> Result<Vec<BatchWriter>, BatchError> {
        Ok(self.writer.take().into_iter().collect())
    }

    fn schema(&self) -> &[ValueType] {
        &self.values
    }
}
