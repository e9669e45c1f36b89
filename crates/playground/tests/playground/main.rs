//! The three services over HTTP, on a real PostgreSQL: what they answer, what they refuse, and the rows that they leave.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod accounts;
mod events;
mod hostile;
mod matches;
mod messages;
mod profile;
mod sessions;
mod subscriptions;
mod town;
