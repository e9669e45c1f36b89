//! The queries under `queries/`, found by path: `kpi/daily_sessions` is `queries/kpi/daily_sessions.sql`.
//!
//! They are inside the binary. A folder given as `QUERIES_DIR` may hold files of the same paths in their place.

use std::collections::BTreeMap;
use std::path::Path;

use crate::EngineError;

/// Every query of the engine, one line each, in the order in which the daily job needs them.
macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        const EMBEDDED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../queries/", $name, ".sql")))),+];
    };
}

embedded![
    "state/active_days",
    "state/aliases",
    "state/first_moments",
    "state/internal_users",
    "state/subscription_spans",
    "state/first_purchases",
    "state/event_counts",
    "state/event_ids",
    "events/hours_of_copies",
    "events/known_copies",
    "events/fresh_events",
    "events/displaced_events",
    "events/placed_events",
    "privacy/devices",
    "kpi/daily_active_users",
    "kpi/daily_registrations",
    "kpi/daily_sessions",
    "kpi/daily_likes",
    "kpi/daily_matches",
    "kpi/daily_messages",
    "kpi/daily_interactions",
    "kpi/daily_revenue",
    "kpi/daily_conversion",
    "kpi/daily_retention",
    "kpi/daily_safety",
    "kpi/daily_kpi_summaries",
    "kpi/lifecycle_daily",
    "kpi/segment_kpi_daily",
    "kpi/active_user_buckets",
    "sessions/session_exits_daily",
    "revenue/daily_running_changes",
    "revenue/daily_plan_changes",
    "revenue/daily_mrr_changes",
    "revenue/revenue_metrics",
    "revenue/mrr_movements_daily",
    "behavior/behavior_rollups",
    "behavior/user_behavior_events",
    "quality/unusable_sessions",
    "quality/unusable_money",
    "quality/daily_series",
    "quality/hourly_series",
    "quality/series_scores",
    "quality/daily_identities",
    "funnel/funnel_people",
    "funnel/conversion_funnels",
    "funnel/funnel_windows",
    "quality/funnel_identities",
    "quality/revenue_identities",
    "retention/retention_cohorts",
    "quality/retention_identities",
    "sessions/hourly_metrics",
    "sessions/session_analytics",
    "sessions/session_windows",
];

/// A query with what its header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its path below `queries/`, without `.sql`.
    pub name: String,
    /// The statement, header included.
    pub sql: String,
    /// The sentence of the header's first line: what it answers.
    pub answers: String,
    /// The tables that it reads.
    pub reads: Vec<String>,
    /// The columns that identify one row of its answer.
    pub grain: Vec<String>,
    /// Its placeholders, without the `$`.
    pub parameters: Vec<String>,
}

