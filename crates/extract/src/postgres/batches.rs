//! Builds a fact's batches, value by value, in the order in which ConnectorX parses them.
//!
//! A user id becomes its key here, before it is stored anywhere. What the contract has no place for (an infinite instant,
//! too many decimals) stops the read instead of being rounded into place; a row with a null where none may be is set aside
//! and counted. A text that no index of the warehouse holds is cut, and that is logged: apps write some of these texts, and
//! none of them shall stop a night's run.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal128Builder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use connectorx::errors::ConnectorXError;
use connectorx::prelude::{Consume, DestinationPartition};
use kindred_model::Fact;
use rust_decimal::Decimal;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::nulls::{Nulls, Whole};
use super::value_type::ValueType;
use crate::UserKeys;
use crate::contract::{Content, MONEY, columns};

/// Bytes that a text of these facts has, more than less: platforms, versions, countries, plans.
const TYPICAL_TEXT: usize = 8;

/// Bytes that a text may have. Of longer ones the beginning is kept.
const LONGEST_TEXT: usize = 512;

/// Why a value or a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchError {
    /// A value that the contract has no place for, in the column of that index.
    #[error("column {column}: {problem}")]
    Value { column: usize, problem: String },
    /// Nobody reads the batches any more.
    #[error("nobody reads the batches")]
    Unwanted,
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error(transparent)]
    ConnectorX(#[from] ConnectorXError),
}

/// A value, as ConnectorX parses it.
enum Value<'a> {
    Uuid(Uuid),
    Text(&'a str),
    Decimal(Decimal),
    Instant(DateTime<Utc>),
    Boolean(bool),
    Integer(i32),
}

/// What a column makes of its values.
enum Builder {
    UserKey(Int64Builder, UserKeys),
    Id(FixedSizeBinaryBuilder),
    Text(StringBuilder),
    /// A text of a few words, and how many were longer.
    ShortText(StringBuilder, u64),
    Money(Decimal128Builder),
    Instant(TimestampMicrosecondBuilder),
    Boolean(BooleanBuilder),
    Integer(Int32Builder),
}

struct ColumnWriter {
    name: &'static str,
    builder: Builder,
    nullable: bool,
}

/// Fills batches row by row and sends each away when it is full; waits while the reader is behind.
pub(super) struct BatchWriter {
    fact: Fact,
    schema: SchemaRef,
    columns: Vec<ColumnWriter>,
    /// The column that the next value belongs to.
    next: usize,
    rows: usize,
    batch_rows: usize,
    batches: mpsc::Sender<RecordBatch>,
    whole: Whole,
    nulls: Arc<Mutex<Nulls>>,
}

impl BatchWriter {
    pub(super) fn new(
        fact: Fact,
        schema: SchemaRef,
        keys: &UserKeys,
        batch_rows: usize,
        batches: mpsc::Sender<RecordBatch>,
        nulls: Arc<Mutex<Nulls>>,
    ) -> Self {
        let columns = columns(fact).iter().map(|column| ColumnWriter {
            name: column.name,
            builder: Builder::new(fact, column.content, keys, batch_rows),
            nullable: column.nullable,
        });
        Self {
            whole: Whole::new(),
            nulls,
            fact,
            schema,
            columns: columns.collect(),
            next: 0,
            rows: 0,
            batch_rows,
            batches,
        }
    }

    fn put(&mut self, value: Option<Value<'_>>) -> Result<(), BatchError> {
        let column = self.next;
        let writer = &mut self.columns[column];
        if value.is_none() && !writer.nullable {
            self.whole.lack(writer.name);
        }
        writer
            .append(value)
            .map_err(|problem| BatchError::Value { column, problem })?;
        self.next += 1;
        if self.next == self.columns.len() {
            self.whole.end_row();
            self.next = 0;
            self.rows += 1;
            if self.rows == self.batch_rows {
                self.send()?;
            }
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), BatchError> {
        let arrays = self.columns.iter_mut().map(|column| column.builder.finish()).collect();
        let mut nulls = self.nulls.lock().unwrap_or_else(PoisonError::into_inner);
        let arrays = self.whole.keep(arrays, &mut nulls)?;
        drop(nulls);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)?;
        self.rows = 0;
        self.batches.blocking_send(batch).map_err(|_| BatchError::Unwanted)
    }
}

impl DestinationPartition<'_> for BatchWriter {
    type TypeSystem = ValueType;
    type Error = BatchError;

    fn ncols(&self) -> usize {
        self.columns.len()
    }

    fn finalize(&mut self) -> Result<(), BatchError> {
        for (column, writer) in columns(self.fact).iter().zip(&self.columns) {
            if let Builder::ShortText(_, cut @ 1..) = writer.builder {
                let (fact, column) = (self.fact, column.name);
                tracing::warn!(%fact, column, rows = cut, "texts of more than {LONGEST_TEXT} bytes were cut to their beginning");
            }
        }
        if self.rows > 0 { self.send() } else { Ok(()) }
    }

    fn aquire_row(&mut self, rows: usize) -> Result<usize, BatchError> {
        Ok(rows)
    }
}

