//! The warehouse on a real PostgreSQL, a database a test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod backfills;
mod connect;
mod events;
mod figures;
mod leases;
mod migrate;
mod publish;
mod read;
mod retries;
mod revisions;
mod runs;
mod support;
mod tls;
mod turns;