impl Query {
    /// Reads a query from its text.
    ///
    /// # Errors
    /// When a line is missing in the header.
    pub fn parse(name: &str, sql: &str) -> Result<Self, EngineError> {
        let header: Vec<&str> = sql
            .lines()
            .map_while(|line| line.strip_prefix("--"))
            .map(str::trim)
            .collect();
        let missing = |field| EngineError::Header {
            query: name.to_owned(),
            field,
        };
        let list = |field: &'static str| {
            let line = header
                .iter()
                .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
            let words = line
                .ok_or_else(|| missing(field))?
                .split(',')
                .map(|word| word.trim().to_owned());
            Ok::<Vec<String>, EngineError>(words.filter(|word| !word.is_empty()).collect())
        };
        Ok(Self {
            name: name.to_owned(),
            sql: sql.to_owned(),
            answers: header
                .first()
                .filter(|line| !line.is_empty())
                .ok_or_else(|| missing("what it answers"))?
                .to_string(),
            reads: list("reads")?,
            grain: list("grain")?,
            parameters: list("parameters")?,
        })
    }

    /// The name under which later queries read its answer: the last part of its path.
    #[must_use]
    pub fn table(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// The queries by name.
#[derive(Debug, Clone)]
pub struct QueryLibrary(BTreeMap<String, Query>);

impl QueryLibrary {
    /// The queries inside the binary.
    ///
    /// # Errors
    /// When a header is incomplete.
    pub fn embedded() -> Result<Self, EngineError> {
        let queries = EMBEDDED
            .iter()
            .map(|(name, sql)| Ok(((*name).to_owned(), Query::parse(name, sql)?)));
        Ok(Self(queries.collect::<Result<_, EngineError>>()?))
    }

    /// The queries inside the binary, with those in their place that lie below `folder` under the same path.
    ///
    /// # Errors
    /// When a file cannot be read or a header is incomplete.
    pub fn with_overrides(folder: &Path) -> Result<Self, EngineError> {
        let mut library = Self::embedded()?;
        for (name, query) in &mut library.0 {
            let path = folder.join(format!("{name}.sql"));
            match std::fs::read_to_string(&path) {
                Ok(sql) => *query = Query::parse(name, &sql)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(EngineError::QueryFile { path, source }),
            }
        }
        Ok(library)
    }

    /// A query by its path below `queries/`.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Query, EngineError> {
        self.0
            .get(name)
            .ok_or_else(|| EngineError::UnknownQuery(name.to_owned()))
    }

    /// Every query, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Query> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_query_has_a_complete_header() {
        let library = QueryLibrary::embedded().unwrap();
        assert_eq!(library.iter().count(), EMBEDDED.len());
        for query in library.iter() {
            for parameter in &query.parameters {
                assert!(
                    query.sql.contains(&format!("${parameter}")),
                    "{} never uses ${parameter}",
                    query.name
                );
            }
        }
    }

    #[test]
    fn a_missing_header_line_is_named() {
        let error = Query::parse("kpi/x", "-- What it answers.\n-- reads: a\n\nselect 1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the header of query `kpi/x` has no line `-- grain: …`"
        );
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    /// A query of the library, with some of its lines left out, doubled, moved or broken.
    fn bent() -> impl Strategy<Value = String> {
        let bend = (0..6_u8, any::<Index>(), any::<Index>(), "\\PC{0,8}");
        (select(EMBEDDED.to_vec()), prop::collection::vec(bend, 0..5)).prop_map(|((_, sql), bends)| {
            let mut lines: Vec<String> = sql.lines().map(str::to_owned).collect();
            for (how, at, other, junk) in bends {
                let (at, other) = (at.index(lines.len()), other.index(lines.len()));
                match how {
                    0 if lines.len() > 1 => drop(lines.remove(at)),
                    1 => lines.insert(at, lines[other].clone()),
                    2 => lines.swap(at, other),
                    3 => lines[at].insert_str(0, &junk),
                    4 => lines[at].push_str(&junk),
                    _ => lines[at] = lines[at].replace(':', ""),
                }
            }
            lines.join("\n")
        })
    }

    proptest! {
        #[test]
        fn a_query_is_read_as_its_header_says_or_the_missing_line_is_named(
            sql in prop_oneof![4 => bent(), 1 => "(?s).{0,200}"]
        ) {
            let header: Vec<_> = sql.lines().map_while(|line| line.strip_prefix("--")).map(str::trim).collect();
            let has = |field: &str| header.iter().any(|line| line.starts_with(&format!("{field}:")));
            let first = header.first().is_some_and(|line| !line.is_empty());
            let missing: Vec<_> = ["reads", "grain", "parameters"].into_iter().filter(|field| !has(field)).collect();
            match Query::parse("kpi/x", &sql) {
                Ok(query) => {
                    prop_assert!(missing.is_empty() && first, "{:?} is missing in {}", missing, sql);
                    prop_assert_eq!(&query.sql, &sql);
                    for word in query.reads.iter().chain(&query.grain).chain(&query.parameters) {
                        prop_assert!(!word.is_empty() && word.trim() == word, "{:?}", word);
                    }
                }
                Err(error) => {
                    let error = error.to_string();
                    prop_assert!(error.contains("kpi/x"), "{}", error);
                    prop_assert!(!first || missing.iter().any(|field| error.contains(field)), "{}: {}", error, sql);
                }
            }
        }
    }
}
