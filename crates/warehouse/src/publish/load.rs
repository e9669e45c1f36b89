//! Bringing Arrow rows into the transaction: into a temporary table shaped like their target, where they are rows like any
//! others, and a missing figure is refused. Few go in one statement, others by COPY BINARY; of the latter, rows of other
//! types than the target's make a detour by a table shaped like themselves, and are cast.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use bytes::BytesMut;
use chrono::NaiveDate;
use futures::TryStreamExt;
use pgpq::ArrowToPostgresBinaryEncoder;
use sqlx::{AssertSqlSafe, PgConnection};

use super::event_days;
use super::few::{self, Amount};
use super::merge::{STAGED, list, quoted};
use super::{RowStream, TableChange};
use crate::error::Cause;
use crate::{ColumnType, SummaryTable, WarehouseError};

/// The temporary table shaped like the Arrow rows.
const INCOMING: &str = "kindred_incoming";

/// Where an append that meets a row goes back to.
const APPENDING: &str = "kindred_appending";

/// The bytes gathered before they are sent: large enough for few messages, small beside a batch.
const SEND_BYTES: usize = 1 << 20;

/// Leaves the change's rows in the temporary table [`STAGED`].
pub(super) async fn stage(connection: &mut PgConnection, change: &TableChange) -> Result<(), WarehouseError> {
    let table = change.table;
    let create = format!(
        "create temporary table {STAGED} (like {}) on commit drop",
        quoted(table.name)
    );
    run(connection, create).await?;
    let (first, rows) = match Amount::of(table, change.rows.read()).await? {
        Amount::None => return Ok(()),
        Amount::Few(rows) => {
            check_columns(table, &rows.schema())?;
            few::insert(connection, table, STAGED, &rows).await?;
            return Ok(());
        }
        Amount::Many(first, rows) => (first, rows),
    };
    check_columns(table, &first.schema())?;
    if is_of_the_target(table, &first.schema()) {
        copy(connection, table, STAGED, first, rows).await?;
        return Ok(());
    }
    create_incoming(connection, table, &first.schema()).await?;
    copy(connection, table, INCOMING, first, rows).await?;

    let names = list(table.columns.iter().map(|column| quoted(column.name)));
    let casts = list(
        table
            .columns
            .iter()
            .map(|column| format!("{}::{}", quoted(column.name), column.column_type.sql())),
    );
    run(
        connection,
        format!("insert into {STAGED} ({names}) select {casts} from {INCOMING}"),
    )
    .await?;
    run(connection, format!("drop table {INCOMING}")).await
}

/// Writes the change's rows into its table, when none of the table stand where they shall, and no cast is needed. Returns
/// how many there are; none when they have to be merged.
pub(super) async fn append(connection: &mut PgConnection, change: &TableChange) -> Result<Option<u64>, WarehouseError> {
    let table = change.table;
    // Money is always cast.
    let is_cast = table
        .columns
        .iter()
        .any(|column| column.column_type == ColumnType::Numeric);
    if is_cast || !is_free(connection, change).await? {
        return Ok(None);
    }
    let (first, rows) = match Amount::of(table, change.rows.read()).await? {
        Amount::None => return Ok(Some(0)),
        // They are soon merged.
        Amount::Few(_) => return Ok(None),
        Amount::Many(first, rows) => (first, rows),
    };
    check_columns(table, &first.schema())?;
    if !is_of_the_target(table, &first.schema()) {
        return Ok(None);
    }
    // Should a row stand outside of the scope after all, merging knows what to do.
    run(connection, format!("savepoint {APPENDING}")).await?;
    let copied = copy(connection, table, table.name, first, rows).await;
    kept_unless_displaced(connection, copied).await
}

