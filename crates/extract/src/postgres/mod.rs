//! PostgreSQL sources.
//!
//! `address` reads the setting, `describe` holds a source against the contract, `snapshot` keeps the transaction that
//! all reads share, and `rows` hands the batches of one read to an async caller. Behind it, on a thread of its own,
//! `worker` drives ConnectorX: from the source in `copy`, which reads the rows of `binary`, by the `transport`,
//! into the builders in `batches`.

mod address;
mod batches;
mod binary;
mod connection;
mod copy;
mod describe;
mod link;
mod nulls;
mod rows;
mod snapshot;
mod transport;
mod value_type;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kindred_model::{Capture, Fact, Source};
use secrecy::{ExposeSecret, SecretString};

use self::address::Address;
pub use self::nulls::Nulls;
pub use self::rows::Rows;
pub use self::snapshot::Snapshot;
use crate::library::{FactQueries, changed_file, rows_file};
use crate::parameters::parameters;
use crate::{ExtractError, UserKeys};

/// What a source needs to be read.
#[derive(Debug)]
pub struct SourceConfig {
    /// The source.
    pub source: Source,
    /// Its address: `postgresql://user:password@host:port/database?sslmode=…`.
    pub url: SecretString,
    /// What makes user keys of its user ids.
    pub keys: UserKeys,
    /// The queries of its facts.
    pub queries: BTreeMap<Fact, FactQueries>,
    /// How long opening a snapshot, each question to it, and each read may take in total, the reader's own work included.
    pub deadline: Duration,
    /// Rows in a batch; the last one of a read has fewer.
    pub batch_rows: usize,
    /// Batches that may wait for the reader of a read. A read holds at most these and two more.
    pub queue_batches: usize,
}

/// One source database. Holds no connection between extractions.
pub struct PostgresSource {
    settings: Arc<Settings>,
}

/// What the connections and reads of a source share.
struct Settings {
    database: Source,
    address: Address,
    keys: UserKeys,
    queries: BTreeMap<Fact, FactQueries>,
    deadline: Duration,
    batch_rows: usize,
    queue_batches: usize,
}

impl PostgresSource {
    /// A source, as its settings describe it. Does not connect.
    ///
    /// # Errors
    /// Of kind `Settings`: an address that cannot be used, or a query without its parameters.
    pub fn new(config: SourceConfig) -> Result<Self, ExtractError> {
        let address = Address::parse(config.source, config.url.expose_secret())?;
        for (&fact, queries) in &config.queries {
            expect_parameters(rows_file(fact), &queries.rows, &["from", "to"])?;
            match (&queries.changed, fact.capture()) {
                (Some(changed), _) => expect_parameters(changed_file(fact), changed, &["since"])?,
                (None, Capture::LookBack { .. } | Capture::Arrival) => {}
                (None, Capture::UpdatedAt) => {
                    return Err(ExtractError::Query {
                        file: changed_file(fact),
                        problem: format!("it is missing: {fact} is read by what changed"),
                    });
                }
            }
        }
        Ok(Self {
            settings: Arc::new(Settings {
                database: config.source,
                address,
                keys: config.keys,
                queries: config.queries,
                deadline: config.deadline,
                batch_rows: config.batch_rows.max(1),
                queue_batches: config.queue_batches.max(1),
            }),
        })
    }

    /// What its connections risk, when they lead to another machine and its address asks for less than a verified server.
    #[must_use]
    pub fn risk(&self) -> Option<String> {
        self.settings.address.risk()
    }

    /// Whether the source answers and keeps the contract for these facts: every mistake, extra columns included.
    ///
    /// # Errors
    /// One error a mistake; a source that cannot be reached is one.
    pub async fn check(&self, facts: &[Fact]) -> Result<(), Vec<ExtractError>> {
        let snapshot = Snapshot::open(&self.settings, facts).await;
        let (_, extras) = snapshot.map_err(|error| match error {
            ExtractError::Contract { mistakes, .. } => mistakes,
            other => vec![other],
        })?;
        if extras.is_empty() { Ok(()) } else { Err(extras) }
    }

    /// Opens one snapshot of the source for these facts, after holding each against the contract. Columns that the
    /// contract does not know are not read, and no error here.
    ///
    /// # Errors
    /// The source cannot be reached or signed in to, does not keep the contract, or takes longer than the deadline.
    pub async fn open(&self, facts: &[Fact]) -> Result<Snapshot, ExtractError> {
        let (snapshot, extras) = Snapshot::open(&self.settings, facts).await?;
        for extra in extras {
            tracing::warn!(source = %self.settings.database, "{extra}");
        }
        Ok(snapshot)
    }
}

impl fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSource")
            .field("source", &self.settings.database)
            .field("address", &self.settings.address.label)
            .finish_non_exhaustive()
    }
}

/// A query without one of its parameters would read everything each time; one with another could not be run.
fn expect_parameters(file: String, sql: &str, expected: &[&str]) -> Result<(), ExtractError> {
    let found = parameters(sql);
    let problem = if let Some(missing) = expected.iter().find(|name| !found.contains(*name)) {
        format!("it must use ${missing}")
    } else if let Some(unknown) = found.iter().find(|name| !expected.contains(name)) {
        format!("it uses ${unknown}; its parameters are ${}", expected.join(", $"))
    } else {
        return Ok(());
    };
    Err(ExtractError::Query { file, problem })
}
