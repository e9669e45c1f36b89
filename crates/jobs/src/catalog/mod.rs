//! The lake's tables and columns in words, for whoever reads them: what `kindred describe` prints and `docs/data/` shows.
//!
//! Types and partitions come from the schemas that files are written with, and a test holds the words against them.

mod facts;
mod figures;
mod money;
mod page;
mod state;

pub use page::contents;

use arrow::datatypes::{DataType, TimeUnit};
use arrow_schema::extension::{EXTENSION_TYPE_NAME_KEY, ExtensionType, Uuid};
use kindred_model::Fact;
use kindred_warehouse::SUMMARY_TABLES;

use crate::steps::datasets::{lake_tables, sort_of, state_sort};

/// What a table and its columns mean.
struct Description {
    name: &'static str,
    about: &'static str,
    /// What a row stands for.
    grain: &'static str,
    columns: &'static [(&'static str, &'static str)],
}

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// Rows of a source.
    Fact,
    /// What was computed: the mirror of a warehouse table.
    Figure,
    /// What runs keep for themselves.
    State,
}

/// A table of the lake, in words.
#[derive(Debug)]
pub struct Table {
    /// Its name in SQL.
    pub name: &'static str,
    /// What it is for.
    pub kind: TableKind,
    /// What it holds.
    pub about: &'static str,
    /// What a row stands for.
    pub grain: &'static str,
    /// Its folder below the lake's root, which has a folder for each `date=…`.
    pub folder: String,
    /// Whether a day has a folder for each `hour=…`.
    pub by_hour: bool,
    /// The column whose UTC day is the partition; none where that day is all that is known of the row's time.
    pub partition_column: Option<&'static str>,
    /// The columns that each file is sorted by.
    pub sorted_by: Vec<&'static str>,
    /// Its columns, in the order of its files.
    pub columns: Vec<TableColumn>,
}

/// A column of a table of the lake, in words.
#[derive(Debug)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type, as readers of Parquet name it.
    pub data_type: String,
    /// What it holds, in which unit, and what null stands for.
    pub about: &'static str,
}

/// Every table of the lake: facts, figures, states.
///
/// # Panics
/// Never: a test holds that each is described.
#[must_use]
pub fn catalog() -> Vec<Table> {
    let mut tables: Vec<Table> = lake_tables()
        .into_iter()
        .map(|(name, dataset, schema)| {
            let (kind, description) = describe(name);
            let columns = schema.fields().iter().map(|field| TableColumn {
                name: field.name().clone(),
                data_type: type_name(field.data_type(), field.metadata().get(EXTENSION_TYPE_NAME_KEY)),
                about: about(description, field.name()),
            });
            Table {
                name,
                kind,
                about: description.about,
                grain: description.grain,
                by_hour: dataset.is_hourly(),
                folder: dataset.to_string(),
                partition_column: partition_column(kind, name),
                sorted_by: sorted_by(kind, name),
                columns: columns.collect(),
            }
        })
        .collect();
    tables.sort_by_key(|table| table.kind as u8);
    tables
}

fn describe(name: &str) -> (TableKind, &'static Description) {
    let lists = [
        (TableKind::Fact, facts::FACTS),
        (TableKind::Figure, figures::FIGURES),
        (TableKind::Figure, money::MONEY),
        (TableKind::State, state::STATES),
    ];
    let mut all = lists
        .into_iter()
        .flat_map(|(kind, list)| list.iter().map(move |description| (kind, description)));
    all.find(|(_, description)| description.name == name)
        .expect("every table of the lake is described")
}

fn about(description: &'static Description, column: &str) -> &'static str {
    let columns = description.columns.iter().chain(&figures::PROVENANCE);
    let mut found = columns.filter(|(name, _)| *name == column).map(|(_, about)| *about);
    found.next().expect("every column of the lake is described")
}

fn partition_column(kind: TableKind, name: &str) -> Option<&'static str> {
    match kind {
        TableKind::Fact => fact(name).map(Fact::partition_column),
        TableKind::Figure => SUMMARY_TABLES
            .iter()
            .find(|table| table.name == name)
            .map(|table| table.day_column),
        TableKind::State => None,
    }
}

fn sorted_by(kind: TableKind, name: &'static str) -> Vec<&'static str> {
    match kind {
        TableKind::Fact => fact(name).map(sort_of).unwrap_or_default().to_vec(),
        TableKind::Figure => SUMMARY_TABLES
            .iter()
            .find(|table| table.name == name)
            .map(|table| table.key.to_vec())
            .unwrap_or_default(),
        TableKind::State => state_sort(name).to_vec(),
    }
}

fn fact(name: &str) -> Option<Fact> {
    name.parse().ok()
}

/// The type as Parquet's own readers call it.
fn type_name(data_type: &DataType, extension: Option<&String>) -> String {
    match data_type {
        DataType::Int32 => "INT32".to_owned(),
        DataType::Int64 => "INT64".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Utf8 => "STRING".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Decimal128(digits, scale) => format!("DECIMAL({digits}, {scale})"),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => format!("TIMESTAMP(µs, {zone})"),
        DataType::FixedSizeBinary(_) if extension.is_some_and(|name| name == Uuid::NAME) => "UUID".to_owned(),
        DataType::List(item) => format!("LIST({})", type_name(item.data_type(), None)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_and_column_of_the_lake_is_described_once_and_in_order() {
        let described: Vec<(&str, Vec<&str>)> = [facts::FACTS, figures::FIGURES, money::MONEY, state::STATES]
            .into_iter()
            .flat_map(|list| {
                list.iter()
                    .map(|of| (of.name, of.columns.iter().map(|(name, _)| *name).collect()))
            })
            .collect();
        let provenance = figures::PROVENANCE.map(|(name, _)| name);
        let mut lake: Vec<(&str, Vec<String>)> = lake_tables()
            .iter()
            .map(|(name, _, schema)| {
                let names = schema.fields().iter().map(|field| field.name().clone());
                (
                    *name,
                    names.filter(|name| !provenance.contains(&name.as_str())).collect(),
                )
            })
            .collect();
        lake.sort_by_key(|(name, _)| described.iter().position(|(other, _)| other == name));
        assert_eq!(
            described.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            lake.iter().map(|(name, _)| *name).collect::<Vec<_>>()
        );
        for ((name, columns), (_, in_lake)) in described.iter().zip(&lake) {
            assert_eq!(columns, in_lake, "the columns of {name}");
        }
    }

    #[test]
    fn the_words_say_of_each_column_of_a_source_whether_it_may_be_null() {
        for (name, _, schema) in lake_tables() {
            let (kind, description) = describe(name);
            // Figures are nullable by their warehouse table, which a test beside the database looks at.
            for field in schema.fields().iter().filter(|_| kind != TableKind::Figure) {
                let told = about(description, field.name()).contains("null");
                assert_eq!(told, field.is_nullable(), "{name}.{}", field.name());
            }
        }
    }
}
