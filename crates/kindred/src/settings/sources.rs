//! Which databases facts are extracted from.

use std::collections::BTreeMap;

use chrono::NaiveDate;
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
        Self {
            addresses: addresses.collect(),
            history_since: reader.value("HISTORY_SINCE", "a date, such as 2025-01-31"),
        }
    }
}
