//! The event stream from real tables, files and HTTP servers.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test")]

mod bad_lines;
mod fake_mixpanel;
mod fake_s3;
mod files;
mod mixpanel;
mod mixpanel_faults;
mod objects;
mod source;
mod table;
