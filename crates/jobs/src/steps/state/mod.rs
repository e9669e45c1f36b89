//! Compact state per person, which long windows and first-ever figures are computed from instead of from history.
//!
//! A state has a file for each day. One that is stale, because facts of the day have changed, is built again; one that
//! is missing is built when somebody wants it.

pub(crate) mod active_days;
pub(crate) mod alias_hours;
pub(crate) mod event_days;
pub(crate) mod firsts;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{Days, NaiveDate};
use kindred_engine::{Params, Value};
use kindred_lake::{Dataset, Partition, Snapshot, StagedPartition};
use kindred_model::{DayWindow, Fact};

use super::changes::Changes;
use super::datasets::{self, facts, state_schema, state_sort};
use super::known::Known;
use super::shape::by_day;
use super::work::Work;
use crate::consumer::{Consumer, Pending};
use crate::demand::{Demand, RESTATED_DAYS};
use crate::error::JobError;

/// Days of event counts that are kept ready: the longest timeframe of behaviour, from the oldest day that is restated.
const COUNTED_DAYS: u64 = 90 + RESTATED_DAYS;

/// Days that are built by one plan: what it answers is held in memory.
const DAYS_PER_PLAN: u64 = 7;

/// What building state works with: the run, the files that it sees, and what the warehouse knows of them.
pub(crate) struct Rebuild<'a> {
    pub(crate) work: &'a Work<'a>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) known: &'a Known,
    pub(crate) today: NaiveDate,
}

impl<'a> Rebuild<'a> {
    pub(crate) const fn new(work: &'a Work<'a>, snapshot: &'a Snapshot, known: &'a Known, today: NaiveDate) -> Self {
        Self {
            work,
            snapshot,
            known,
            today,
        }
    }

    /// The days whose file is the one that the warehouse knows.
    pub(crate) async fn built(&self, dataset: &Dataset) -> Result<BTreeSet<NaiveDate>, JobError> {
        let mut built = BTreeSet::new();
        for file in self.snapshot.files(dataset) {
            if self.known.holds(&self.work.platform.lake, dataset, file).await? {
                built.insert(file.partition.day);
            }
        }
        Ok(built)
    }

    /// Builds the days of a state that are built and stale, or wanted and not built.
    async fn days(
        &self,
        name: &'static str,
        query: &str,
        stale: &BTreeSet<NaiveDate>,
        wanted: &BTreeSet<NaiveDate>,
    ) -> Result<Vec<StagedPartition>, JobError> {
        let dataset = Dataset::state(name);
        let built = self.built(&dataset).await?;
        let days: BTreeSet<_> = &(&built & stale) | &(wanted - &built);
        let platform = self.work.platform;
        let query = platform.queries.get(query)?;
        let schema = state_schema(name);
        let mut staged = Vec::new();
        let windows = DayWindow::covering(days).into_iter();
        for window in windows.flat_map(|window| window.chunks(DAYS_PER_PLAN)) {
            let session = datasets::session(platform, self.snapshot.clone())?;
            let params = Params::default()
                .with("from", Value::Day(window.from()))
                .with("to", Value::Day(window.to()));
            let rows = session.query(query, &params).await?;
            let rows = by_day(&dataset, &rows, "date", &schema)?;
            let files = self.stage_days(&dataset, &schema, state_sort(name), &query.sql, window, rows);
            staged.extend(files.await?);
        }
        Ok(staged)
    }

