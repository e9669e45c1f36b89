//! The ticker on a real PostgreSQL, a database a test, with a clock that the test sets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod downtime;
mod races;
mod runs;
mod support;
