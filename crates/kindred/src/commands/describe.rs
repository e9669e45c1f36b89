//! `kindred describe [TABLE]`. It needs no settings: what the lake holds is the same everywhere.

use std::fmt::Write as _;
use std::io::Write as _;

use kindred_jobs::catalog::{Table, TableKind, catalog};

use crate::exit::Usage;

/// Prints the lake's tables, or the columns of one.
pub(crate) fn describe(name: Option<&str>) -> anyhow::Result<()> {
    let tables = catalog();
    let text = match name {
        None => all(&tables),
        Some(name) => one(find(&tables, name)?),
    };
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn find<'a>(tables: &'a [Table], name: &str) -> Result<&'a Table, Usage> {
    tables.iter().find(|table| table.name == name).ok_or_else(|| {
        Usage(format!(
            "the lake has no table `{name}`: `kindred describe` lists all of them"
        ))
    })
}

fn all(tables: &[Table]) -> String {
    let mut text = String::new();
    for kind in [TableKind::Fact, TableKind::Figure, TableKind::State] {
        let of_kind: Vec<&Table> = tables.iter().filter(|table| table.kind == kind).collect();
        // Writing into a String does not fail.
        let _ = writeln!(text, "{}", kind.heading());
        text.push_str(&aligned(
            &of_kind
                .iter()
                .map(|table| [table.name, table.about])
                .collect::<Vec<_>>(),
        ));
        text.push('\n');
    }
    text.push_str("kindred describe TABLE     its columns\n");
    text
}

fn one(table: &Table) -> String {
    let columns: Vec<[&str; 3]> = table
        .columns
        .iter()
        .map(|column| [column.name.as_str(), column.data_type.as_str(), column.about])
        .collect();
    format!(
        "{}\n{} One row is {}.\n{}, sorted by {}\n\n{}",
        table.name,
        table.about,
        table.grain,
        table.files(),
        table.sorted_by.join(", "),
        aligned(&columns)
    )
}

/// Lines of which all columns but the last are as wide as their widest cell.
fn aligned<const N: usize>(lines: &[[&str; N]]) -> String {
    let width = |at: usize| {
        lines
            .iter()
            .map(|line| line[at].chars().count())
            .max()
            .unwrap_or_default()
    };
    let mut text = String::new();
    for line in lines {
        text.push_str("  ");
        for (at, cell) in line.iter().enumerate() {
            if at + 1 < N {
                let _ = write!(text, "{cell:<width$}  ", width = width(at));
            } else {
                let _ = writeln!(text, "{cell}");
            }
        }
    }
    text
}
