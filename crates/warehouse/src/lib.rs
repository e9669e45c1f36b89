//! The PostgreSQL warehouse: its schema, the ledger of runs, the publication of a run, and what the API reads.
//!
//! Everything that a run changes here, it changes in one transaction ([`Warehouse::publish`]), and only while it holds
//! its lease in the ledger. The tables that runs may write stand in one list ([`SUMMARY_TABLES`]): SQL is built from
//! that list and from nothing else, values are bound or copied. This crate computes no figure and knows no lake: the
//! caller hands in the rows, and the closure that swaps its files in.

mod address;
mod alerts;
mod connect;
mod erasure;
mod error;
mod migrate;
mod pending;
mod progress;
mod publish;
pub mod read;
mod runs;
mod tables;
mod ticks;

pub use alerts::{Alert, AlertFilter, AlertType, CheckKey, MOST_ALERTS, Outcome, RESOLVED_BY_CHECK, Severity, Verdict};
pub use connect::{ConnectOptions, Warehouse};
pub use erasure::{Erasure, ErasurePublication, EventMention, RewrittenEvent, Traces, tables_of_persons};
pub use error::{Cause, ErrorKind, WarehouseError};
pub use pending::PendingChange;
pub use progress::{LakePartition, Watermark};
pub use publish::{
    ChangeRows, PartitionChange, Publication, PublishError, Published, RowSource, RowStream, Scope, TableChange,
    WatermarkChange,
};
pub use runs::{ATTEMPTS, RequestError, Run, RunOutcome, RunRequest, STALE_AFTER, StepRecord, backoff};
pub use runs::{BackfillProgress, BackfillRequest, RunFilter, RunPage, RunPosition, piece_detail, plan_detail};
pub use tables::{
    ACTIVE_USER_BUCKETS, BEHAVIOR_ROLLUPS, CONVERSION_FUNNELS, Closed, Column, ColumnType, DAILY_KPI_SUMMARIES,
    FUNNEL_WINDOWS, HOURLY_METRICS, LIFECYCLE_DAILY, MRR_MOVEMENTS_DAILY, RETENTION_COHORTS, REVENUE_METRICS,
    SEGMENT_KPI_DAILY, SESSION_ANALYTICS, SESSION_EXITS_DAILY, SESSION_WINDOWS, SUMMARY_TABLES, SummaryTable,
    USER_BEHAVIOR_EVENTS,
};
pub use ticks::{JobState, Tick, Ticked};
