//! The user service: accounts, sessions, profiles, subscriptions.

pub(crate) mod auth;
pub(crate) mod profile;
pub(crate) mod register;
pub(crate) mod subscriptions;
