//! Bringing Arrow rows into the transaction: COPY BINARY into a temporary table shaped like the rows, then, with
//! casts, into one shaped like their target. There they are rows like any others, and a missing figure is refused.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use bytes::BytesMut;
use futures::TryStreamExt;
use pgpq::ArrowToPostgresBinaryEncoder;
use sqlx::{AssertSqlSafe, PgConnection};

use super::merge::{STAGED, list, quoted};
use super::{RowStream, TableChange};
use crate::{SummaryTable, WarehouseError};

/// The temporary table shaped like the Arrow rows.
const INCOMING: &str = "kindred_incoming";

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
    let mut rows = change.rows.read();
    let Some(first) = next(table, &mut rows).await? else {
        return Ok(());
    };
    check_columns(table, &first.schema())?;
    copy(connection, table, first, rows).await?;

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

async fn copy(
    connection: &mut PgConnection,
    table: &'static SummaryTable,
    first: RecordBatch,
    mut rows: RowStream,
) -> Result<(), WarehouseError> {
    let schema = first.schema();
    let encode = |source| WarehouseError::Encode {
        table: table.name,
        source,
    };
    let mut encoder = ArrowToPostgresBinaryEncoder::try_new(&schema).map_err(encode)?;
    let columns = schema
        .fields()
        .iter()
        .zip(encoder.schema().columns)
        .map(|(field, column)| {
            let fallback = column.data_type.name().unwrap_or_default();
            format!("{} {}", quoted(&column.name), copied_as(field).unwrap_or(&fallback))
        });
    run(
        connection,
        format!("create temporary table {INCOMING} ({}) on commit drop", list(columns)),
    )
    .await?;

    let names = list(schema.fields().iter().map(|field| quoted(field.name())));
    let statement = format!("copy {INCOMING} ({names}) from stdin (format binary)");
    let mut sink = connection.copy_in_raw(&statement).await.map_err(copying)?;
    let mut buffer = BytesMut::new();
    encoder.write_header(&mut buffer).map_err(encode)?;
    let mut batch = Some(first);
    while let Some(rows_of_batch) = batch {
        encoder.write_batch(&rows_of_batch, &mut buffer).map_err(encode)?;
        if buffer.len() >= SEND_BYTES {
            sink.send(buffer.split()).await.map_err(copying)?;
        }
        batch = next(table, &mut rows).await?;
    }
    encoder.write_footer(&mut buffer).map_err(encode)?;
    sink.send(buffer).await.map_err(copying)?;
    sink.finish().await.map_err(copying)?;
    Ok(())
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
