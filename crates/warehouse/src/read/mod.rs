//! What the API reads: one model per answer, as rows, neither rounded nor rated.

pub mod active_users;
pub mod funnel;
pub mod lifecycle;
pub mod overview;
pub mod publications;
pub mod retention;
pub mod revenue;
pub mod segments;
pub mod sessions;
pub mod standing;
pub mod user_behavior;
