//! The steps of a run, in order: pull, state, compute, mirror. Publishing is the warehouse's.

pub(crate) mod answers;
pub(crate) mod changes;
pub(crate) mod compute;
pub(crate) mod datasets;
pub(crate) mod events;
pub(crate) mod expired;
mod facts;
pub(crate) mod known;
mod merge;
pub(crate) mod mirror;
pub(crate) mod pull;
pub(crate) mod shape;
pub(crate) mod spool;
pub(crate) mod standing;
pub(crate) mod state;
pub(crate) mod work;