/// Makes the new `days` of the events' table. When the change's rows are many, and of these days alone, they are in them
/// then, and their number is returned; otherwise the days are empty.
pub(super) async fn fill(
    connection: &mut PgConnection,
    change: &TableChange,
    days: &BTreeSet<NaiveDate>,
) -> Result<Option<u64>, WarehouseError> {
    let table = change.table;
    let mut written = None;
    let asked = change.scope.intervals();
    let mut asked = asked.iter().flat_map(|interval| interval.days().days());
    if !days.is_empty()
        && asked.all(|day| days.contains(&day))
        && let Amount::Many(first, rows) = Amount::of(table, change.rows.read()).await?
        && is_of_the_target(table, &first.schema())
    {
        check_columns(table, &first.schema())?;
        run(connection, format!("savepoint {APPENDING}")).await?;
        event_days::gather(connection, days).await?;
        let filled = match copy(connection, table, event_days::NEW_DAYS, first, rows).await {
            Ok(rows) => event_days::hand_over(connection, days).await.map(|()| rows),
            Err(error) => Err(error),
        };
        written = kept_unless_displaced(connection, filled).await?;
    }
    if written.is_none() {
        event_days::create(connection, days).await?;
    }
    Ok(written)
}

/// Keeps what was done since the savepoint; takes it back, and returns none, when a row has met another one, or has no
/// place.
async fn kept_unless_displaced(
    connection: &mut PgConnection,
    done: Result<u64, WarehouseError>,
) -> Result<Option<u64>, WarehouseError> {
    match done {
        Ok(rows) => {
            run(connection, format!("release savepoint {APPENDING}")).await?;
            Ok(Some(rows))
        }
        Err(error) if is_displaced(&error) => {
            run(connection, format!("rollback to savepoint {APPENDING}")).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn is_displaced(error: &WarehouseError) -> bool {
    let WarehouseError::Query {
        source: Cause(sqlx::Error::Database(answer)),
        ..
    } = error
    else {
        return false;
    };
    answer.is_unique_violation() || answer.is_check_violation()
}

/// Whether the table has no row in the change's scope.
async fn is_free(connection: &mut PgConnection, change: &TableChange) -> Result<bool, WarehouseError> {
    let (table, intervals) = (change.table, change.scope.intervals());
    let day = quoted(table.day_column);
    let sql = format!(
        "select exists (select from {} where {day} >= $1 and {day} < $2)",
        quoted(table.name)
    );
    for interval in &intervals {
        let asked = sqlx::query_scalar(AssertSqlSafe(sql.clone()));
        let asked = match table.column(table.day_column).map(|column| column.column_type) {
            Some(ColumnType::Instant) => asked.bind(interval.start()).bind(interval.end()),
            _ => asked.bind(interval.days().from()).bind(interval.days().to()),
        };
        let stands: bool = asked.fetch_one(&mut *connection).await.map_err(copying)?;
        if stands {
            return Ok(false);
        }
    }
    Ok(!intervals.is_empty())
}

/// Whether the rows' bytes are those of their table's columns.
fn is_of_the_target(table: &'static SummaryTable, schema: &Schema) -> bool {
    table.columns.iter().all(|column| {
        let found = schema.field_with_name(column.name).map(Field::data_type);
        match column.column_type {
            ColumnType::Date => matches!(found, Ok(DataType::Date32)),
            ColumnType::Text | ColumnType::Json => matches!(found, Ok(DataType::Utf8)),
            ColumnType::BigInt => matches!(found, Ok(DataType::Int64)),
            ColumnType::Double => matches!(found, Ok(DataType::Float64)),
            ColumnType::Boolean => matches!(found, Ok(DataType::Boolean)),
            ColumnType::Instant => matches!(found, Ok(DataType::Timestamp(TimeUnit::Microsecond, _))),
            ColumnType::Uuid => matches!(found, Ok(DataType::FixedSizeBinary(16))),
            // Money comes as a decimal or a float, and is neither on the wire.
            ColumnType::Numeric => false,
        }
    })
}

async fn next(table: &'static SummaryTable, rows: &mut RowStream) -> Result<Option<RecordBatch>, WarehouseError> {
    let batch = rows.try_next().await;
    batch.map_err(|source| WarehouseError::Rows {
        table: table.name,
        source,
    })
}

/// The rows must have exactly the table's columns: one that is left out would silently become null.
fn check_columns(table: &'static SummaryTable, schema: &Schema) -> Result<(), WarehouseError> {
    let lacking = table
        .columns
        .iter()
        .map(|column| column.name)
        .filter(|name| schema.field_with_name(name).is_err());
    let missing = list(lacking);
    let unknown = list(
        schema
            .fields()
            .iter()
            .map(|field| field.name())
            .filter(|name| table.column(name).is_none()),
    );
    if missing.is_empty() && unknown.is_empty() {
        Ok(())
    } else {
        Err(WarehouseError::Columns {
            table: table.name,
            missing,
            unknown,
        })
    }
}

/// A temporary table whose columns are the rows' own.
async fn create_incoming(
    connection: &mut PgConnection,
    table: &'static SummaryTable,
    schema: &Schema,
) -> Result<(), WarehouseError> {
    let encoder = encoder(table, schema)?;
    let columns = schema.fields().iter().zip(encoder.schema().columns);
    let columns = columns.map(|(field, column)| {
        let fallback = column.data_type.name().unwrap_or_default();
        format!("{} {}", quoted(&column.name), copied_as(field).unwrap_or(&fallback))
    });
    let columns = list(columns);
    run(
        connection,
        format!("create temporary table {INCOMING} ({columns}) on commit drop"),
    )
    .await
}

fn encoder(table: &'static SummaryTable, schema: &Schema) -> Result<ArrowToPostgresBinaryEncoder, WarehouseError> {
    ArrowToPostgresBinaryEncoder::try_new(schema).map_err(|error| WarehouseError::Encode {
        table: table.name,
        source: error.into(),
    })
}

/// Copies rows into the table `target`. Returns how many there were.
async fn copy(
    connection: &mut PgConnection,
    table: &'static SummaryTable,
    target: &str,
    first: RecordBatch,
    mut rows: RowStream,
) -> Result<u64, WarehouseError> {
    let schema = first.schema();
    let encode = |error: pgpq::error::ErrorKind| WarehouseError::Encode {
        table: table.name,
        source: error.into(),
    };
    let mut encoder = encoder(table, &schema)?;
    let names = list(schema.fields().iter().map(|field| quoted(field.name())));
    let statement = format!("copy {} ({names}) from stdin (format binary)", quoted(target));
    let mut sink = connection.copy_in_raw(&statement).await.map_err(copying)?;
    let mut buffer = BytesMut::new();
    encoder.write_header(&mut buffer).map_err(encode)?;
    let mut batch = Some(first);
    while let Some(rows_of_batch) = batch {
        let rows_of_batch = match target {
            INCOMING => rows_of_batch,
            _ => with_json_as_sent(table, rows_of_batch).map_err(|error| WarehouseError::Encode {
                table: table.name,
                source: error.into(),
            })?,
        };
        encoder.write_batch(&rows_of_batch, &mut buffer).map_err(encode)?;
        if buffer.len() >= SEND_BYTES {
            sink.send(buffer.split()).await.map_err(copying)?;
        }
        batch = next(table, &mut rows).await?;
    }
    encoder.write_footer(&mut buffer).map_err(encode)?;
    sink.send(buffer).await.map_err(copying)?;
    sink.finish().await.map_err(copying)
}

/// The rows with their JSON as PostgreSQL sends `jsonb`: a byte that names the version, then the text.
fn with_json_as_sent(table: &'static SummaryTable, rows: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (schema, mut columns, _) = rows.into_parts();
    for (field, column) in schema.fields().iter().zip(&mut columns) {
        if table.column(field.name()).map(|column| column.column_type) == Some(ColumnType::Json) {
            let texts = column.as_string_opt::<i32>();
            let texts = texts.ok_or_else(|| ArrowError::SchemaError(format!("{} is no text", field.name())))?;
            let sent = texts.iter().map(|text| text.map(|text| format!("\u{1}{text}")));
            *column = Arc::new(sent.collect::<StringArray>());
        }
    }
    RecordBatch::try_new(schema, columns)
}

/// Where the bytes that the encoder writes are, in PostgreSQL, those of a better type than the one that it names.
fn copied_as(field: &Field) -> Option<&'static str> {
    match field.data_type() {
        DataType::FixedSizeBinary(16) => Some("uuid"),
        // Without a zone an instant is UTC too, as everywhere in this program.
        DataType::Timestamp(..) => Some("timestamp with time zone"),
        _ => None,
    }
}

fn copying(source: sqlx::Error) -> WarehouseError {
    WarehouseError::query("take in summary rows")(source)
}

/// Runs a statement built from the static tables' names alone.
async fn run(connection: &mut PgConnection, statement: String) -> Result<(), WarehouseError> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map_err(copying)?;
    Ok(())
}
