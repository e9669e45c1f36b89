//! Tests that see the whole of the workspace, in one binary, since each link of the engine is slow.
#![allow(
    clippy::unwrap_used,
    clippy::large_futures,
    reason = "a test fails by panicking, and may be as large as it likes"
)]

mod catalog;
mod house_rules;
mod identities;
mod lake_files;
mod oracle;
mod pages;
mod peers;
mod pipeline;
mod query_cases;
mod support;
