//! Both servers over real HTTP, on a real warehouse, a database a test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod active_users;
mod backfill;
mod cache;
mod cancel;
mod errors;
mod etl_health;
mod forms;
mod health;
mod jobs;
mod openapi;
mod overview;
mod runs;
mod sessions;
mod support;
mod trigger;
