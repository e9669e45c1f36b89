//! The KPI API, an address a file.

pub(crate) mod active_users;
mod active_users_params;
mod behavior_facets;
pub(crate) mod cache;
pub(crate) mod funnel;
mod funnel_dates;
mod funnel_steps;
pub(crate) mod health;
pub(crate) mod lifecycle;
pub(crate) mod overview;
mod overview_trends;
pub(crate) mod retention;
mod retention_averages;
mod retention_cohorts;
pub(crate) mod revenue;
mod revenue_plans;
mod revenue_summary;
mod revenue_timeline;
mod segment_breakdown;
mod session_shares;
pub(crate) mod sessions;
pub(crate) mod user_behavior;
