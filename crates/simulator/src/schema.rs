//! The source databases' DDL, as `migrations/sources/` has it.

use kindred_model::Source;

/// What separates a file's tables from its indexes, which a bulk load builds last.
const INDEXES: &str = "-- Indexes\n";

/// The statements that create one source database's tables and indexes where they are missing.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// `create table if not exists` statements.
    pub tables: &'static str,
    /// `create index if not exists` statements.
    pub indexes: &'static str,
}

impl Schema {
    /// The schema of a source database. The events stand in the interactions database.
    #[must_use]
    pub fn of(source: Source) -> Self {
        let ddl = match source {
            Source::Users => include_str!("../../../migrations/sources/users.sql"),
            Source::Interactions | Source::Events => include_str!("../../../migrations/sources/interactions.sql"),
            Source::Communications => include_str!("../../../migrations/sources/communications.sql"),
            Source::Moderation => include_str!("../../../migrations/sources/moderation.sql"),
        };
        let (tables, indexes) = ddl
            .split_once(INDEXES)
            .expect("every file under migrations/sources has a line `-- Indexes`");
        Self { tables, indexes }
    }
}
