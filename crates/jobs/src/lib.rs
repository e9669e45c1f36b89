//! The jobs: the only crate that knows the whole way from the sources to a published figure.
//!
//! A run pulls what its sources have changed, computes its tables over the lake, checks them, and publishes everything
//! in one step or nothing at all. [`Platform`] is what a run works with, [`execute()`] carries one out under its lease,
//! [`Worker`] takes up the runs and backfills that others request, [`backfill()`] walks over past days. When a job is
//! due is not decided here.

mod backfill;
pub mod catalog;
mod consumer;
mod demand;
mod erasure;
mod error;
mod execute;
pub mod funnels;
mod ledger;
mod platform;
mod quality;
mod run;
mod steps;
mod sweep;
mod turn;
mod worker;

pub use backfill::{BackfillReport, backfill};
pub use erasure::erase_now;
pub use error::{ErrorKind, JobError, describe};
pub use execute::{execute, run_now};
pub use funnels::FunnelSpec;
pub use platform::{JobSettings, Platform};
pub use quality::Webhook;
pub use steps::datasets::{lake_tables, summary_schema};
pub use sweep::sweep;
pub use worker::Worker;

pub use kindred_warehouse::BackfillProgress;
