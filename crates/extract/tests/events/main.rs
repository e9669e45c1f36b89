//! The event stream from real tables, files and HTTP servers.

mod bad_lines;
mod fake_mixpanel;
mod fake_s3;
mod files;
mod mixpanel;
mod mixpanel_faults;
mod objects;
mod source;
mod table;
