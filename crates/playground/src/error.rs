//! Why the services could not begin.

use kindred_model::Source;

/// Why the services could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaygroundError {
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
    /// The tables were missing and could not be made.
    #[error(
        "the tables of the {database} database could not be made; check that the user of {} may create them",
        .database.setting()
    )]
    Tables {
        /// Which database.
        database: Source,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The system gave no random numbers for the key of the tokens.
    #[error("the system gave no random numbers")]
    Randomness(#[source] rand::rngs::SysError),
}
