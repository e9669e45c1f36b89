//! Erasing a person: who asked for it, what is removed in one transaction, and whether anything is left.

mod publish;
mod request;
mod traces;

pub use publish::{ErasurePublication, RewrittenEvent};
pub use request::Erasure;
pub use traces::{EventMention, Traces};

use crate::{SUMMARY_TABLES, SummaryTable, USER_BEHAVIOR_EVENTS};

/// The column that holds a person's user key, in the tables that have rows of persons.
const USER_ID: &str = "user_id";

/// The tables that have rows of persons.
pub fn tables_of_persons() -> impl Iterator<Item = &'static SummaryTable> {
    let tables = SUMMARY_TABLES.iter().copied().chain([&USER_BEHAVIOR_EVENTS]);
    tables.filter(|table| table.column(USER_ID).is_some())
}
