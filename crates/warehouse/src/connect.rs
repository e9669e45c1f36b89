//! Reaching the warehouse: one checked connection first, for an error that says what is wrong, then a pool.

use std::io;
use std::time::Duration;

use kindred_model::{TLS_IS_MISSING, TLS_PROVES_NOTHING};
use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection, PgPool};

use crate::address::Address;
use crate::error::{Cause, ErrorKind, WarehouseError, kind_of};

/// The warehouse, by way of a pool of connections. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Warehouse {
    pool: PgPool,
}

/// How to hold connections.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The most connections held at a time.
    pub max_connections: u32,
    /// How long a caller waits for a connection, a new one's handshake included.
    pub acquire_timeout: Duration,
    /// How long the server lets one statement run; none: as long as it takes.
    pub statement_timeout: Option<Duration>,
    /// The name that `pg_stat_activity` shows.
    pub application_name: String,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            max_connections: 8,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: None,
            application_name: "kindred".to_owned(),
        }
    }
}

impl Warehouse {
    /// Connects to a PostgreSQL address, a Unix socket's (`postgresql://user@localhost/db?host=/folder`) too.
    ///
    /// # Errors
    /// When the address cannot be used, nobody answers within `acquire_timeout`, or the user is turned away.
    pub async fn connect(url: &SecretString, options: &ConnectOptions) -> Result<Self, WarehouseError> {
        let address = Address::parse(url)?;
        let server = server(&address, options);
        let attempt = tokio::time::timeout(options.acquire_timeout, server.connect());
        let silent = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        let connected = attempt.await.unwrap_or_else(|_| Err(sqlx::Error::Io(silent())));
        // Best effort: the connection has proved itself, and the pool opens its own.
        let _ = connected.map_err(|source| failed(&address, source))?.close().await;
        Ok(Self::pooled(server, options))
    }

    /// The warehouse at an address that need not answer yet: every use of it tries to connect.
    ///
    /// For a server that is to start, and say that it is not ready, while its warehouse is away.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn connect_lazy(url: &SecretString, options: &ConnectOptions) -> Result<Self, WarehouseError> {
        Ok(Self::pooled(server(&Address::parse(url)?, options), options))
    }

    /// What connections to an address risk, when they lead to another machine and it asks for less than a verified server.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn risk(url: &SecretString) -> Result<Option<String>, WarehouseError> {
        Ok(Address::parse(url)?.risk())
    }

    /// Asks the warehouse for nothing, to see that it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), WarehouseError> {
        let asked = sqlx::query("select 1").execute(&self.pool).await;
        asked.map(drop).map_err(WarehouseError::query("answer a ping"))
    }

    /// The pool, for what this crate has no word for.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    fn pooled(server: PgConnectOptions, options: &ConnectOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_lazy_with(server);
        Self { pool }
    }
}

fn server(address: &Address, options: &ConnectOptions) -> PgConnectOptions {
    let server = address.options.clone().application_name(&options.application_name);
    match options.statement_timeout {
        Some(timeout) => server.options([("statement_timeout", timeout.as_millis().to_string())]),
        None => server,
    }
}

fn failed(address: &Address, source: sqlx::Error) -> WarehouseError {
    let at = address.label();
    if let Some(check) = mistrust(&source) {
        return WarehouseError::Untrusted {
            at,
            mode: address.mode(),
            check,
            source: Cause(source),
        };
    }
    let kind = kind_of(&source);
    let source = Cause(source);
    match kind {
        ErrorKind::Credentials => WarehouseError::Refused {
            at,
            user: address.options.get_username().to_owned(),
            source,
        },
        _ => WarehouseError::Unreachable { at, source },
    }
}

/// What to check when it was the server's trustworthiness that a connection failed for.
fn mistrust(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Tls(reason) if reason.to_string().contains("does not support TLS") => Some(TLS_IS_MISSING),
        sqlx::Error::Tls(_) => Some(TLS_PROVES_NOTHING),
        // What the handshake itself found reaches us as data that cannot be read.
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => Some(TLS_PROVES_NOTHING),
        _ => None,
    }
}
