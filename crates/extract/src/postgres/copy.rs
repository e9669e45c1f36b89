//! A source for ConnectorX over a connection that has joined its snapshot: `COPY … TO STDOUT (FORMAT binary)`.
//!
//! ConnectorX's own source makes its connection itself, retries it for half a minute, leaves nothing to cancel it with,
//! and enters an async runtime anew for every row, a fifth of a read's time. This one takes the rows that have arrived
//! at once, and gives up as soon as nobody wants them.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connectorx::data_order::DataOrder;
use connectorx::errors::ConnectorXError;
use connectorx::prelude::{CXQuery, PartitionParser, Produce, Source, SourcePartition};
use connectorx::sources::postgres::PostgresTypeSystem;
use futures::StreamExt;
use futures::stream::ReadyChunks;
use rust_decimal::Decimal;
use tokio_postgres::CopyOutStream;
use tokio_postgres::types::{FromSql, Type, accepts};
use uuid::Uuid;

use super::binary::{BinaryRows, ValueError};
use super::link::Link;

/// The most rows taken at once; fewer arrive together.
const CHUNK: usize = 1024;

/// Where a copy broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    ConnectorX(#[from] ConnectorXError),
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The copy ended before its last row.
    #[error("the copy ended before its last row")]
    CutOff,
    /// Nobody wants the rows any more.
    #[error("cancelled")]
    Cancelled,
}

/// One query of known columns, about to be run.
pub(super) struct CopySource {
    link: Arc<Link>,
    columns: Vec<(String, Type)>,
    query: Option<String>,
}

impl CopySource {
    /// Name and type of every column have been held against the contract: ConnectorX panics at types that it does not
    /// know.
    pub(super) fn new(link: Arc<Link>, columns: Vec<(String, Type)>) -> Self {
        Self {
            link,
            columns,
            query: None,
        }
    }
}

/// The query's rows: one connection, one partition.
pub(super) struct CopyPartition {
    source: CopySource,
    query: String,
}

/// The rows that have arrived, and the way to more.
pub(super) struct CopyParser {
    link: Arc<Link>,
    arriving: Pin<Box<ReadyChunks<CopyOutStream>>>,
    rows: BinaryRows,
}

impl Source for CopySource {
    const DATA_ORDERS: &'static [DataOrder] = &[DataOrder::RowMajor];
    type TypeSystem = PostgresTypeSystem;
    type Partition = CopyPartition;
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
        self.columns
            .iter()
            .map(|(_, of)| PostgresTypeSystem::from(of))
            .collect()
    }

    fn partition(mut self) -> Result<Vec<CopyPartition>, CopyError> {
        let query = self.query.take();
        Ok(query
            .map(|query| CopyPartition { source: self, query })
            .into_iter()
            .collect())
    }
}

impl SourcePartition for CopyPartition {
    type TypeSystem = PostgresTypeSystem;
    type Parser<'a> = CopyParser;
    type Error = CopyError;

    fn result_rows(&mut self) -> Result<(), CopyError> {
        Ok(())
    }

    /// Begins the copy. The server answers before the first row is there.
    fn parser(&mut self) -> Result<CopyParser, CopyError> {
        let source = &self.source;
        let copy = format!("copy ({}) to stdout (format binary)", self.query);
        let stream = source
            .link
            .unless_cancelled(source.link.client.copy_out(&copy))
            .ok_or(CopyError::Cancelled)??;
        Ok(CopyParser {
            link: Arc::clone(&source.link),
            arriving: Box::pin(stream.ready_chunks(CHUNK)),
            rows: BinaryRows::new(source.columns.len()),
        })
    }

    fn nrows(&self) -> usize {
        0
    }

    fn ncols(&self) -> usize {
        self.source.columns.len()
    }
}

impl<'a> PartitionParser<'a> for CopyParser {
    type TypeSystem = PostgresTypeSystem;
    type Error = CopyError;

