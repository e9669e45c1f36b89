//! Which databases facts are extracted from.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use kindred_model::Source;
use secrecy::SecretString;

use super::Reader;

/// Settings of the sources.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The addresses that are set.
    pub(crate) addresses: BTreeMap<Source, SecretString>,
    /// `HISTORY_SINCE`: the first day of the facts that are not needed whole.
    pub(crate) history_since: Option<NaiveDate>,
}

impl Sources {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let addresses = Source::DATABASES
            .iter()
            .filter_map(|source| Some((*source, reader.postgres(source.setting())?)));
        let addresses = addresses.collect();
        let history_since: Option<NaiveDate> = reader.value("HISTORY_SINCE", "a date, such as 2025-01-31");
        if history_since.is_some_and(|day| !(1970..=9999).contains(&day.year())) {
            reader.mistake("HISTORY_SINCE", "must lie between 1970 and 9999");
        }
        Self {
            addresses,
            history_since,
        }
    }
}
