//! For tests only: one throw-away PostgreSQL for all test processes of a user, a database for every test, a wire to it that
//! can be cut, dates written as text, and Markdown pages taken apart.
//!
//! The server is the private one of `kindred-embedded-pg`, ephemeral and lingering, so that test runners which give
//! every test a process of its own share it too. What cannot be done to a server that others use (passwords, TLS, a
//! sudden end) is done to an [`OwnServer`]. Everything here panics instead of answering errors.

mod database;
mod own_server;
mod page;
mod proxy;
mod server;
mod time;

pub use database::{Template, TestDatabase};
pub use own_server::{ELSEWHERE, OwnServer, free_port};
pub use page::{Block, Page, Place};
pub use proxy::{Conduct, End, Proxy};
pub use server::TestServer;
pub use time::{at, day};
