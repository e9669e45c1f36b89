//! Decides when a job is due, and sees to it that every tick is run once.
//!
//! A [`Schedule`] says when a job ticks, [`due()`] which ticks a job has before it after any downtime, the warehouse deals
//! with each in one transaction, and the [`Ticker`] takes turns. Here nothing is computed and no run is carried out: runs
//! are queued in the ledger, and a worker takes them up. What a job does is not known here, but for how much of its past
//! is worth catching up and how long its runs may take.

mod due;
mod schedule;
mod ticker;

pub use due::due;
pub use schedule::{Schedule, ScheduleError};
pub use ticker::{Ticker, Turn};
