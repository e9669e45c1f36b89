//! The KPI API, an address a file.

pub(crate) mod active_users;
mod active_users_params;
pub(crate) mod cache;
pub(crate) mod health;
pub(crate) mod overview;
mod overview_trends;
mod segment_breakdown;
mod session_shares;
pub(crate) mod sessions;
