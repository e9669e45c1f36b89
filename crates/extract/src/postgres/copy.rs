//! A source for ConnectorX over a connection that has joined its snapshot: `COPY … TO STDOUT (FORMAT binary)`.
//!
//! ConnectorX's own source makes its connection itself, retries it for half a minute, leaves nothing to cancel it with,
//! and enters an async runtime anew for every row, a fifth of a read's time. This one takes the rows that have arrived
//! at once, from the same parser of the protocol, and gives up as soon as nobody wants them.

use connectorx::data_order::DataOrder;
use connectorx::errors::ConnectorXError;
use connectorx::prelude::{CXQuery, PartitionParser, Produce, Source, SourcePartition};
use connectorx::sources::postgres::{PostgresTypePairs, PostgresTypeSystem};
use connectorx::typesystem::TypeAssoc;
use futures::StreamExt;
use futures::stream::ReadyChunks;
use rust_decimal::Decimal;
use tokio::runtime::Runtime;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::types::{FromSql, Type, accepts};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The most rows taken at once; fewer arrive together.
const CHUNK: usize = 1024;

/// Where a copy broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    ConnectorX(#[from] ConnectorXError),
    /// Nobody wants the rows any more.
    #[error("cancelled")]
    Cancelled,
}

/// A connection inside its transaction, with the runtime that drives it, about to run one query of known columns.
pub(super) struct CopySource<'c> {
    pub(super) runtime: &'c Runtime,
    pub(super) client: &'c Client,
    pub(super) cancelled: &'c CancellationToken,
    /// Name and type of every column that will come. They have been held against the contract: ConnectorX panics at
    /// types that it does not know.
    pub(super) columns: Vec<(String, Type)>,
    pub(super) query: Option<String>,
}

/// The query's rows: one connection, one partition.
pub(super) struct CopyPartition<'c> {
    source: CopySource<'c>,
    query: String,
}

/// The rows that have arrived, and the way to more.
pub(super) struct CopyParser<'c> {
    runtime: &'c Runtime,
    cancelled: &'c CancellationToken,
    arriving: std::pin::Pin<Box<ReadyChunks<BinaryCopyOutStream>>>,
    rows: Vec<BinaryCopyOutRow>,
    columns: usize,
    /// The value to be parsed next.
    row: usize,
    column: usize,
}

impl<'c> Source for CopySource<'c> {
    const DATA_ORDERS: &'static [DataOrder] = &[DataOrder::RowMajor];
    type TypeSystem = PostgresTypeSystem;
    type Partition = CopyPartition<'c>;
    type Error = CopyError;

    fn set_data_order(&mut self, _order: DataOrder) -> Result<(), CopyError> {
        Ok(())
    }

    fn set_queries<Q: ToString>(&mut self, queries: &[CXQuery<Q>]) {
        self.query = queries.first().map(|query| query.map(Q::to_string).to_string());
    }

    fn set_origin_query(&mut self, _query: Option<String>) {}

    fn fetch_metadata(&mut self) -> Result<(), CopyError> {
        Ok(())
    }

    fn result_rows(&mut self) -> Result<Option<usize>, CopyError> {
        Ok(None)
    }

    fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    fn schema(&self) -> Vec<PostgresTypeSystem> {
        self.columns.iter().map(|(_, of)| PostgresTypeSystem::from(of)).collect()
    }

    fn partition(mut self) -> Result<Vec<CopyPartition<'c>>, CopyError> {
        let query = self.query.take();
        Ok(query.map(|query| CopyPartition { source: self, query }).into_iter().collect())
    }
}

impl<'c> SourcePartition for CopyPartition<'c> {
    type TypeSystem = PostgresTypeSystem;
    type Parser<'a>
        = CopyParser<'c>
    where
        Self: 'a;
    type Error = CopyError;

    fn result_rows(&mut self) -> Result<(), CopyError> {
        Ok(())
    }

    /// Begins the copy. The server answers before the first row is there.
    fn parser(&mut self) -> Result<CopyParser<'c>, CopyError> {
        let source = &self.source;
        let copy = format!("copy ({}) to stdout (format binary)", self.query);
        let stream = unless_cancelled(source.runtime, source.cancelled, source.client.copy_out(&copy))??;
        // Enums come as their labels, which ConnectorX reads as text.
        let wire = source.columns.iter().map(|(_, of)| PostgresTypePairs(of, &PostgresTypeSystem::from(of)).into());
        let rows = BinaryCopyOutStream::new(stream, &wire.collect::<Vec<Type>>());
        Ok(CopyParser {
            runtime: source.runtime,
            cancelled: source.cancelled,
            arriving: Box::pin(rows.ready_chunks(CHUNK)),
            rows: Vec::new(),
            columns: source.columns.len(),
            row: 0,
            column: 0,
        })
    }

    fn nrows(&self) -> usize {
        0
    }

    fn ncols(&self) -> usize {
        self.source.columns.len()
    }
}

impl<'a> PartitionParser<'a> for CopyParser<'_> {
    type TypeSystem = PostgresTypeSystem;
    type Error = CopyError;

    fn fetch_next(&mut self) -> Result<(usize, bool), CopyError> {
        let left = self.rows.len() - self.row;
        if left > 0 {
            return Ok((left, false));
        }
        let arrived = unless_cancelled(self.runtime, self.cancelled, self.arriving.next())?;
        let is_last = arrived.is_none();
        self.rows = arrived.unwrap_or_default().into_iter().collect::<Result<_, _>>()?;
        self.row = 0;
        Ok((self.rows.len(), is_last))
    }
}

impl CopyParser<'_> {
    fn value<'r, T: FromSql<'r>>(&'r mut self) -> Result<T, CopyError> {
        let (row, column) = (self.row, self.column);
        self.column += 1;
        if self.column == self.columns {
            (self.row, self.column) = (row + 1, 0);
        }
        Ok(self.rows[row].try_get(column)?)
    }
}

/// Waits for `work`, but not longer than somebody wants it.
fn unless_cancelled<T>(
    runtime: &Runtime,
    cancelled: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, CopyError> {
    runtime.block_on(cancelled.run_until_cancelled(work)).ok_or(CopyError::Cancelled)
}

/// An instant as PostgreSQL sends it: microseconds since 2000, with a value each for the two infinities.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant(pub(super) i64);

impl<'a> FromSql<'a> for Instant {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        i64::from_sql(of, raw).map(Self)
    }

    accepts!(TIMESTAMPTZ);
}

impl TypeAssoc<PostgresTypeSystem> for Instant {
    fn check(_system: PostgresTypeSystem) -> Result<(), ConnectorXError> {
        Ok(())
    }
}

impl TypeAssoc<PostgresTypeSystem> for Option<Instant> {
    fn check(_system: PostgresTypeSystem) -> Result<(), ConnectorXError> {
        Ok(())
    }
}

macro_rules! produce {
    ($($of:ty),+ $(,)?) => {$(
        impl<'r> Produce<'r, $of> for CopyParser<'_> {
            type Error = CopyError;

            fn produce(&'r mut self) -> Result<$of, CopyError> {
                self.value()
            }
        }

        impl<'r> Produce<'r, Option<$of>> for CopyParser<'_> {
            type Error = CopyError;

            fn produce(&'r mut self) -> Result<Option<$of>, CopyError> {
                self.value()
            }
        }
    )+};
}

produce!(Uuid, &'r str, Decimal, Instant, bool);
