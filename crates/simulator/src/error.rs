//! What can go wrong, said so that an operator knows where to look.

use kindred_model::Source;

/// Why no history was written, or followed. Nothing of it is visible then, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// The population asked for is out of bounds.
    #[error("cannot simulate {users} users over {days} days: ask for 1 to {max_users} users and 1 to {max_days} days")]
    Population {
        /// As asked for.
        users: u32,
        /// As asked for.
        days: u32,
        /// The most that is possible.
        max_users: u32,
        /// The most that is possible.
        max_days: u32,
    },
    /// The address of a database is malformed.
    #[error("the address of the {database} database is no PostgreSQL URL; check {}", .database.setting())]
    Address {
        /// Which database.
        database: Source,
        /// What is wrong with it.
        source: sqlx::Error,
    },
    /// A database does not answer or refuses the sign-in.
    #[error("cannot connect to the {database} database; check that it runs and that {} is right", .database.setting())]
    Unreachable {
        /// Which database.
        database: Source,
        /// What the connection said.
        source: sqlx::Error,
    },
    /// A table already has rows; the simulator writes into empty tables only.
    #[error("the {database} database already has rows in `{table}`; give an empty database, or drop its tables first")]
    Occupied {
        /// Which database.
        database: Source,
        /// The first table with rows.
        table: &'static str,
    },
    /// The databases hold no simulated history that could go on.
    #[error(
        "there is no simulated history to go on with; only one that this version wrote can be followed, with all of \
         its databases at the same addresses"
    )]
    NoHistory,
    /// A table did not take its rows.
    #[error(
        "the {database} database refused rows of `{table}`; check that its columns are those of migrations/sources"
    )]
    Load {
        /// Which database.
        database: Source,
        /// Which table.
        table: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A statement failed: creating, locking, indexing, or the commit. A failed commit may leave the databases that
    /// were committed before it filled.
    #[error("the {database} database failed a statement; check the rights of its user and its free space")]
    Database {
        /// Which database.
        database: Source,
        /// What the database said.
        source: sqlx::Error,
    },
}
