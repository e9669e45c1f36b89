//! Both servers over real HTTP, on a real warehouse, a database a test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod access_log;
mod active_users;
mod alerts;
mod backfill;
mod cache;
mod cancel;
mod erasure;
mod errors;
mod etl_health;
mod forms;
mod funnel;
mod funnel_dates;
mod health;
mod jobs;
mod lifecycle;
mod metrics;
mod openapi;
mod origins;
mod overview;
mod retention;
mod revenue;
mod revenue_days;
mod runs;
mod sessions;
mod specification;
mod support;
mod trigger;
mod user_behavior;