    /// Stages a file for every day of the window: one without rows is known to be empty.
    pub(crate) async fn stage_days(
        &self,
        dataset: &Dataset,
        schema: &SchemaRef,
        sort: &[&'static str],
        sql: &str,
        window: DayWindow,
        mut rows: BTreeMap<NaiveDate, Vec<RecordBatch>>,
    ) -> Result<Vec<StagedPartition>, JobError> {
        let mut stage = self.work.stage(dataset, schema, sort, sql);
        for day in window.days() {
            let empty = || vec![RecordBatch::new_empty(schema.clone())];
            for batch in rows.remove(&day).unwrap_or_else(empty) {
                stage.write(day, batch).await?;
            }
        }
        Ok(stage.finish().await?)
    }

    /// Those of the staged files whose rows are not what is published already.
    pub(crate) async fn changed_only(
        &self,
        dataset: &Dataset,
        staged: Vec<StagedPartition>,
    ) -> Result<Vec<StagedPartition>, JobError> {
        let mut changed = Vec::new();
        for file in staged {
            let known = self.known.partition(dataset, file.partition);
            let same = known.is_some_and(|known| known.content_hash == file.content_hash.to_string());
            let published = self.snapshot.file(dataset, file.partition);
            let held = match published.filter(|_| same) {
                Some(published) => self.known.holds(&self.work.platform.lake, dataset, published).await?,
                None => false,
            };
            if !held {
                changed.push(file);
            }
        }
        Ok(changed)
    }
}

/// What rebuilding the states of events gave.
#[derive(Default)]
pub(crate) struct Shared {
    /// The files that changed.
    pub(crate) staged: Vec<StagedPartition>,
    /// The hours whose anonymous events belong to another person now.
    pub(crate) aliased: BTreeSet<Partition>,
}

/// Rebuilds what a run serves of the states of events and first moments.
pub(crate) async fn shared(
    rebuild: &Rebuild<'_>,
    served: &BTreeSet<Consumer>,
    pending: &Pending,
    seen: &Changes,
) -> Result<Shared, JobError> {
    if !served.contains(&Consumer::EventCounts) {
        return Ok(Shared::default());
    }
    let since = rebuild.today - Days::new(COUNTED_DAYS);
    let changed = pending.of(Consumer::EventCounts, seen);
    let days = async {
        let counts = event_days::counts(rebuild, &changed, since).await?;
        Ok::<_, JobError>((counts, event_days::ids(rebuild, &changed).await?))
    };
    let firsts = async {
        let aliases = firsts::aliases(rebuild, &pending.of(Consumer::Aliases, seen)).await?;
        let moments = firsts::first_moments(rebuild, &pending.of(Consumer::FirstMoments, seen)).await?;
        Ok((aliases, moments))
    };
    let both = rebuild.work.platform.both(Box::pin(days), Box::pin(firsts));
    let ((counts, ids), (aliases, moments)) = both.await?;
    let mut snapshot = rebuild.snapshot.clone();
    counts.iter().for_each(|file| snapshot.overlay(file));
    let counted = Rebuild::new(rebuild.work, &snapshot, rebuild.known, rebuild.today);
    let oldest = rebuild.today - Days::new(RESTATED_DAYS);
    Ok(Shared {
        aliased: alias_hours::of_changed_aliases(&counted, &aliases, oldest).await?,
        staged: [counts, ids, aliases, moments].concat(),
    })
}

/// Rebuilds who was active on which day, as far as the demand looks back.
pub(crate) async fn active(
    rebuild: &Rebuild<'_>,
    served: &BTreeSet<Consumer>,
    pending: &Pending,
    seen: &Changes,
    demand: &Demand,
) -> Result<Vec<StagedPartition>, JobError> {
    if !served.contains(&Consumer::ActiveDays) {
        return Ok(Vec::new());
    }
    let weeks = demand
        .cohorts
        .and_then(|weeks| DayWindow::new(weeks.first, weeks.last_week + Days::new(7)).ok());
    let windows: Vec<_> = demand.figures.iter().copied().chain(weeks).collect();
    active_days::rebuild(rebuild, &pending.of(Consumer::ActiveDays, seen), &windows).await
}

/// The first day that any of these facts has rows of.
pub(crate) fn first_day(snapshot: &Snapshot, of: &[Fact]) -> Option<NaiveDate> {
    let first = |fact: &Fact| snapshot.files(&facts(*fact)).next().map(|file| file.partition.day);
    of.iter().filter_map(first).min()
}
