//! A private PostgreSQL server below a state folder, run from the installed server binaries: real and durable, no
//! configuration, no network, shared by every process that starts it on the same folder, and stopped with the last.
//!
//! Two `flock`s in `STATE_DIR/postgres` are the whole protocol. Every owner holds `owners.lock` shared for as long as
//! it lives; the kernel drops it however the owner dies. `server.lock` is held by whoever runs the server: the process
//! that prepares the cluster, then the supervisor (`supervisor.sh`) and every process of the server, which inherit it.
//! The supervisor waits for `owners.lock` alone, stops the server and is gone, so an owner that arrives meanwhile waits
//! for that lock and then starts anew. This crate knows nothing of analytics.

mod account;
mod binaries;
mod cluster;
mod error;
mod home;
mod launch;
mod options;
mod server;
mod supervisor;

pub use binaries::{OLDEST_MAJOR, find_binaries};
pub use cluster::SUPERUSER;
pub use error::EmbeddedPgError;
pub use options::{Durability, Options};
pub use server::{EmbeddedPg, start};
