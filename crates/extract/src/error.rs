//! What can go wrong between a source and its batches, in words for the operator of that source.
//!
//! Every message stands alone: it names the object, the reason that PostgreSQL gave, and what to check. None holds a
//! password or a row's values.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use kindred_model::{Fact, Source};

/// Why an extraction, or its settings, were refused or broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// A secret that is too easy to guess.
    #[error("USER_KEY_SECRET has {length} bytes; it needs {shortest} or more")]
    ShortSecret {
        /// Its bytes.
        length: usize,
        /// The fewest that are taken.
        shortest: usize,
    },

    /// An address that cannot be used. It may hold a password and is not repeated.
    #[error("{} is no usable PostgreSQL address: {problem}; expected postgresql://user:password@host:port/database", .database.setting())]
    Address {
        /// The source that it is the address of.
        database: Source,
        /// What is wrong with it.
        problem: String,
    },

    /// A query that cannot be used.
    #[error("{file}: {problem}")]
    Query {
        /// The query's file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },

    /// A query file that is there and cannot be read.
    #[error("{} cannot be read: {cause}; check its permissions and that it is UTF-8", .path.display())]
    QueryFile {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },

    /// Nothing usable answers at the address.
    #[error(
        "the {database} database cannot be reached at {address}: {reason}; check that it runs, that this machine may \
         reach it, and {}", .database.setting()
    )]
    Unreachable {
        /// The source.
        database: Source,
        /// Host, port and database name.
        address: String,
        /// Why.
        reason: String,
    },

    /// The server answers, and has no such database.
    #[error("the server of the {database} database has no such database ({address}): {reason}; check the name in {}", .database.setting())]
    UnknownDatabase {
        /// The source.
        database: Source,
        /// Host, port and database name.
        address: String,
        /// What the server said.
        reason: String,
    },

    /// The server refuses the user or the password.
    #[error("the {database} database refuses the sign-in at {address}: {reason}; check user and password in {}", .database.setting())]
    Credentials {
        /// The source.
        database: Source,
        /// Host, port and database name.
        address: String,
        /// What the server said.
        reason: String,
    },

    /// The role may not read what a fact needs.
    #[error("the role of {} may not read {fact}: {reason}; grant it select, or change {file}", .fact.source().setting())]
    Forbidden {
        /// The fact.
        fact: Fact,
        /// The query that reads it.
        file: String,
        /// What the server said.
        reason: String,
    },

    /// The source cannot run a query: a table or a column that it names is not there, or it is not valid SQL.
    #[error("{fact}: the {} database cannot run {file}: {reason}; the source's schema has changed, or the query is wrong", .fact.source())]
    BrokenQuery {
        /// The fact.
        fact: Fact,
        /// The query's file.
        file: String,
        /// What the server said.
        reason: String,
    },

    /// A column of the contract that a query does not return.
    #[error("{fact}: {file} returns no column {column}; expected {expected}")]
    MissingColumn {
        /// The fact.
        fact: Fact,
        /// The column.
        column: String,
        /// The PostgreSQL types that it may have.
        expected: &'static str,
        /// The query's file.
        file: String,
    },

    /// A column that the contract does not know.
    #[error(
        "{fact}: {file} returns a column {column} ({actual}) that the contract does not know; take it out of the query"
    )]
    ExtraColumn {
        /// The fact.
        fact: Fact,
        /// The column.
        column: String,
        /// Its PostgreSQL type.
        actual: String,
        /// The query's file.
        file: String,
    },

    /// A column of another type than the contract's.
    #[error("{fact}: {file} returns {column} as {actual}; expected {expected}; cast it there")]
    RetypedColumn {
        /// The fact.
        fact: Fact,
        /// The column.
        column: String,
        /// The PostgreSQL types that it may have.
        expected: &'static str,
        /// The one that it has.
        actual: String,
        /// The query's file.
        file: String,
    },

    /// Several of the mistakes above in one source.
    #[error("the {database} database does not keep the contract: {}", join(.mistakes))]
    Contract {
        /// The source.
        database: Source,
        /// What was found, two or more.
        mistakes: Vec<ExtractError>,
    },

    /// A value that the contract has no place for.
    #[error("{fact}.{column}: {problem}; correct the row in the source, or the query {file}")]
    Value {
        /// The fact.
        fact: Fact,
        /// The column.
        column: String,
        /// What is wrong, without the value.
        problem: String,
        /// The query's file.
        file: String,
    },

    /// It took too long.
    #[error(
        "{what} of the {database} database did not finish within {} s; check the source's load, its locks and the \
         index on the partition column", .allowed.as_secs_f32()
    )]
    Deadline {
        /// The source.
        database: Source,
        /// What was being done.
        what: String,
        /// How long it was allowed to take.
        allowed: Duration,
    },

    /// The reader of the rows went away.
    #[error("reading {fact} was cancelled")]
    Cancelled {
        /// The fact.
        fact: Fact,
    },

    /// The connection broke, or the server ended it, after it had been established.
    #[error(
        "{what}: the connection to the {database} database was lost: {reason}; the rows read so far are incomplete"
    )]
    Lost {
        /// The source.
        database: Source,
        /// What was being done.
        what: String,
        /// Why.
        reason: String,
    },

    /// The source failed to answer a query that it had accepted.
    #[error("{what}: the {database} database failed: {reason}")]
    Failed {
        /// The source.
        database: Source,
        /// What was being done.
        what: String,
        /// What was said.
        reason: String,
    },
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The source is away: later it may be back.
    Unreachable,
    /// The operator must correct who signs in, or what that role may read.
    Credentials,
    /// The source's schema or values differ from the contract: raises `schema_change`.
    Contract,
    /// Worth another try, later or with a longer deadline.
    Timeout,
    /// Nothing: it was asked for.
    Cancelled,
    /// The source failed; the message says how.
    Query,
    /// The operator must correct a setting or a query file.
    Settings,
}

impl ExtractError {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ShortSecret { .. } | Self::Address { .. } | Self::Query { .. } | Self::QueryFile { .. } => {
                ErrorKind::Settings
            }
            Self::Unreachable { .. } | Self::UnknownDatabase { .. } | Self::Lost { .. } => ErrorKind::Unreachable,
            Self::Credentials { .. } | Self::Forbidden { .. } => ErrorKind::Credentials,
            Self::BrokenQuery { .. }
            | Self::MissingColumn { .. }
            | Self::ExtraColumn { .. }
            | Self::RetypedColumn { .. }
            | Self::Contract { .. }
            | Self::Value { .. } => ErrorKind::Contract,
            Self::Deadline { .. } => ErrorKind::Timeout,
            Self::Cancelled { .. } => ErrorKind::Cancelled,
            Self::Failed { .. } => ErrorKind::Query,
        }
    }

    /// Whether it says nothing about what the source keeps: asking on would fail, too.
    pub(crate) fn is_no_mistake(&self) -> bool {
        !matches!(self.kind(), ErrorKind::Contract | ErrorKind::Credentials)
    }

    /// The mistakes of one source as one error.
    pub(crate) fn from_mistakes(database: Source, mut mistakes: Vec<Self>) -> Self {
        match mistakes.pop() {
            Some(only) if mistakes.is_empty() => only,
            last => {
                mistakes.extend(last);
                Self::Contract { database, mistakes }
            }
        }
    }
}

/// What PostgreSQL, or the way to it, said: the driver's own words alone are "db error".
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return match said.hint() {
            Some(hint) => format!("{} ({hint})", said.message()),
            None => said.message().to_owned(),
        };
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

fn join(mistakes: &[ExtractError]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
