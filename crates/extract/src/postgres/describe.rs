//! Holds what a source returns against the contract, before a row is read.
//!
//! Runs inside the snapshot's transaction: the locks that describing a query takes are kept, so that no table can
//! change its columns until the snapshot is dropped. Each fact is described in a savepoint, so that all mistakes are
//! found at once.

use std::collections::BTreeSet;

use kindred_model::{Capture, Fact};
use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Client, Statement};

use super::Settings;
use crate::ExtractError;
use crate::contract::{Column, Content, MONEY, columns};
use crate::library::{changed_file, rows_file};
use crate::parameters::{Bound, render};

/// A fact that a source can give.
pub(super) struct Described {
    /// A hash of the names and types of all columns that the source returns.
    pub(super) fingerprint: String,
    /// Columns beyond the contract's, which are never read.
    pub(super) extras: Vec<ExtractError>,
}

/// Describes one fact's queries.
///
/// # Errors
/// Every mistake; or, alone, what kept the source from answering.
pub(super) async fn describe(client: &Client, settings: &Settings, fact: Fact) -> Result<Described, Vec<ExtractError>> {
    let control = async |sql: &str| {
        let done = client.batch_execute(sql).await;
        done.map_err(|error| vec![settings.query_failed(&format!("describing {fact}"), &error)])
    };
    control("savepoint fact").await?;
    let described = describe_in_savepoint(client, settings, fact).await;
    if described.is_err() && !client.is_closed() {
        control("rollback to savepoint fact").await?;
    }
    described
}

async fn describe_in_savepoint(
    client: &Client,
    settings: &Settings,
    fact: Fact,
) -> Result<Described, Vec<ExtractError>> {
    let queries = settings.queries_of(fact);
    let failed = |file: String, error: &tokio_postgres::Error| vec![settings.description_failed(fact, file, error)];

    let everything = rows_sql(&queries.rows, "*", Bound::Earliest, Bound::Latest);
    let statement = client
        .prepare(&everything)
        .await
        .map_err(|error| failed(rows_file(fact), &error))?;
    let (mistakes, extras) = compare(fact, &statement);
    if !mistakes.is_empty() {
        return Err(mistakes.into_iter().chain(extras).collect());
    }

    // Planning a query asks for the permissions that describing it does not.
    let explain = async |sql: &str, file: String| {
        let planned = client.simple_query(&format!("explain {sql}")).await;
        planned.map_err(|error| failed(file, &error))
    };
    explain(
        &read_sql(fact, &queries.rows, &[(Bound::Earliest, Bound::Latest)]),
        rows_file(fact),
    )
    .await?;
    if let Some(changed) = &queries.changed {
        let sql = changed_sql(changed, Bound::Latest);
        let statement = client
            .prepare(&sql)
            .await
            .map_err(|error| failed(changed_file(fact), &error))?;
        if statement
            .columns()
            .iter()
            .map(|column| column.type_().clone())
            .ne([Type::DATE])
        {
            return Err(vec![ExtractError::BrokenQuery {
                fact,
                file: changed_file(fact),
                reason: "it must return one column of type date".into(),
            }]);
        }
        explain(&sql, changed_file(fact)).await?;
    }
    Ok(Described {
        fingerprint: fingerprint(&statement),
        extras,
    })
}

/// The query that reads a fact: the contract's columns in its order, dates one after the other. Where the windows are
/// of arrivals, so is the order, for which the window's own index will do. Windows do not meet.
pub(super) fn read_sql(fact: Fact, rows: &str, windows: &[(Bound, Bound)]) -> String {
    let names = columns(fact)
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect::<Vec<_>>();
    let names = names.join(", ");
    let read: Vec<_> = windows
        .iter()
        .map(|(from, to)| rows_sql(rows, &names, *from, *to))
        .collect();
    let read = read.join("\nunion all\n");
    let order = match fact.capture() {
        Capture::Arrival => "received_at",
        Capture::UpdatedAt | Capture::LookBack { .. } => fact.partition_column(),
    };
    format!("{read} order by \"{order}\"")
}

/// A fact's query with its window, wrapped so that `select` decides what of it is read.
pub(super) fn rows_sql(rows: &str, select: &str, from: Bound, to: Bound) -> String {
    let rows = render(rows, &[("from", from), ("to", to)]);
    format!("select {select} from (\n{}\n) as fact", statement_of(&rows))
}

/// The query for the dates that changed.
pub(super) fn changed_sql(changed: &str, since: Bound) -> String {
    let changed = render(changed, &[("since", since)]);
    format!("select * from (\n{}\n) as changed", statement_of(&changed))
}

/// A query that can stand in brackets: without the semicolon that files like to end with.
fn statement_of(sql: &str) -> &str {
    sql.trim_end().trim_end_matches(';')
}

