//! Few rows, as arrays in one statement. COPY sends its rows and its end in two messages, and over TCP the second waits
//! until the server has acknowledged the first, which it puts off for 40 ms: longer than all else that most tables take.

use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options, concat_batches};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use uuid::Uuid;

use super::RowStream;
use super::merge::{list, quoted};
use crate::{SummaryTable, WarehouseError};

/// So many rows are few: the arrays of a wide table take a megabyte then.
const FEW: usize = 2_000;

/// Rows, by how they are best brought in.
pub(super) enum Amount {
    None,
    Few(RecordBatch),
    /// The first batch, and those after it.
    Many(RecordBatch, RowStream),
}

impl Amount {
    /// Reads rows until they are more than few.
    pub(super) async fn of(table: &'static SummaryTable, mut rows: RowStream) -> Result<Self, WarehouseError> {
        let unreadable = |source| WarehouseError::Rows {
            table: table.name,
            source,
        };
        let (mut read, mut count) = (Vec::new(), 0);
        while let Some(batch) = rows.try_next().await.map_err(unreadable)? {
            count += batch.num_rows();
            read.push(batch);
            if count > FEW {
                let first = read.remove(0);
                return Ok(Self::Many(
                    first,
                    stream::iter(read.into_iter().map(Ok)).chain(rows).boxed(),
                ));
            }
        }
        match read.first() {
            None => Ok(Self::None),
            Some(first) => {
                let rows = concat_batches(&first.schema(), &read);
                rows.map(Self::Few).map_err(|error| unreadable(error.into()))
            }
        }
    }
}

/// Inserts rows into the table `target`, which is `table` or shaped like it. Each value becomes of its column's type there.
pub(super) async fn insert(
    connection: &mut PgConnection,
    table: &'static SummaryTable,
    target: &str,
    rows: &RecordBatch,
) -> Result<u64, WarehouseError> {
    let (mut arrays, mut places) = (Vec::new(), Vec::new());
    for (column, place) in table.columns.iter().zip(1..) {
        let lacking = || ArrowError::SchemaError("there is no such column".to_owned());
        let values = rows.column_by_name(column.name).ok_or_else(lacking);
        let (values, array) = values.and_then(sendable).map_err(refused(table, column.name))?;
        arrays.push((column.name, values));
        places.push(format!("${place}::{array}[]"));
    }
    let names = list(table.columns.iter().map(|column| quoted(column.name)));
    let values = table
        .columns
        .iter()
        .map(|column| format!("{}::{}", quoted(column.name), column.column_type.sql()));
    let sql = format!(
        "insert into {} ({names}) select {} from unnest({}) as few ({names})",
        quoted(target),
        list(values),
        list(places)
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for (column, values) in &arrays {
        statement = bound(statement, values).map_err(refused(table, column))?;
    }
    let done = statement.execute(connection).await;
    let done = done.map_err(WarehouseError::query("take in summary rows"))?;
    Ok(done.rows_affected())
}

/// The values as one of the types that [`bound`] knows, and the name of that type in PostgreSQL. What has none goes as
/// text, and is read there: decimals keep all their digits.
fn sendable(values: &ArrayRef) -> Result<(ArrayRef, &'static str), ArrowError> {
    let (data_type, name) = match values.data_type() {
        DataType::Date32 => (DataType::Date32, "date"),
        DataType::Boolean => (DataType::Boolean, "boolean"),
        DataType::FixedSizeBinary(16) => (DataType::FixedSizeBinary(16), "uuid"),
        // Without a zone an instant is UTC too, as everywhere in this program.
        DataType::Timestamp(_, zone) => (
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
            "timestamp with time zone",
        ),
        number if number.is_integer() => (DataType::Int64, "bigint"),
        number if number.is_floating() => (DataType::Float64, "double precision"),
        _ => (DataType::Utf8, "text"),
    };
    // What does not fit is an error, and no null.
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok((cast_with_options(values, &data_type, &options)?, name))
}

/// The statement with an array more; an error for a date or an instant in a year that is not to be told.
fn bound<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    values: &ArrayRef,
) -> Result<Query<'q, Postgres, PgArguments>, ArrowError> {
    Ok(match values.data_type() {
        DataType::Date32 => {
            let days = values.as_primitive::<Date32Type>();
            statement.bind(told(days.iter(), Date32Type::to_naive_date_opt)?)
        }
        DataType::Boolean => statement.bind(values.as_boolean().iter().collect::<Vec<_>>()),
        DataType::FixedSizeBinary(_) => {
            let ids = values.as_fixed_size_binary();
            statement.bind(told(ids.iter(), |id| Uuid::from_slice(id).ok())?)
        }
        DataType::Timestamp(..) => {
            let instants = values.as_primitive::<TimestampMicrosecondType>();
            statement.bind(told(instants.iter(), DateTime::<Utc>::from_timestamp_micros)?)
        }
        DataType::Int64 => statement.bind(values.as_primitive::<Int64Type>().iter().collect::<Vec<_>>()),
        DataType::Float64 => statement.bind(values.as_primitive::<Float64Type>().iter().collect::<Vec<_>>()),
        _ => {
            let texts = values.as_string::<i32>().iter();
            statement.bind(texts.map(|text| text.map(str::to_owned)).collect::<Vec<_>>())
        }
    })
}

/// The values as `tell` has them. A null stays one, but what cannot be told is an error, and does not become one.
fn told<T: Copy + Debug, U>(
    values: impl Iterator<Item = Option<T>>,
    tell: impl Fn(T) -> Option<U>,
) -> Result<Vec<Option<U>>, ArrowError> {
    let beyond = |value| ArrowError::CastError(format!("{value:?} is beyond what can be sent"));
    values
        .map(|value| value.map(|value| tell(value).ok_or_else(|| beyond(value))).transpose())
        .collect()
}

fn refused(table: &'static SummaryTable, column: &'static str) -> impl FnOnce(ArrowError) -> WarehouseError {
    move |error| WarehouseError::Encode {
        table: table.name,
        source: format!("column {column}: {error}").into(),
    }
}
