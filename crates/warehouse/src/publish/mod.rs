//! Publishing a run: all that it changes, in one transaction, while it holds its lease.
//!
//! The lake's files are swapped in at the very end, just before the commit. A crash before the swap changes nothing; a
//! crash between swap and commit leaves the lake one run ahead, and the run, not completed, is repeated.

pub(crate) mod bookkeeping;
mod event_days;
mod few;
mod load;
mod merge;
mod rows;

use std::collections::BTreeSet;
use std::future::Future;
use std::mem;
use std::pin::pin;

use chrono::NaiveDate;
use kindred_model::{DayWindow, Instant, Interval, RunStatus, Source};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::sleep;
use uuid::Uuid;

pub use self::rows::{ChangeRows, RowSource, RowStream};
use crate::read::publications::CHANNEL;
use crate::runs::{RunOutcome, STALE_AFTER, finish};
use crate::{PendingChange, SummaryTable, Warehouse, WarehouseError};

/// All that a run publishes.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The run.
    pub run_id: Uuid,
    /// Who holds it.
    pub owner: Uuid,
    /// When it ends.
    pub at: Instant,
    /// The summary rows.
    pub tables: Vec<TableChange>,
    /// The lake's files.
    pub partitions: Vec<PartitionChange>,
    /// How far the sources were read.
    pub watermarks: Vec<WatermarkChange>,
    /// The changes of facts that the run saw, for the consumers that it did not serve.
    pub noted: Vec<PendingChange>,
    /// The changes that earlier runs noted, and this one has served.
    pub settled: Vec<PendingChange>,
    /// The files of events that were read: path and ETag.
    pub event_files: Vec<(String, String)>,
    /// The first day of which events are kept in `user_behavior_events`, when the run writes them.
    pub events_since: Option<NaiveDate>,
    /// How the run ends: completed or partial.
    pub outcome: RunOutcome,
}

/// The rows that shall stand for a scope of a table.
#[derive(Debug, Clone)]
pub struct TableChange {
    /// The table.
    pub table: &'static SummaryTable,
    /// The rows, with exactly the table's columns, by name, in any order. `run_id` is FixedSizeBinary(16) or text;
    /// instants are microseconds, with or without a zone: UTC. A float is taken for a numeric column too.
    pub rows: ChangeRows,
    /// Which rows of the table they replace.
    pub scope: Scope,
}

/// Which rows of a table a change replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of these days: rows of the table that are not among the new ones are deleted.
    Days(Vec<DayWindow>),
    /// Those of these instants, in the same way, where the table's day column is an instant.
    Within(Vec<Interval>),
    /// Those with the keys of the new rows: nothing is deleted.
    Keys,
}

impl Scope {
    /// The time of which rows vanish that are not among the new ones; none for keys.
    #[must_use]
    pub fn intervals(&self) -> Vec<Interval> {
        match self {
            Self::Days(windows) => windows.iter().map(|window| Interval::from(*window)).collect(),
            Self::Within(intervals) => intervals.clone(),
            Self::Keys => Vec::new(),
        }
    }
}

/// A partition of the lake that a run replaced or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionChange {
    /// For example `facts/users`.
    pub dataset: String,
    /// `date=YYYY-MM-DD`.
    pub partition: String,
    /// The file, relative to the lake.
    pub path: String,
    /// Its rows.
    pub rows: i64,
    /// Its size.
    pub bytes: i64,
    /// Its ETag, where the store gives one.
    pub etag: Option<String>,
    /// A hash of its rows.
    pub content_hash: String,
    /// Rows of the source that it lacks, since their person is erased.
    pub left_out: i64,
    /// Whether the partition is gone.
    pub removed: bool,
}

/// How far a run read a dataset of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatermarkChange {
    /// The source.
    pub source: Source,
    /// The dataset: a fact's name.
    pub dataset: String,
    /// The instant at which it was read to the end. A watermark never goes back.
    pub extracted_to: Instant,
    /// The latest instant of its rows.
    pub last_row_at: Option<Instant>,
    /// Rows read.
    pub rows: i64,
    /// A hash of the source's columns and types.
    pub schema_fingerprint: String,
}

/// What a publication changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// By table, in the publication's order: rows inserted, updated and deleted. Equal rows are left alone.
    pub rows_changed: Vec<(&'static str, u64)>,
}

