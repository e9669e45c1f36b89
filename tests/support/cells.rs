//! Tables as texts by key and column, wherever they come from, and what is different between two of them.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use kindred_testkit::TestDatabase;
use kindred_warehouse::{ColumnType, SummaryTable};
use sqlx::{AssertSqlSafe, Row};

const PROVENANCE: [&str; 2] = ["run_id", "computed_at"];
/// The columns that are exact, whatever table they are of.
const MONEY: &[&str] = &[
    "gross_revenue",
    "refunds",
    "total_revenue",
    "monthly_recurring_revenue",
    "annual_recurring_revenue",
    "opening_mrr",
    "new",
    "reactivation",
    "expansion",
    "contraction",
    "churn",
    "closing_mrr",
];

/// The cells of a summary table: by the row's key, then by column; `None` is null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cells {
    pub(crate) rows: BTreeMap<Vec<String>, BTreeMap<&'static str, Option<String>>>,
}

impl Cells {
    /// The rows of a table of the warehouse, without who wrote them unless `signed`.
    pub(crate) async fn published(database: &TestDatabase, table: &'static SummaryTable, signed: bool) -> Self {
        Self::answered(database, table, signed, &format!("table {}", table.name)).await
    }

    /// The rows that a statement answers, with the columns of a table, by name.
    pub(crate) async fn answered(
        database: &TestDatabase,
        table: &'static SummaryTable,
        signed: bool,
        sql: &str,
    ) -> Self {
        let names = names(table, signed);
        let texts: Vec<_> = names
            .iter()
            .map(|name| format!("(\"{name}\")::{}::text", table.column(name).unwrap().column_type.sql()))
            .collect();
        let sql = format!("select {} from ({sql}) answer", texts.join(", "));
        let answer = sqlx::query(AssertSqlSafe(sql.as_str()))
            .fetch_all(database.pool())
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{error} in {sql}"));
        let rows = answer.iter().map(|row| (0..names.len()).map(|n| row.get(n)).collect());
        Self::gather(table, &names, rows)
    }

    /// The rows of batches, with the columns of a table, by name.
    pub(crate) fn of_batches(table: &'static SummaryTable, signed: bool, batches: &[RecordBatch]) -> Self {
        let names = names(table, signed);
        let options = FormatOptions::default().with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f+00"));
        let mut rows = Vec::new();
        for batch in batches {
            let columns: Vec<_> = names.iter().map(|name| batch.column_by_name(name).unwrap()).collect();
            let texts: Vec<_> = columns
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let cells = columns.iter().zip(&texts);
                rows.push(
                    cells
                        .map(|(column, text)| (!column.is_null(row)).then(|| text.value(row).to_string()))
                        .collect(),
                );
            }
        }
        Self::gather(table, &names, rows.into_iter())
    }

    fn gather(
        table: &'static SummaryTable,
        names: &[&'static str],
        rows: impl Iterator<Item = Vec<Option<String>>>,
    ) -> Self {
        let mut gathered = BTreeMap::new();
        for row in rows {
            let mut cells: BTreeMap<_, _> = names.iter().copied().zip(row).collect();
            for (name, cell) in &mut cells {
                *cell = cell.take().map(|text| plain(table, name, text));
            }
            let key: Vec<_> = table
                .key
                .iter()
                .map(|name| cells[name].clone().expect("no key is null"))
                .collect();
            assert!(
                gathered.insert(key.clone(), cells).is_none(),
                "{} has {key:?} twice",
                table.name
            );
        }
        Self { rows: gathered }
    }

    /// How many cells there are, those of the keys included.
    pub(crate) fn count(&self) -> usize {
        self.rows.values().map(BTreeMap::len).sum()
    }
}

/// What is different between two tables: a line a cell, and a line a row that is in one of them only.
pub(crate) fn differences(table: &SummaryTable, found: &Cells, expected: &Cells) -> Vec<String> {
    let mut lines = Vec::new();
    let keys: BTreeSet<_> = found.rows.keys().chain(expected.rows.keys()).collect();
    for key in keys {
        let at = format!("{} {}", table.name, key.join("/"));
        match (found.rows.get(key), expected.rows.get(key)) {
            (Some(_), None) => lines.push(format!("{at}: this row should not be")),
            (None, Some(_)) => lines.push(format!("{at}: this row is missing")),
            (Some(found), Some(expected)) => {
                let unequal = found
                    .iter()
                    .filter(|(name, cell)| !equal(table, name, cell.as_deref(), expected[*name].as_deref()));
                lines.extend(unequal.map(|(name, cell)| {
                    format!("{at}, {name}: {} instead of {}", shown(cell), shown(&expected[name]))
                }));
            }
            (None, None) => {}
        }
    }
    lines
}

fn shown(cell: &Option<String>) -> &str {
    cell.as_deref().unwrap_or("null")
}

/// Counts, money and words are equal when their texts are; quotients, when they differ by rounding alone.
fn equal(table: &SummaryTable, name: &str, left: Option<&str>, right: Option<&str>) -> bool {
    let quotient = match table.column(name).map(|column| column.column_type) {
        Some(ColumnType::Double) => true,
        Some(ColumnType::Numeric) => !MONEY.contains(&name),
        _ => false,
    };
    match (left, right) {
        (Some(left), Some(right)) if quotient => {
            let (left, right): (f64, f64) = (left.parse().unwrap(), right.parse().unwrap());
            (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
        }
        _ => left == right,
    }
}

/// One way of writing equal values.
fn plain(table: &SummaryTable, name: &str, text: String) -> String {
    match table.column(name).map(|column| column.column_type) {
        Some(ColumnType::Numeric | ColumnType::Double) if text.contains('.') && !text.contains(['e', 'E']) => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Some(ColumnType::Uuid) => text.replace('-', ""),
        Some(ColumnType::Instant) => {
            let text = text.replace("+00", "");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        }
        _ => text,
    }
}

fn names(table: &'static SummaryTable, signed: bool) -> Vec<&'static str> {
    let all = table.columns.iter().map(|column| column.name);
    all.filter(|name| signed || !PROVENANCE.contains(name)).collect()
}
