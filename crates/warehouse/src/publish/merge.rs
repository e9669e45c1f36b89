//! Making staged rows stand in their table: what changed a closed day is noted, what vanished is deleted, what is new
//! or different is written, and what is equal is not touched.

use kindred_model::{Instant, Interval};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use uuid::Uuid;

use super::TableChange;
use crate::{Closed, ColumnType, SummaryTable, WarehouseError};

/// The temporary table that holds the rows which shall stand, shaped like their target.
pub(super) const STAGED: &str = "kindred_staged";

/// The temporary table of the days that were complete before the run.
const CLOSED_DAYS: &str = "kindred_closed_days";

/// Merges the staged rows into their table and drops them. Returns how many rows changed.
pub(super) async fn merge(
    connection: &mut PgConnection,
    change: &TableChange,
    run_id: Uuid,
    at: Instant,
) -> Result<u64, WarehouseError> {
    let sql = Merge { table: change.table };
    if let Some(closed) = sql.closed() {
        let revise = sqlx::query(AssertSqlSafe(sql.revise(&closed))).bind(at).bind(run_id);
        execute(connection, revise, "note what a run restates").await?;
    }
    let mut changed = 0;
    for interval in change.scope.intervals() {
        let mut vanish = sqlx::query(AssertSqlSafe(sql.vanish())).bind(at).bind(run_id);
        vanish = sql.bind_interval(vanish, interval);
        changed += execute(connection, vanish, "delete summary rows that vanished").await?;
    }
    let upsert = sqlx::query(AssertSqlSafe(sql.upsert()));
    changed += execute(connection, upsert, "write summary rows").await?;
    let drop = sqlx::query(AssertSqlSafe(format!("drop table {STAGED}")));
    execute(connection, drop, "clear staged rows").await?;
    Ok(changed)
}

async fn execute(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, PgArguments>,
    doing: &'static str,
) -> Result<u64, WarehouseError> {
    let done = query.execute(connection).await.map_err(WarehouseError::query(doing))?;
    Ok(done.rows_affected())
}

/// Notes which days were complete before anything of a run is written, for tables that do not say it themselves.
pub(super) async fn note_closed_days(connection: &mut PgConnection) -> Result<(), WarehouseError> {
    let sql = format!(
        "create temporary table {CLOSED_DAYS} on commit drop as
         select date from daily_kpi_summaries where not is_partial"
    );
    execute(connection, sqlx::query(AssertSqlSafe(sql)), "note the complete days").await?;
    Ok(())
}

/// The statements for one table. They name it and its columns only; values are bound.
struct Merge {
    table: &'static SummaryTable,
}

impl Merge {
    /// Whether the row `was` is final; nothing when none ever is.
    fn closed(&self) -> Option<String> {
        match self.table.closed {
            Closed::Complete => Some("not was.is_partial".to_owned()),
            Closed::Mature => Some("was.is_mature".to_owned()),
            Closed::WithItsDay => Some(format!(
                "was.{} in (select date from {CLOSED_DAYS})",
                quoted(self.table.day_column)
            )),
            Closed::Never => None,
        }
    }

    /// `$1` when, `$2` the run.
    fn revise(&self, closed: &str) -> String {
        format!(
            "insert into kpi_revisions (table_name, key, revised_at, before, after, run_id)
             select '{name}', {key}, $1, {before}, {after}, $2
             from {table} as was join {STAGED} as shall using ({columns})
             where {closed} and ({old}) is distinct from ({new})",
            name = self.table.name,
            key = self.key_text(),
            before = row("was"),
            after = row("shall"),
            table = quoted(self.table.name),
            columns = list(self.table.key.iter().map(|name| quoted(name))),
            old = self.figures("was"),
            new = self.figures("shall"),
        )
    }

    /// `$1` when, `$2` the run, `$3` and `$4` the ends of the interval.
    fn vanish(&self) -> String {
        let closed = self.closed().unwrap_or_else(|| "false".to_owned());
        format!(
            "with was as (
                 delete from {table} as gone
                 where gone.{day} >= $3 and gone.{day} < $4
                   and not exists (select from {STAGED} as shall where ({shall}) = ({gone}))
                 returning gone.*
             ), noted as (
                 insert into kpi_revisions (table_name, key, revised_at, before, after, run_id)
                 select '{name}', {key}, $1, {before}, null, $2 from was where {closed}
             )
             select from was",
            table = quoted(self.table.name),
            day = quoted(self.table.day_column),
            shall = self.key_of("shall"),
            gone = self.key_of("gone"),
            name = self.table.name,
            key = self.key_text(),
            before = row("was"),
        )
    }

    fn upsert(&self) -> String {
        let names = list(self.table.columns.iter().map(|column| quoted(column.name)));
        let written = self
            .table
            .columns
            .iter()
            .filter(|column| !self.table.key.contains(&column.name));
        format!(
            "insert into {table} as was ({names}) select {names} from {STAGED}
             on conflict ({key}) do update set {assignments}
             where ({old}) is distinct from ({new})",
            table = quoted(self.table.name),
            key = list(self.table.key.iter().map(|name| quoted(name))),
            assignments = list(written.map(|column| format!("{0} = excluded.{0}", quoted(column.name)))),
            old = self.figures("was"),
            new = self.figures("excluded"),
        )
    }

    /// Binds an interval's ends with the type of the table's day column.
    fn bind_interval<'q>(
        &self,
        query: Query<'q, Postgres, PgArguments>,
        interval: Interval,
    ) -> Query<'q, Postgres, PgArguments> {
        match self
            .table
            .column(self.table.day_column)
            .map(|column| column.column_type)
        {
            Some(ColumnType::Instant) => query.bind(interval.start()).bind(interval.end()),
            _ => query.bind(interval.days().from()).bind(interval.days().to()),
        }
    }

    fn figures(&self, of: &str) -> String {
        list(
            self.table
                .figures()
                .map(|column| format!("{of}.{}", quoted(column.name))),
        )
    }

    fn key_of(&self, of: &str) -> String {
        list(self.table.key.iter().map(|name| format!("{of}.{}", quoted(name))))
    }

    /// The key of the row `was` as one text: its columns joined by `/`.
    fn key_text(&self) -> String {
        let parts = self.table.key.iter().map(|name| {
            let column = quoted(name);
            match self.table.column(name).map(|column| column.column_type) {
                Some(ColumnType::Instant) => {
                    format!("to_char(was.{column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
                }
                Some(ColumnType::Date) => format!("to_char(was.{column}, 'YYYY-MM-DD')"),
                _ => format!("was.{column}"),
            }
        });
        format!("concat_ws('/', {})", list(parts))
    }
}

/// A row as JSON, without who wrote it.
fn row(of: &str) -> String {
    format!("to_jsonb({of}) - 'run_id' - 'computed_at'")
}

/// A name as SQL takes it, reserved words too (`returning` is one).
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The items joined by commas.
pub(super) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<T> = items.into_iter().collect();
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
