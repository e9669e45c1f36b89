//! The binary as its users run it: a process, its environment, what it prints, its exit code, its HTTP answers.
//!
//! Nothing of the library crates is called here, but to read the footers of the lake's files. Source databases and
//! warehouses are those of the test kit, but where the embedded server itself is looked at.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod about;
mod access;
mod addresses;
mod contract;
mod data;
mod demo;
mod describe;
mod disk;
mod docs;
mod erase;
mod faults;
mod http;
mod jobs;
mod object_store;
mod playground;
mod query;
mod secrets;
mod setup;
mod support;
mod tls;
mod usage;
mod walkthrough;