/// Why a run was not published. Nothing was.
#[derive(Debug, thiserror::Error)]
pub enum PublishError<E> {
    /// The run is not its owner's any more: it was taken for dead, or cancelled.
    #[error(
        "run {run_id} lost its lease and published nothing; its process was taken for dead, or the run was cancelled"
    )]
    LostLease {
        /// The run.
        run_id: Uuid,
    },
    /// The lake's files could not be swapped in.
    #[error("the lake's files could not be swapped in; nothing was published")]
    Swap(#[source] E),
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

impl Warehouse {
    /// Publishes a run. `swap` puts the staged files into the lake; when it fails, the warehouse stays as it was.
    ///
    /// The server ends the transaction of a process that goes silent within it, as others would its run. However long `swap`
    /// takes, it is no silence.
    ///
    /// # Errors
    /// When the lease is lost, `swap` fails, or the warehouse refuses; a refusal of the commit itself comes after the
    /// swap.
    pub async fn publish<F, Fut, E>(&self, publication: &Publication, swap: F) -> Result<Published, PublishError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), E>>,
    {
        let mut transaction = self
            .pool()
            .begin()
            .await
            .map_err(WarehouseError::query("begin to publish"))?;
        limit_idle_time(&mut transaction).await?;
        if !hold_lease(&mut transaction, publication.run_id, publication.owner).await? {
            return Err(PublishError::LostLease {
                run_id: publication.run_id,
            });
        }
        let rows_changed = write(&mut transaction, publication).await?;
        if let Err(error) = attended(&mut transaction, swap()).await? {
            // Explicitly, so that the run's row is free when the caller ends the run as failed.
            transaction
                .rollback()
                .await
                .map_err(WarehouseError::query("take back a publication"))?;
            return Err(PublishError::Swap(error));
        }
        transaction
            .commit()
            .await
            .map_err(WarehouseError::query("commit a publication"))?;
        Ok(Published { rows_changed })
    }
}

/// Lets the server end the transaction when nobody is heard of for as long as a lease may be silent.
pub(crate) async fn limit_idle_time(connection: &mut PgConnection) -> Result<(), WarehouseError> {
    let patience = format!(
        "set local idle_in_transaction_session_timeout = {}",
        STALE_AFTER.as_millis()
    );
    sqlx::query(AssertSqlSafe(patience))
        .execute(connection)
        .await
        .map_err(WarehouseError::query("limit the time of a publication"))?;
    Ok(())
}

/// Waits for work beside a transaction, whose server hears meanwhile that somebody is there.
async fn attended<T>(connection: &mut PgConnection, work: impl Future<Output = T>) -> Result<T, WarehouseError> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            () = sleep(STALE_AFTER / 6) => {}
        }
        sqlx::query("select 1")
            .execute(&mut *connection)
            .await
            .map_err(WarehouseError::query("keep a publication open"))?;
    }
}

/// Locks the run's row for the rest of the transaction. False when the run is not the owner's any more.
pub(crate) async fn hold_lease(
    connection: &mut PgConnection,
    run_id: Uuid,
    owner: Uuid,
) -> Result<bool, WarehouseError> {
    let held: Option<bool> =
        sqlx::query_scalar("select owner = $2 and status = $3 from etl_job_runs where id = $1 for update")
            .bind(run_id)
            .bind(owner)
            .bind(RunStatus::Running.as_str())
            .fetch_optional(connection)
            .await
            .map_err(WarehouseError::query("hold a run's lease"))?
            .flatten();
    Ok(held == Some(true))
}

/// Writes everything into the open transaction. Returns the rows changed by table.
async fn write(
    connection: &mut PgConnection,
    publication: &Publication,
) -> Result<Vec<(&'static str, u64)>, WarehouseError> {
    let Publication { run_id, owner, at, .. } = *publication;
    let mut rows_changed = Vec::with_capacity(publication.tables.len());
    let mut new_days = BTreeSet::new();
    if let Some(since) = publication.events_since {
        let events = publication
            .tables
            .iter()
            .filter(|change| change.table == &crate::USER_BEHAVIOR_EVENTS);
        let days = events
            .flat_map(|change| change.scope.intervals())
            .flat_map(|interval| interval.days().days());
        new_days = event_days::missing(connection, since, &days.collect()).await?;
    }
    merge::note_closed_days(connection).await?;
    for change in &publication.tables {
        let mut appended = None;
        if change.table == &crate::USER_BEHAVIOR_EVENTS {
            appended = load::fill(connection, change, &mem::take(&mut new_days)).await?;
        }
        if appended.is_none() {
            appended = load::append(connection, change).await?;
        }
        let changed = match appended {
            Some(appended) => appended,
            None => {
                load::stage(connection, change).await?;
                merge::merge(connection, change, run_id, at).await?
            }
        };
        rows_changed.push((change.table.name, changed));
    }
    bookkeeping::partitions(connection, &publication.partitions, run_id, at).await?;
    bookkeeping::watermarks(connection, &publication.watermarks, run_id).await?;
    bookkeeping::event_files(connection, &publication.event_files, run_id).await?;
    bookkeeping::settle(connection, &publication.settled).await?;
    bookkeeping::note(connection, &publication.noted, run_id).await?;
    finish(connection, run_id, owner, at, &publication.outcome).await?;
    sqlx::query("select pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(run_id.to_string())
        .execute(connection)
        .await
        .map_err(WarehouseError::query("announce a publication"))?;
    Ok(rows_changed)
}
