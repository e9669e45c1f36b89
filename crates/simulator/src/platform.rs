//! What is asked for, where it goes, and what came of it.

use chrono::TimeDelta;
use kindred_model::{Instant, Source};

/// A history to write. Equal populations have equal histories, to the last id and microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    /// How many people register within the history; visitors who never do come on top.
    pub users: u32,
    /// How many times 24 hours the history lasts.
    pub days: u32,
    /// Names the history among all those of the same size.
    pub seed: u64,
    /// The end of the history: everything in it happened before.
    pub until: Instant,
}

/// The databases to fill: PostgreSQL URLs, as sqlx reads them. They may be schemas of one server or of several.
#[derive(Clone)]
pub struct Targets {
    /// Accounts, sessions, subscriptions, payments.
    pub users: String,
    /// Swipes, matches, encounters, telemetry, events.
    pub interactions: String,
    /// Messages.
    pub communications: String,
    /// Reports and moderation actions; without it these are left out.
    pub moderation: Option<String>,
}

/// How many rows were written, in the order of the contract's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Every table of every target.
    pub tables: Vec<TableRows>,
}

/// The rows written into one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRows {
    /// The table's database.
    pub database: Source,
    /// The table's name.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
}

impl Population {
    /// The first instant of the history.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.until - TimeDelta::days(i64::from(self.days))
    }
}

impl Summary {
    /// The rows of all tables together.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

impl Targets {
    /// The databases that are given, with their addresses.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Source, &str)> {
        [
            (Source::Users, Some(&self.users)),
            (Source::Interactions, Some(&self.interactions)),
            (Source::Communications, Some(&self.communications)),
            (Source::Moderation, self.moderation.as_ref()),
        ]
        .into_iter()
        .filter_map(|(source, url)| Some((source, url?.as_str())))
    }
}

/// Addresses may hold passwords: only which databases are given is shown.
impl std::fmt::Debug for Targets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.each().map(|(source, _)| source)).finish()
    }
}