    fn fetch_next(&mut self) -> Result<(usize, bool), CopyError> {
        if self.rows.left() > 0 {
            return Ok((self.rows.left(), false));
        }
        let arrived = self
            .link
            .unless_cancelled(self.arriving.next())
            .ok_or(CopyError::Cancelled)?;
        let Some(arrived) = arrived else {
            return if self.rows.has_ended() {
                Ok((0, true))
            } else {
                Err(CopyError::CutOff)
            };
        };
        let messages = arrived.into_iter().collect::<Result<_, _>>()?;
        self.rows.take(messages).map_err(ValueError::from)?;
        Ok((self.rows.left(), false))
    }
}

/// ConnectorX asks for a Rust type by what the column was described as. All texts arrive alike: varchar, bpchar, and enums
/// by their labels.
macro_rules! produce {
    ($($of:ty => $wire:ident),+ $(,)?) => {$(
        impl<'r> Produce<'r, $of> for CopyParser {
            type Error = CopyError;

            fn produce(&'r mut self) -> Result<$of, CopyError> {
                Ok(self.rows.next(&Type::$wire)?)
            }
        }

        impl<'r> Produce<'r, Option<$of>> for CopyParser {
            type Error = CopyError;

            fn produce(&'r mut self) -> Result<Option<$of>, CopyError> {
                Ok(self.rows.next(&Type::$wire)?)
            }
        }
    )+};
}

produce! {
    Uuid => UUID,
    &'r str => TEXT,
    Decimal => NUMERIC,
    bool => BOOL,
    i32 => INT4,
}

impl<'r> Produce<'r, Option<DateTime<Utc>>> for CopyParser {
    type Error = CopyError;

    fn produce(&'r mut self) -> Result<Option<DateTime<Utc>>, CopyError> {
        Ok(self
            .rows
            .next::<Option<Instant>>(&Type::TIMESTAMPTZ)?
            .map(|instant| instant.0))
    }
}

impl<'r> Produce<'r, DateTime<Utc>> for CopyParser {
    type Error = CopyError;

    fn produce(&'r mut self) -> Result<DateTime<Utc>, CopyError> {
        Ok(self.rows.next::<Instant>(&Type::TIMESTAMPTZ)?.0)
    }
}

/// From 1970 to PostgreSQL's year zero, in microseconds.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// An instant as the server sends it. It is parsed in one step, where chrono's own way leads through calendar dates of
/// which nothing is kept: instants are a third of all values. An infinite one becomes the first or the last that there
/// is, as ConnectorX's own source has it.
struct Instant(DateTime<Utc>);

impl<'r> FromSql<'r> for Instant {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let instant = match i64::from_be_bytes(raw.try_into()?) {
            i64::MIN => Some(DateTime::<Utc>::MIN_UTC),
            i64::MAX => Some(DateTime::<Utc>::MAX_UTC),
            micros => micros
                .checked_add(POSTGRES_EPOCH)
                .and_then(DateTime::from_timestamp_micros),
        };
        instant.map(Self).ok_or_else(|| "value too large to decode".into())
    }

    accepts!(TIMESTAMPTZ);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_what_chrono_makes_of_the_same_bytes() {
        let day = 86_400_000_000_i64;
        for micros in [
            0,
            1,
            -1,
            999_999,
            -day,
            26 * 366 * day + 1,
            -200_000 * 365 * day,
            i64::MAX / 2,
            i64::MAX - 1,
        ] {
            let raw = micros.to_be_bytes();
            let ours = Instant::from_sql(&Type::TIMESTAMPTZ, &raw).map(|instant| instant.0);
            let theirs = DateTime::<Utc>::from_sql(&Type::TIMESTAMPTZ, &raw);
            assert_eq!(ours.ok(), theirs.ok(), "{micros} microseconds");
        }
        let raw = 26_i64.pow(7).to_be_bytes();
        let expected: DateTime<Utc> = "2000-01-01T02:13:51.810176Z".parse().unwrap();
        assert_eq!(Instant::from_sql(&Type::TIMESTAMPTZ, &raw).unwrap().0, expected);
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        assert!(Instant::from_sql(&Type::TIMESTAMPTZ, &[0; 7]).is_err());
        assert!(Instant::from_sql(&Type::TIMESTAMPTZ, &(i64::MAX - 1).to_be_bytes()).is_err());
        assert!(!Instant::accepts(&Type::TIMESTAMP));
    }
}
