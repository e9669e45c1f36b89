//! What the API reads: one model per answer, as rows, neither rounded nor rated.

pub mod active_users;
pub mod overview;
pub mod publications;
pub mod segments;
pub mod sessions;
