//! The way of a run, of whatever job.
//!
//! pull what the sources changed → rebuild the compact state that it touches → compute what is asked, and what the
//! changes restate → check → publish everything at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Days;
use kindred_lake::{Dataset, StagedPartition};
use kindred_model::{Fact, Interval, Job, RunStatus, Trigger};
use kindred_warehouse::{DAILY_KPI_SUMMARIES, PartitionChange, Publication, Run, RunOutcome};
use serde_json::json;
use uuid::Uuid;

use crate::consumer::{self, Consumer, Pending, facts_of, left_over};
use crate::demand::{RESTATED_DAYS, Situation, tables_of};
use crate::erasure::Erased;
use crate::error::JobError;
use crate::ledger::{Done, Ledger, count};
use crate::steps::compute::{self, Outcome};
use crate::steps::datasets::FUNNEL_PEOPLE;
use crate::steps::known::Known;
use crate::steps::pull;
use crate::steps::state::{self, Rebuild};
use crate::steps::work::Work;
use crate::steps::{datasets, expired, mirror, standing};
use crate::sweep::clear;
use crate::{Platform, quality};

/// How far before a day a bucket that holds it may begin.
const LONGEST_BUCKET_DAYS: u64 = 92;

pub(crate) async fn run(platform: &Arc<Platform>, run: &Run, owner: Uuid, ledger: &Ledger) -> Result<(), JobError> {
    let asked = asked(platform, run)?;
    let work = Work::new(platform, run, asked, Erased::load(&platform.warehouse).await?);
    let (mut snapshot, known, pending) = tokio::try_join!(
        async { Ok::<_, JobError>(platform.lake.snapshot(datasets::all()).await?) },
        Known::load(platform),
        async { Ok(Pending::new(platform.warehouse.pending_changes().await?)) },
    )?;
    let mut served = Consumer::served_by(run.job);

    ledger.begin("pull").await?;
    let computed = standing::of_table(&snapshot, &DAILY_KPI_SUMMARIES);
    let mut pulled = pull::pull(&work, &snapshot, &known, &computed).await?;
    pulled.staged.iter().for_each(|file| snapshot.overlay(file));
    ledger
        .end(Done {
            rows_read: pulled.rows_read,
            detail: pulled.detail(),
            ..Done::default()
        })
        .await?;

    ledger.begin("state").await?;
    let today = pulled.as_of.date_naive();
    let mut shared = state::shared(
        &Rebuild::new(&work, &snapshot, &known, today),
        &served,
        &pending,
        &pulled.changes,
    )
    .await?;
    // Of events that are read for the first time, nothing was published yet.
    if known.watermark(Fact::Events).is_none() {
        shared.aliased.clear();
    }
    shared.staged.iter().for_each(|file| snapshot.overlay(file));
    // Whose events belong to another person now has changed too, though no row did.
    let aliased = shared.aliased.iter().map(|hour| hour.day);
    let mut seen = pulled.changes.clone();
    seen.note(Fact::Events, aliased);
    let changes = Consumer::of(run.job)
        .map(|consumer| pending.of(consumer, &seen))
        .unwrap_or_default();
    let event_hours = pending.hours_known(run.job, &pulled.event_hours | &shared.aliased);
    let computed = standing::of_tables(&snapshot, &tables_of(run.job));
    let since = asked.days().from().min(today - Days::new(RESTATED_DAYS)) - Days::new(LONGEST_BUCKET_DAYS);
    let immature = match run.job {
        Job::Daily => standing::immature(platform, &snapshot, today).await?,
        _ => BTreeSet::new(),
    };
    let withheld = match run.job {
        Job::Daily => pending.withheld(),
        _ => BTreeSet::new(),
    };
    let situation = Situation {
        job: run.job,
        asked,
        withheld: &withheld,
        backfill: run.trigger == Trigger::Backfill,
        as_of: pulled.as_of,
        changes: &changes,
        event_hours: &event_hours,
        computed: &computed,
        unsettled: &known
            .unsettled(&platform.lake, &snapshot, &tables_of(run.job), since)
            .await?,
        followed: &standing::days(&snapshot, &Dataset::state(FUNNEL_PEOPLE)),
        immature: &immature,
        funnel_days: platform.settings.funnel_days(),
        events_since: platform.settings.events_since(today),
    };
    let kept_since = known.events_kept_since(&platform.settings, today);
    let demand = kept_since
        .iter()
        .fold(situation.demand(), |demand, since| demand.of_events_since(*since));
    let active = state::active(
        &Rebuild::new(&work, &snapshot, &known, today),
        &served,
        &pending,
        &pulled.changes,
        &demand,
    )
    .await?;
    active.iter().for_each(|file| snapshot.overlay(file));
    let states = [shared.staged, active].concat();
    ledger
        .end(Done {
            rows_written: rows(&states),
            ..Done::default()
        })
        .await?;

    ledger.begin("compute").await?;
    let session = datasets::session(platform, snapshot.clone())?;
    let Outcome {
        mut tables,
        spooled,
        states: outcome_states,
    } = compute::compute(
        &Rebuild::new(&work, &snapshot, &known, today),
        &session,
        &pulled,
        &demand,
    )
    .await?;
    let held: u64 = tables.iter().map(|table| table.rows() as u64).sum();
    let computed_rows = held + spooled.iter().map(|table| table.rows).sum::<u64>();
    ledger
        .end(Done {
            rows_written: computed_rows,
            detail: demand.detail(),
            ..Done::default()
        })
        .await?;

    ledger.begin("check").await?;
    let identities = quality::identities(platform, &session, &tables, pulled.as_of).await?;
    tables.retain(|computed| !identities.withheld.contains(computed.table.name));
    let mut verdicts = quality::of_sources(&pulled, &facts_of(run.job));
    verdicts.extend(quality::of_pull(&pulled, run.job));
    verdicts.extend(quality::too_late(&situation.late(), run.job, pulled.as_of));
    verdicts.extend(quality::facts(platform, &session, run.job, asked, pulled.as_of).await);
    let checks = json!({
        "identities": quality::summary(&identities.verdicts),
        "facts": quality::summary(&verdicts),
        "events": pulled.events,
        "lateChanges": situation.late(),
    });
    verdicts.extend(identities.verdicts.iter().cloned());
    ledger.end(Done::default()).await?;

    ledger.begin("stage").await?;
    let (changes_of_tables, mirrored) = mirror::mirror(&work, &session, tables, spooled, situation.unsettled).await?;
    ledger
        .end(Done {
            rows_written: rows(&mirrored),
            ..Done::default()
        })
        .await?;

    let staged = [std::mem::take(&mut pulled.staged), states, outcome_states, mirrored].concat();
    let outcome = RunOutcome {
        status: if pulled.absent.is_empty() && identities.withheld.is_empty() {
            RunStatus::Completed
        } else {
            RunStatus::Partial
        },
        records_read: count(pulled.rows_read),
        records_processed: count(computed_rows),
        error_message: quality::told(pulled.absence(), &identities),
        checks,
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
    // What was withheld is computed again by the next run: whatever asked for it stays noted, and that it was asked for.
    let mut again = Vec::new();
    if !identities.withheld.is_empty() {
        served.retain(|consumer| Some(*consumer) != Consumer::of(run.job) && *consumer != Consumer::Withheld);
        if run.job == Job::Daily {
            let days = demand
                .figures
                .iter()
                .chain(&demand.entries)
                .flat_map(|window| window.days());
            again = consumer::withheld(days.collect::<BTreeSet<_>>(), run.id);
        }
    }
    let expired = match kept_since {
        Some(since) if run.job == Job::Daily => expired::expired(&known, &snapshot, since),
        _ => Vec::new(),
    };
    let publication = Publication {
        run_id: run.id,
        owner,
        at: platform.clock.now(),
        tables: changes_of_tables,
        partitions: staged
            .iter()
            .map(|file| pulled.partition(file))
            .chain(expired.iter().map(expired::removal))
            .collect(),
        watermarks: pulled.watermarks,
        noted: [left_over(&seen, &served, run.id), again].concat(),
        settled: pending.settled(&served),
        event_files: pulled.event_files,
        events_since: (!demand.events.is_empty()).then_some(situation.events_since),
        outcome,
    };
    let published = platform
        .warehouse
        .publish(&publication, || async {
            platform.lake.swap(&staged).await?;
            platform.lake.remove(&expired).await
        })
        .await?;
    // What was read and no different is still staged; the run is published whether or not it can be removed now.
    clear(&platform.lake, run.id).await;
    for (table, changed) in &published.rows_changed {
        tracing::info!(run_id = %run.id, table, changed, "published");
    }
    quality::judge_published(platform, run, asked, verdicts).await;
    Ok(())
}

/// The time that the run was asked for, if it has begun.
fn asked(platform: &Platform, run: &Run) -> Result<Interval, JobError> {
    let asked = Interval::new(run.interval_start, run.interval_end);
    let asked = asked.expect("the ledger refuses an interval without an instant");
    if asked.start() > platform.clock.now() {
        return Err(JobError::Future(asked));
    }
    Ok(asked)
}

fn rows(staged: &[StagedPartition]) -> u64 {
    staged.iter().map(|file| file.content_hash.rows()).sum()
}

/// What the warehouse is told of a file.
pub(crate) fn partition(staged: &StagedPartition) -> PartitionChange {
    PartitionChange {
        dataset: staged.dataset.to_string(),
        partition: staged.partition.to_string(),
        path: staged.path(),
        rows: count(staged.content_hash.rows()),
        bytes: count(staged.meta.size),
        etag: staged.meta.e_tag.clone(),
        content_hash: staged.content_hash.to_string(),
        left_out: 0,
        removed: false,
    }
}