/// What is wrong with the columns of a query, and which ones are too many.
fn compare(fact: Fact, statement: &Statement) -> (Vec<ExtractError>, Vec<ExtractError>) {
    let file = || rows_file(fact);
    let mut left: Vec<_> = statement.columns().iter().collect();
    let mut mistakes = Vec::new();
    for Column { name, content, .. } in columns(fact) {
        let Some(place) = left.iter().position(|column| column.name() == *name) else {
            mistakes.push(ExtractError::MissingColumn {
                fact,
                column: (*name).to_owned(),
                expected: expected(*content),
                file: file(),
            });
            continue;
        };
        let column = left.remove(place);
        if !accepts(*content, column) {
            mistakes.push(ExtractError::RetypedColumn {
                fact,
                column: (*name).to_owned(),
                expected: expected(*content),
                actual: type_name(column),
                file: file(),
            });
        }
    }
    let extras = left.into_iter().map(|column| ExtractError::ExtraColumn {
        fact,
        column: column.name().to_owned(),
        actual: type_name(column),
        file: file(),
    });
    (mistakes, extras.collect())
}

/// Whether a column of the source can become this content without loss.
fn accepts(content: Content, column: &tokio_postgres::Column) -> bool {
    let of = column.type_();
    match content {
        Content::UserKey => matches!(*of, Type::UUID | Type::TEXT | Type::VARCHAR),
        Content::Id => *of == Type::UUID,
        Content::Text => {
            matches!(*of, Type::TEXT | Type::VARCHAR | Type::BPCHAR)
                || matches!(of.kind(), Kind::Enum(_))
                || of.name() == "citext"
        }
        Content::Instant => *of == Type::TIMESTAMPTZ,
        Content::Boolean => *of == Type::BOOL,
        Content::Integer => *of == Type::INT4,
        // Without a declared scale a value could have more decimals than the contract, and would be rounded.
        Content::Money => {
            *of == Type::NUMERIC
                && numeric_scale(column.type_modifier())
                    .is_some_and(|(_, scale)| (0..=i32::from(MONEY.1)).contains(&scale))
        }
    }
}

const fn expected(content: Content) -> &'static str {
    match content {
        Content::UserKey => "uuid or text",
        Content::Id => "uuid",
        Content::Text => "text",
        Content::Instant => "timestamptz",
        Content::Boolean => "boolean",
        Content::Integer => "integer",
        Content::Money => "numeric(12,2)",
    }
}

fn type_name(column: &tokio_postgres::Column) -> String {
    match (column.type_(), numeric_scale(column.type_modifier())) {
        (&Type::NUMERIC, Some((precision, scale))) => format!("numeric({precision},{scale})"),
        (of, _) => of.name().to_owned(),
    }
}

/// Precision and scale in a numeric's type modifier: `((precision << 16) | (scale & 0x7ff)) + 4`; -1 when undeclared.
fn numeric_scale(modifier: i32) -> Option<(i32, i32)> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    let scale = packed & 0x7ff;
    Some((packed >> 16, if scale > 0x3ff { scale - 0x800 } else { scale }))
}

/// A hash of a query's columns, whatever their order.
fn fingerprint(statement: &Statement) -> String {
    let columns: BTreeSet<_> = statement
        .columns()
        .iter()
        .map(|column| format!("{} {}\n", column.name(), type_name(column)))
        .collect();
    let mut hash = blake3::Hasher::new();
    for column in columns {
        hash.update(column.as_bytes());
    }
    hash.finalize().to_hex().to_string()
}

impl Settings {
    /// A query that the source refuses to describe breaks the contract; anything else is a failure like any other.
    fn description_failed(&self, fact: Fact, file: String, error: &tokio_postgres::Error) -> ExtractError {
        let code = error.code().map_or("", |code| code.code());
        match (code, self.query_failed(&format!("describing {fact}"), error)) {
            ("42501", ExtractError::Failed { reason, .. }) => ExtractError::Forbidden { fact, file, reason },
            // Syntax errors and unknown names, and what the query itself asks for in vain.
            (_, ExtractError::Failed { reason, .. })
                if ["42", "22", "0A", "3F"].iter().any(|class| code.starts_with(class)) =>
            {
                ExtractError::BrokenQuery { fact, file, reason }
            }
            (_, other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_modifier_gives_precision_and_scale() {
        assert_eq!(numeric_scale(((12 << 16) | 2) + 4), Some((12, 2)));
        assert_eq!(numeric_scale(((5 << 16) | (0x7ff & -3)) + 4), Some((5, -3)));
        assert_eq!(numeric_scale(-1), None);
    }

    #[test]
    fn a_final_semicolon_and_a_final_comment_do_not_break_the_bracket() {
        let sql = rows_sql("select 1 as a; \n", "a", Bound::Earliest, Bound::Latest);
        assert_eq!(sql, "select a from (\nselect 1 as a\n) as fact");
        assert!(rows_sql("select 1 -- one", "*", Bound::Earliest, Bound::Latest).contains("-- one\n) as fact"));
    }
}
