//! The private server as its owners see it: real servers, real processes, real kills.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod addresses_and_faults;
mod lifecycle;
mod owner;
mod support;
