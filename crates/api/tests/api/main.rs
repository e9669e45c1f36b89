//! Both servers over real HTTP, on a real warehouse, a database a test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod active_users;
mod backfill;
mod cancel;
mod errors;
mod etl_health;
mod health;
mod jobs;
mod overview;
mod runs;
mod support;
mod trigger;
