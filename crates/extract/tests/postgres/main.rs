//! Extraction from real PostgreSQL databases.

mod cancellation;
mod contract;
mod faults;
mod platform;
mod snapshot;
mod values;
mod windows;
