//! Where in the lake a person's keys may stand.

use arrow::datatypes::SchemaRef;
use kindred_extract::{fact_schema, key_columns};
use kindred_lake::Dataset;
use kindred_model::Fact;
use kindred_warehouse::{SUMMARY_TABLES, tables_of_persons};

use crate::steps::datasets::{self, ACTIVE_DAYS, ALIASES, EVENT_COUNTS, FIRST_MOMENTS, FUNNEL_PEOPLE};
use crate::steps::shape::file_schema;

/// A dataset of rows that belong to persons.
pub(super) struct Holder {
    /// Its name in SQL.
    pub(super) table: &'static str,
    pub(super) dataset: Dataset,
    /// The columns of its files.
    pub(super) schema: SchemaRef,
    /// How its files are sorted.
    pub(super) sort: &'static [&'static str],
    /// Where keys stand.
    pub(super) keys: Vec<&'static str>,
    /// The fact, when it holds one.
    pub(super) fact: Option<Fact>,
}

impl Holder {
    /// Whether a row is its user's, and its device's only when it has none.
    pub(super) fn is_of_one_identity(&self) -> bool {
        self.has_properties() || [EVENT_COUNTS, FIRST_MOMENTS].contains(&self.table)
    }

    /// Whether its rows may mention others in their properties.
    pub(super) fn has_properties(&self) -> bool {
        self.fact == Some(Fact::Events)
    }
}

/// Every such dataset.
pub(super) fn holders() -> Vec<Holder> {
    let facts = Fact::ALL.iter().map(|&fact| Holder {
        table: fact.as_str(),
        dataset: datasets::facts(fact),
        schema: fact_schema(fact),
        sort: datasets::sort_of(fact),
        keys: key_columns(fact),
        fact: Some(fact),
    });
    let states = STATES.iter().map(|(name, keys)| Holder {
        table: name,
        dataset: Dataset::state(name),
        schema: datasets::state_schema(name),
        sort: datasets::state_sort(name),
        keys: keys.to_vec(),
        fact: None,
    });
    let mirrored = tables_of_persons().filter(|table| SUMMARY_TABLES.contains(table));
    let tables = mirrored.map(|table| Holder {
        table: table.name,
        dataset: Dataset::kpi(table.name),
        schema: file_schema(table),
        sort: table.key,
        keys: vec!["user_id"],
        fact: None,
    });
    facts.chain(states).chain(tables).collect()
}

/// The states that know persons. Ids of events are hashed, and say nothing of whose they were.
const STATES: [(&str, &[&str]); 5] = [
    (ACTIVE_DAYS, &["user_key"]),
    (EVENT_COUNTS, &["user_key", "anonymous_key"]),
    (ALIASES, &["anonymous_key", "user_key"]),
    (FIRST_MOMENTS, &["user_key", "anonymous_key"]),
    (FUNNEL_PEOPLE, &["person"]),
];

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    /// What counts something, and is of nobody.
    const COUNTS: [&str; 2] = ["events", "id_hash"];

    #[test]
    fn every_whole_number_of_64_bits_in_facts_and_state_is_a_key_that_is_looked_for_or_a_count() {
        let holders = holders();
        for (table, dataset, schema) in datasets::lake_tables() {
            if dataset.area() == kindred_lake::Area::Kpi {
                continue;
            }
            let keys = holders
                .iter()
                .find(|holder| holder.dataset == dataset)
                .map(|holder| &holder.keys);
            for field in schema
                .fields()
                .iter()
                .filter(|field| *field.data_type() == DataType::Int64)
            {
                let name = field.name().as_str();
                let is_looked_for = keys.is_some_and(|keys| keys.contains(&name));
                assert!(
                    is_looked_for || COUNTS.contains(&name),
                    "nobody looks for persons in {table}.{name}"
                );
            }
        }
    }

    #[test]
    fn of_the_tables_only_the_sessions_are_of_persons_in_the_lake() {
        let kpi = holders()
            .into_iter()
            .filter(|holder| holder.dataset.area() == kindred_lake::Area::Kpi);
        assert_eq!(
            kpi.map(|holder| holder.table).collect::<Vec<_>>(),
            ["session_analytics"]
        );
    }
}
