//! What can go wrong with the warehouse, by cause; [`WarehouseError::kind`] says what a caller can do about it.

use std::fmt::{Display, Formatter};

use kindred_model::{SslMode, UnknownWord};
use sqlx::migrate::MigrateError;
use uuid::Uuid;

/// A failure of the warehouse. Its text names what failed and what to check; it never holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WarehouseError {
    /// The address is no PostgreSQL address, or asks for what there is not.
    #[error("the warehouse's address cannot be used; write postgresql://user:password@host:5432/database")]
    Address(#[source] Cause<sqlx::Error>),
    /// Nothing answered at the address in time.
    #[error("cannot reach the warehouse at {at}; check that its server runs there and that the address is right")]
    Unreachable {
        /// `host:port/database`, or the socket's folder in place of the host.
        at: String,
        /// What the attempt met.
        #[source]
        source: Cause<sqlx::Error>,
    },
    /// What answers does not encrypt, or does not prove who it is.
    #[error("the warehouse at {at} is not trusted (sslmode={mode}); {check} of DATABASE_URL")]
    Untrusted {
        /// `host:port/database`.
        at: String,
        /// How far the server is verified.
        mode: SslMode,
        /// What to check; it ends with the address.
        check: &'static str,
        /// What the attempt met.
        #[source]
        source: Cause<sqlx::Error>,
    },
    /// The server answered and turned the user away, or has no such database.
    #[error("the warehouse at {at} does not let user `{user}` in; check user, password and database name")]
    Refused {
        /// `host:port/database`.
        at: String,
        /// The user that was to sign in.
        user: String,
        /// The server's words.
        #[source]
        source: Cause<sqlx::Error>,
    },
    /// The schema could not be brought up to date, or is a newer program's.
    #[error(
        "cannot migrate the warehouse's schema; check that its user may create tables in schema public, and that \
             no newer version of this program has migrated it"
    )]
    Migrate(#[source] Cause<MigrateError>),
    /// A statement failed.
    #[error("the warehouse could not {doing}")]
    Query {
        /// What was asked of it, as a verb and its object.
        doing: &'static str,
        /// What it answered.
        #[source]
        source: Cause<sqlx::Error>,
    },
    /// Rows to publish do not have the columns of their table.
    #[error("rows for {table} do not fit it: missing columns [{missing}], unknown columns [{unknown}]")]
    Columns {
        /// The table.
        table: &'static str,
        /// The table's columns that the rows lack.
        missing: String,
        /// The rows' columns that the table lacks.
        unknown: String,
    },
    /// Rows to publish have a type or a value that PostgreSQL cannot be sent.
    #[error("rows for {table} cannot be copied")]
    Encode {
        /// The table.
        table: &'static str,
        /// Which column, and why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Rows to publish cannot be read from where they lie.
    #[error("the rows for {table} cannot be read from where the run has put them")]
    Rows {
        /// The table.
        table: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The ledger holds a word that this program does not know; a newer one may have written it.
    #[error("run {run_id} in etl_job_runs cannot be read; has a newer version of this program written it?")]
    Ledger {
        /// The run.
        run_id: Uuid,
        /// The word.
        #[source]
        source: UnknownWord,
    },
    /// No run has this id.
    #[error("there is no run {0} in etl_job_runs")]
    NoSuchRun(Uuid),
}

/// An error of the driver as a cause. Its text holds the texts of its own causes already, so it ends the chain, and
/// nothing is said twice.
#[derive(Debug)]
pub struct Cause<E>(pub(crate) E);

impl Display for Cause<sqlx::Error> {
    /// Of what the server answered, its words alone: the driver adds in which line of PostgreSQL's source they stand.
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            sqlx::Error::Database(answer) => f.write_str(answer.message()),
            other => other.fmt(f),
        }
    }
}

impl Display for Cause<MigrateError> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: std::fmt::Debug> std::error::Error for Cause<E> where Self: Display {}

/// What kind of failure it is, for those who choose an exit code or a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nobody answered, or no connection was free in time. Trying again later may help.
    Unreachable,
    /// User, password or database name are wrong.
    Credentials,
    /// The address cannot be used.
    Address,
    /// Tables are missing or not those of this program: migrate.
    Schema,
    /// The statement ran into its timeout.
    Timeout,
    /// The server has no space left.
    Storage,
    /// The statement itself failed, or its rows did not fit.
    Query,
}

impl WarehouseError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Address(_) => ErrorKind::Address,
            Self::Unreachable { .. } | Self::Untrusted { .. } => ErrorKind::Unreachable,
            Self::Refused { .. } => ErrorKind::Credentials,
            Self::Migrate(Cause(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _))) => {
                match kind_of(source) {
                    ErrorKind::Query => ErrorKind::Schema,
                    kind => kind,
                }
            }
            Self::Migrate(_) | Self::Ledger { .. } => ErrorKind::Schema,
            Self::Query { source, .. } => kind_of(&source.0),
            Self::Columns { .. } | Self::Encode { .. } | Self::Rows { .. } | Self::NoSuchRun(_) => ErrorKind::Query,
        }
    }

    /// Names what was asked when a statement fails: `.map_err(WarehouseError::query("claim a run"))`.
    pub(crate) fn query(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query {
            doing,
            source: Cause(source),
        }
    }
}

/// The kind of a driver error, by SQLSTATE where the server gave one.
pub(crate) fn kind_of(error: &sqlx::Error) -> ErrorKind {
    use sqlx::Error;
    match error {
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed => ErrorKind::Unreachable,
        Error::Configuration(_) => ErrorKind::Address,
        Error::Database(error) => match error.code().as_deref().unwrap_or_default() {
            "57014" => ErrorKind::Timeout,
            "53100" => ErrorKind::Storage,
            "3D000" | "42501" => ErrorKind::Credentials,
            "42P01" | "42703" | "42P10" | "3F000" => ErrorKind::Schema,
            code if code.starts_with("28") => ErrorKind::Credentials,
            // The server gave up waiting for us within a transaction.
            "25P03" => ErrorKind::Unreachable,
            // Shutting down, starting up, too many connections, connection lost.
            code if ["57P", "08", "53"].iter().any(|class| code.starts_with(class)) => ErrorKind::Unreachable,
            _ => ErrorKind::Query,
        },
        _ => ErrorKind::Query,
    }
}
