//! The daily job: the key figures of days.
//!
//! pull what the sources changed → rebuild the compact state that it touches → compute the tables of the asked days and
//! of those that the changes restate → check → publish everything at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use kindred_lake::{Dataset, Snapshot, StagedPartition};
use kindred_model::{DayWindow, RunStatus};
use kindred_warehouse::{PartitionChange, Publication, Run, RunOutcome};
use serde_json::json;
use uuid::Uuid;

use crate::Platform;
use crate::error::{JobError, describe};
use crate::ledger::{Done, Ledger, count};
use crate::steps::known::Known;
use crate::steps::work::Work;
use crate::steps::{check, compute, datasets, mirror, pull, state};

/// How far back a day is computed again when its facts change; what changes before that waits for a backfill.
const RESTATED_DAYS: u64 = 35;

/// How far before a day a bucket that holds it may begin.
const LONGEST_BUCKET_DAYS: u64 = 92;

pub(crate) async fn run(platform: &Arc<Platform>, run: &Run, owner: Uuid, ledger: &Ledger) -> Result<(), JobError> {
    let asked = asked_days(platform, run)?;
    let work = Work::new(platform, run, asked);
    let mut snapshot = platform.lake.snapshot(datasets::all()).await?;
    let known = Known::load(platform).await?;
    let computed = computed_days(&snapshot);

    ledger.begin("pull").await?;
    let pulled = pull::pull(&work, &snapshot, &known, &computed).await?;
    pulled.staged.iter().for_each(|file| snapshot.overlay(file));
    ledger
        .end(Done {
            rows_read: pulled.rows_read,
            detail: pulled.detail(),
            ..Done::default()
        })
        .await?;

    let today = pulled.as_of.date_naive();
    let oldest = today - Days::new(RESTATED_DAYS);
    let since = asked.from().min(oldest) - Days::new(LONGEST_BUCKET_DAYS);
    let unsettled = known.unsettled(&platform.lake, &snapshot, since).await?;
    let mut restated = pulled.restated(today, RESTATED_DAYS, &computed);
    restated.extend(
        unsettled
            .values()
            .flatten()
            .filter(|day| (oldest..=today).contains(day)),
    );
    let windows = DayWindow::covering(asked.days().chain(restated.iter().copied()));

    ledger.begin("state").await?;
    let states = state::rebuild(&work, &snapshot, &known, &pulled, &windows).await?;
    states.iter().for_each(|file| snapshot.overlay(file));
    ledger
        .end(Done {
            rows_written: rows(&states),
            ..Done::default()
        })
        .await?;

    ledger.begin("compute").await?;
    let session = datasets::session(platform, snapshot)?;
    let tables = compute::compute(platform, &session, &pulled, &windows).await?;
    let computed_rows = tables.iter().map(|table| table.rows() as u64).sum();
    ledger
        .end(Done {
            rows_written: computed_rows,
            detail: json!({ "restated": restated }),
            ..Done::default()
        })
        .await?;

    ledger.begin("check").await?;
    let checks = check::identities(platform, &session, &tables).await?;
    ledger.end(Done::default()).await?;

    ledger.begin("stage").await?;
    let (changes, mirrored) = mirror::mirror(&work, &session, tables, &unsettled).await?;
    ledger
        .end(Done {
            rows_written: rows(&mirrored),
            ..Done::default()
        })
        .await?;

    let staged: Vec<StagedPartition> = [pulled.staged.clone(), states, mirrored].concat();
    let outcome = RunOutcome {
        status: if pulled.absent.is_empty() {
            RunStatus::Completed
        } else {
            RunStatus::Partial
        },
        records_read: count(pulled.rows_read),
        records_processed: count(computed_rows),
        error_message: pulled.absence(),
        checks: json!({
            "identities": checks,
            "lateChanges": pulled.late(today, RESTATED_DAYS, &computed),
        }),
        steps: ledger.steps(),
        transient: false,
    };
    if run.dry_run {
        platform.lake.discard(run.id).await?;
        platform
            .warehouse
            .finish(run.id, owner, platform.clock.now(), outcome)
            .await?;
        return Ok(());
    }
    let publication = Publication {
        run_id: run.id,
        owner,
        at: platform.clock.now(),
        tables: changes,
        partitions: staged.iter().map(partition).collect(),
        watermarks: pulled.watermarks,
        outcome,
    };
    let published = platform
        .warehouse
        .publish(&publication, || platform.lake.swap(&staged))
        .await?;
    // What was read and no different is still staged; the run is published whether or not it can be removed now.
    if let Err(error) = platform.lake.discard(run.id).await {
        tracing::warn!(run_id = %run.id, error = describe(&error), "staged files were left behind");
    }
    for (table, changed) in &published.rows_changed {
        tracing::info!(run_id = %run.id, table, changed, "published");
    }
    Ok(())
}

/// The days that the run was asked for, as far as they have begun.
fn asked_days(platform: &Platform, run: &Run) -> Result<DayWindow, JobError> {
    let (from, to) = (run.interval_start.date_naive(), run.interval_end.date_naive());
    let tomorrow = platform.clock.now().date_naive() + Days::new(1);
    let whole = DayWindow::new(from, to).unwrap_or_else(|_| DayWindow::day(from));
    DayWindow::new(from, to.min(tomorrow)).map_err(|_| JobError::Future(whole.into()))
}

/// The days that have figures already.
fn computed_days(snapshot: &Snapshot) -> BTreeSet<NaiveDate> {
    snapshot
        .files(&Dataset::kpi(kindred_warehouse::DAILY_KPI_SUMMARIES.name))
        .map(|file| file.partition.day)
        .collect()
}

fn rows(staged: &[StagedPartition]) -> u64 {
    staged.iter().map(|file| file.content_hash.rows()).sum()
}

fn partition(staged: &StagedPartition) -> PartitionChange {
    PartitionChange {
        dataset: staged.dataset.to_string(),
        partition: staged.partition.to_string(),
        path: staged.path(),
        rows: count(staged.content_hash.rows()),
        bytes: count(staged.meta.size),
        etag: staged.meta.e_tag.clone(),
        content_hash: staged.content_hash.to_string(),
        removed: false,
    }
}
