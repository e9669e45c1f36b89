//! What can go wrong between a source and its batches, in words for the operator of that source.
//!
//! Every message stands alone: it names the object, the reason that PostgreSQL gave, and what to check. None holds a
//! password or a row's values.

mod kind;

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use kindred_model::{Fact, Source};

pub use self::kind::ErrorKind;

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

    /// An address of the event stream that cannot be used. It may hold a password and is not repeated.
    #[error(
        "EVENTS_URL is no usable address of events: {problem}; expected postgresql://…, a folder, file://…, s3://…, \
         gs://…, az://… or mixpanel://PROJECT"
    )]
    EventsAddress {
        /// What is wrong with it.
        problem: String,
    },

    /// Mixpanel's settings cannot be used.
    #[error("EVENTS_URL names a project of Mixpanel: {problem}")]
    MixpanelSetting {
        /// Which, and why.
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

    /// What answers at the address does not encrypt, or does not prove who it is.
    #[error("the {database} database at {address} is not trusted: {reason}; {check} of {}", .database.setting())]
    Untrusted {
        /// The source.
        database: Source,
        /// Host, port and database name, and how far the server is verified.
        address: String,
        /// Why.
        reason: String,
        /// What to check; it ends with the address.
        check: &'static str,
    },

    /// The place of the event files cannot be listed, or one of them not read.
    #[error("the event files in {place} cannot be read: {reason}; check EVENTS_URL, and that the place is there")]
    FilesUnreachable {
        /// Folder or bucket and prefix.
        place: String,
        /// Why.
        reason: String,
    },

    /// The store of the event files does not let us in.
    #[error("the event files in {place} may not be read: {reason}; check the store's credentials and permissions")]
    FilesForbidden {
        /// Folder or bucket and prefix.
        place: String,
        /// What the store said.
        reason: String,
    },

    /// Mixpanel answers nothing usable, however often it is asked.
    #[error("the events of {day} cannot be exported from Mixpanel's project {project}, tried {tries} times: {reason}")]
    ExportUnavailable {
        /// The project's id.
        project: String,
        /// The day.
        day: NaiveDate,
        /// How often it was tried.
        tries: u32,
        /// What happened the last time.
        reason: String,
    },

    /// Mixpanel's limit of requests is used up.
    #[error(
        "Mixpanel's limit of requests for project {project} is used up{}; the events of {day} wait for a later run",
        .wait.map_or(String::new(), |wait| format!(" for {} s", wait.as_secs()))
    )]
    ExportLimit {
        /// The project's id.
        project: String,
        /// The day that was asked for.
        day: NaiveDate,
        /// For how long, when that is known.
        wait: Option<Duration>,
    },

    /// Mixpanel does not know who asks.
    #[error("Mixpanel refuses the sign-in to project {project}{said}; check MIXPANEL_USERNAME and MIXPANEL_SECRET")]
    ExportCredentials {
        /// The project's id.
        project: String,
        /// What it said, after a colon.
        said: String,
    },

    /// Mixpanel knows who asks, and does not let them export.
    #[error(
        "MIXPANEL_USERNAME may not export the events of Mixpanel's project {project}{said}; give the service account a \
         role in it, and check that the plan includes raw export"
    )]
    ExportForbidden {
        /// The project's id.
        project: String,
        /// What it said, after a colon.
        said: String,
    },

    /// Mixpanel does not take the request for one.
    #[error(
        "Mixpanel refuses to export project {project} ({status}){said}; check the project in EVENTS_URL, and that \
         MIXPANEL_BASE_URL is that of its region"
    )]
    ExportRefused {
        /// The project's id.
        project: String,
        /// The answer's status.
        status: String,
        /// What it said, after a colon.
        said: String,
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

    /// The server's version lacks a function that rows are counted with.
    #[error("the {database} database at {address} is PostgreSQL {version}; it must be 14 or later")]
    OldServer {
        /// The source.
        database: Source,
        /// Host, port and database name.
        address: String,
        /// The server's version, as it says.
        version: String,
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

impl ExtractError {
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
