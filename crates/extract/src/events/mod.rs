//! The event stream, from any of its three forms: a PostgreSQL table, NDJSON files, Mixpanel's raw export.
//!
//! Whichever it is, events leave as rows of the fact `events`, cleaned by one set of rules (`gathering`, `properties`),
//! in batches of bounded size, each with what was set aside on the way. An event may be given more than once, and late:
//! to keep one copy, and to put it where it belongs, is the reader's affair.

mod address;
mod arrival_days;
mod arrivals;
mod files;
#[cfg(test)]
mod fuzz;
mod gathering;
mod line;
mod lines;
mod mixpanel;
mod properties;
mod rejected;
mod scalar;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::NaiveDate;
use kindred_model::{DayWindow, Fact, Instant, Source};
use secrecy::{ExposeSecret, SecretString};

use self::address::Address;
pub use self::arrivals::{ArrivalBatch, Arrivals};
use self::files::EventFiles;
use self::mixpanel::Mixpanel;
pub use self::mixpanel::{MixpanelSettings, Patience};
pub use self::properties::{PropertyList, USER_ID_ENDING};
pub use self::rejected::{Rejected, rejected_batch, rejected_schema};
use crate::library::FactQueries;
use crate::{ExtractError, PostgresSource, SourceConfig, UserKeys};

/// What the event source needs to be read.
pub struct EventsConfig {
    /// `EVENTS_URL`: `postgresql://…`; a folder, as a path or `file://…`; `s3://…`, `gs://…`, `az://…`;
    /// `mixpanel://PROJECT`.
    pub address: SecretString,
    /// What makes user keys of user and anonymous ids.
    pub keys: UserKeys,
    /// The properties that are kept.
    pub properties: PropertyList,
    /// The query of the table.
    pub queries: BTreeMap<Fact, FactQueries>,
    /// How long opening the table, and reading it, may each take.
    pub deadline: Duration,
    /// Events in a batch; it has fewer when they are large.
    pub batch_rows: usize,
    /// Batches of the table that may wait for their reader.
    pub queue_batches: usize,
    /// The object store's own settings, such as `aws_region`.
    pub store_options: Vec<(String, String)>,
    /// Who signs in to Mixpanel, and where.
    pub mixpanel: MixpanelSettings,
}

/// How ids and properties are treated on the way out of any source.
#[derive(Debug, Clone)]
struct Cleaning {
    keys: UserKeys,
    properties: PropertyList,
    batch_rows: usize,
}

/// Where the platform's events come from. Holds no connection between extractions.
pub struct EventSource {
    origin: Origin,
    cleaning: Cleaning,
}

enum Origin {
    Table(PostgresSource),
    Files(EventFiles),
    Mixpanel(Mixpanel),
}

/// Which events are asked for.
#[derive(Debug, Clone)]
pub struct ArrivalRequest {
    /// The watermark: up to where the source was read to its end. `None` asks for everything, or for what arrived since
    /// `history_since`; of Mixpanel, which keeps years, for the last 35 days.
    pub since: Option<Instant>,
    /// The time of asking.
    pub now: Instant,
    /// `HISTORY_SINCE`: nothing that arrived before this day is wanted.
    pub history_since: Option<NaiveDate>,
    /// A backfill's days, which Mixpanel is asked for in place of those since the watermark. The others know what
    /// arrived since when, and ignore it.
    pub days: Option<DayWindow>,
    /// Whether a table is searched for rows that were committed long after they arrived: once a day.
    pub reconciles: bool,
    /// The files read so far, and the version of each: [`Arrivals::read_files`] of earlier extractions.
    pub known_files: BTreeMap<String, String>,
}

impl EventSource {
    /// The source that an address names. Does not connect.
    ///
    /// # Errors
    /// Of kind `Settings`: an address of no known kind, one that cannot be used, or Mixpanel's without who signs in.
    pub fn new(config: EventsConfig) -> Result<Self, ExtractError> {
        let cleaning = Cleaning {
            keys: config.keys.clone(),
            properties: config.properties,
            batch_rows: config.batch_rows.max(1),
        };
        let address = Address::parse(config.address.expose_secret(), config.store_options)?;
        let origin = match address {
            Address::Table => Origin::Table(PostgresSource::new(SourceConfig {
                source: Source::Events,
                url: config.address,
                keys: config.keys,
                queries: config.queries,
                deadline: config.deadline,
                batch_rows: config.batch_rows,
                queue_batches: config.queue_batches,
            })?),
            Address::Files(files) => Origin::Files(files),
            Address::Mixpanel { project } => Origin::Mixpanel(Mixpanel::new(project, config.mixpanel)?),
        };
        Ok(Self { origin, cleaning })
    }

    /// Whether an address names a source of events. Nothing is connected to.
    ///
    /// # Errors
    /// Of kind `Settings`: an address of no known kind.
    pub fn check_address(address: &str, store_options: Vec<(String, String)>) -> Result<(), ExtractError> {
        Address::parse(address, store_options).map(drop)
    }

    /// What connections to a table risk, as [`PostgresSource::risk`] says.
    #[must_use]
    pub fn risk(&self) -> Option<String> {
        match &self.origin {
            Origin::Table(table) => table.risk(),
            Origin::Files(_) | Origin::Mixpanel(_) => None,
        }
    }

    /// Whether the source answers, lets us read, and keeps the contract: every mistake. Asking Mixpanel costs one of
    /// the 60 requests that it grants an hour.
    ///
    /// # Errors
    /// One error a mistake; a source that cannot be reached is one.
    pub async fn check(&self, now: Instant) -> Result<(), Vec<ExtractError>> {
        match &self.origin {
            Origin::Table(table) => table.check(&[Fact::Events]).await,
            Origin::Files(files) => files.check().await.map_err(|error| vec![error]),
            Origin::Mixpanel(mixpanel) => mixpanel.check(now).await.map_err(|error| vec![error]),
        }
    }

    /// Whether each question to it counts against a limit: it is then no place to look now and again.
    #[must_use]
    pub const fn is_metered(&self) -> bool {
        matches!(self.origin, Origin::Mixpanel(_))
    }

    /// Begins to read the events that a request asks for, and some that were read before.
    ///
    /// # Errors
    /// The source cannot be reached or signed in to, or does not keep the contract.
    pub async fn open(&self, request: ArrivalRequest) -> Result<Arrivals, ExtractError> {
        let cleaning = self.cleaning.clone();
        match &self.origin {
            Origin::Table(source) => Arrivals::of_table(source, cleaning, &request).await,
            Origin::Files(files) => Arrivals::of_files(files, cleaning, &request).await,
            Origin::Mixpanel(mixpanel) => Ok(Arrivals::of_mixpanel(mixpanel, cleaning, &request)),
        }
    }
}

/// Without the store's options and Mixpanel's settings, which hold secrets.
impl fmt::Debug for EventsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventsConfig")
            .field("address", &self.address)
            .field("properties", &self.properties)
            .field("deadline", &self.deadline)
            .field("batch_rows", &self.batch_rows)
            .field("queue_batches", &self.queue_batches)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Table(table) => table.fmt(f),
            Origin::Files(files) => files.fmt(f),
            Origin::Mixpanel(mixpanel) => mixpanel.fmt(f),
        }
    }
}
