//! The warehouse on a real PostgreSQL, a database a test.

mod connect;
mod migrate;
mod publish;
mod read;
mod revisions;
mod runs;
mod support;