impl ColumnWriter {
    fn append(&mut self, value: Option<Value<'_>>) -> Result<(), String> {
        let Some(value) = value else {
            self.builder.append_null();
            return Ok(());
        };
        match (&mut self.builder, value) {
            (Builder::UserKey(keys, of), Value::Uuid(id)) => keys.append_value(of.of_uuid(&id)),
            (Builder::UserKey(keys, of), Value::Text(id)) => keys.append_value(of.of_id(id)),
            (Builder::Id(ids), Value::Uuid(id)) => ids.append_value(id.as_bytes()).expect("a uuid has 16 bytes"),
            (Builder::Text(texts), Value::Text(text)) => texts.append_value(text),
            (Builder::ShortText(texts, cut), Value::Text(text)) => {
                let beginning = &text[..text.floor_char_boundary(LONGEST_TEXT)];
                *cut += u64::from(beginning.len() < text.len());
                texts.append_value(beginning);
            }
            (Builder::Money(amounts), Value::Decimal(amount)) => amounts.append_value(cents(amount)?),
            (Builder::Instant(instants), Value::Instant(instant)) => instants.append_value(micros(instant)?),
            (Builder::Boolean(flags), Value::Boolean(flag)) => flags.append_value(flag),
            (Builder::Integer(numbers), Value::Integer(number)) => numbers.append_value(number),
            _ => return Err("its type changed while it was read".into()),
        }
        Ok(())
    }
}

impl Builder {
    /// A builder with room for `rows`. Events, whose properties are a text too, are judged where all their sources meet.
    fn new(fact: Fact, content: Content, keys: &UserKeys, rows: usize) -> Self {
        match content {
            Content::UserKey => Self::UserKey(Int64Builder::with_capacity(rows), keys.clone()),
            Content::Id => Self::Id(FixedSizeBinaryBuilder::with_capacity(rows, 16)),
            Content::Text => {
                let texts = StringBuilder::with_capacity(rows, rows * TYPICAL_TEXT);
                match fact {
                    Fact::Events => Self::Text(texts),
                    _ => Self::ShortText(texts, 0),
                }
            }
            Content::Money => {
                let money = DataType::Decimal128(MONEY.0, MONEY.1);
                Self::Money(Decimal128Builder::with_capacity(rows).with_data_type(money))
            }
            Content::Instant => Self::Instant(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC")),
            Content::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            Content::Integer => Self::Integer(Int32Builder::with_capacity(rows)),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::UserKey(keys, _) => keys.append_null(),
            Self::Id(ids) => ids.append_null(),
            Self::Text(texts) | Self::ShortText(texts, _) => texts.append_null(),
            Self::Money(amounts) => amounts.append_null(),
            Self::Instant(instants) => instants.append_null(),
            Self::Boolean(flags) => flags.append_null(),
            Self::Integer(numbers) => numbers.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::UserKey(keys, _) => Arc::new(keys.finish()),
            Self::Id(ids) => Arc::new(ids.finish()),
            Self::Text(texts) | Self::ShortText(texts, _) => Arc::new(texts.finish()),
            Self::Money(amounts) => Arc::new(amounts.finish()),
            Self::Instant(instants) => Arc::new(instants.finish()),
            Self::Boolean(flags) => Arc::new(flags.finish()),
            Self::Integer(numbers) => Arc::new(numbers.finish()),
        }
    }
}

/// An amount in hundredths.
fn cents(mut amount: Decimal) -> Result<i128, String> {
    let (digits, scale) = MONEY;
    let exact = amount;
    amount.rescale(u32::from(scale.unsigned_abs()));
    if amount != exact {
        return Err(format!("an amount has more than {scale} decimals"));
    }
    let cents = amount.mantissa();
    if cents.unsigned_abs() >= 10_u128.pow(u32::from(digits)) {
        return Err(format!("an amount has more than {digits} digits"));
    }
    Ok(cents)
}

/// An instant in microseconds since 1970.
fn micros(instant: DateTime<Utc>) -> Result<i64, String> {
    if instant == DateTime::<Utc>::MAX_UTC || instant == DateTime::<Utc>::MIN_UTC {
        return Err("an instant is infinite; use null for what has not happened".into());
    }
    Ok(instant.timestamp_micros())
}

/// Takes a type, null or not, as a variant of `Value`.
macro_rules! consume {
    ($($of:ty => $variant:ident),+ $(,)?) => {$(
        impl Consume<Option<$of>> for BatchWriter {
            type Error = BatchError;

            fn consume(&mut self, value: Option<$of>) -> Result<(), BatchError> {
                self.put(value.map(Value::$variant))
            }
        }

        impl Consume<$of> for BatchWriter {
            type Error = BatchError;

            fn consume(&mut self, value: $of) -> Result<(), BatchError> {
                self.put(Some(Value::$variant(value)))
            }
        }
    )+};
}

consume! {
    Uuid => Uuid,
    &str => Text,
    Decimal => Decimal,
    DateTime<Utc> => Instant,
    bool => Boolean,
    i32 => Integer,
}
