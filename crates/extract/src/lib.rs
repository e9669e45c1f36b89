//! A source and a window in, Arrow batches out.
//!
//! [`PostgresSource`] reads the facts of one source through ConnectorX: read only, all facts from one snapshot, checked
//! against the contract before the first row, with a deadline and bounded memory. User ids become user keys while they
//! are parsed ([`UserKeys`]); columns that the contract does not know are never selected. [`EventSource`] reads the event
//! stream, whichever of its three forms it has.
//!
//! This crate does not decide what to read or when, writes nothing anywhere, and does not leave out internal users.

mod contract;
mod error;
mod events;
mod library;
mod parameters;
mod postgres;
mod user_key;

pub use contract::{fact_schema, key_columns, required_columns};
pub use error::{ErrorKind, ExtractError};
pub use events::{
    ArrivalBatch, ArrivalRequest, Arrivals, EventSource, EventsConfig, MixpanelSettings, Patience, PropertyList,
    Rejected, USER_ID_ENDING, rejected_batch, rejected_schema,
};
pub use library::{FactQueries, embedded_queries, queries_from};
pub use postgres::{Nulls, PostgresSource, Rows, Snapshot, SourceConfig};
pub use user_key::UserKeys;
