//! One source database, fed with rows that are new or have changed.

use bytes::BytesMut;
use kindred_model::Instant;
use sqlx::AssertSqlSafe;

use crate::database::Database;
use crate::rows::{self, Row, Table};
use crate::{SimulatorError, record};

/// A connection with a temporary table beside each table, which takes the rows before they are merged.
pub(super) struct Feed(Database);

impl Feed {
    pub(super) async fn new(mut database: Database) -> Result<Self, SimulatorError> {
        for table in Table::of(database.source()) {
            let (name, copied) = (table.name(), copied(table));
            let create = format!("create temporary table {copied} (like {name}) on commit delete rows");
            database.execute(AssertSqlSafe(create)).await?;
        }
        Ok(Self(database))
    }

    /// Writes this database's rows among those told, in one transaction; those told late as noted at that instant.
    pub(super) async fn write(
        &mut self,
        told: &[Row],
        noted_at: Option<Instant>,
        until: Instant,
    ) -> Result<(), SimulatorError> {
        let database = &mut self.0;
        let source = database.source();
        let keeps_record = source == record::KEPT_IN;
        if !keeps_record && told.iter().all(|row| row.table().source() != source) {
            return Ok(());
        }
        database.execute("begin").await?;
        for table in Table::of(source) {
            if let Some(bytes) = encoded(table, told, noted_at) {
                database.copy(table, &copied(table), &bytes).await?;
                database.execute(AssertSqlSafe(merge(table))).await?;
            }
        }
        if keeps_record {
            let noted = record::told(database.connection(), until).await;
            noted.map_err(|error| database.failure(error))?;
        }
        database.execute("commit").await
    }
}

/// The temporary table's name.
fn copied(table: Table) -> String {
    format!("told_{}", table.name())
}

/// The rows of one table as a COPY stream; none when there are none.
fn encoded(table: Table, told: &[Row], noted_at: Option<Instant>) -> Option<BytesMut> {
    let mut of_table = told.iter().filter(|row| row.table() == table).peekable();
    of_table.peek()?;
    let mut bytes = BytesMut::new();
    rows::begin(&mut bytes);
    for row in of_table {
        let mut row = row.clone();
        if let (Some(column), Some(noted_at)) = (row.noted_at(), noted_at) {
            *column = noted_at;
        }
        row.encode(&mut bytes);
    }
    rows::end(&mut bytes);
    Some(bytes)
}

/// Puts the rows in, in place of those with their keys.
fn merge(table: Table) -> String {
    let (name, copied) = (table.name(), copied(table));
    let columns = table.columns();
    let all = columns.join(", ");
    let replace = columns[1..]
        .iter()
        .map(|column| format!("{column} = excluded.{column}"));
    let replace = replace.collect::<Vec<_>>().join(", ");
    let key = columns[0];
    format!("insert into {name} ({all}) select {all} from {copied} on conflict ({key}) do update set {replace}")
}
