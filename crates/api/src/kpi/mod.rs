//! The KPI API, an address a file.

pub(crate) mod active_users;
mod active_users_params;
pub(crate) mod health;
pub(crate) mod overview;
