//! States of what happened for the first time ever: a day's file holds what no earlier day had.
//!
//! The files of all days together are as large as the number of people, however long the history. When a day changes,
//! it and the days after it are built again.

use arrow::datatypes::SchemaRef;
use chrono::Days;
use kindred_engine::{Params, Value};
use kindred_lake::{Dataset, Snapshot, StagedPartition};
use kindred_model::DayWindow;

use super::{Rebuild, first_day};
use crate::consumer::Consumer;
use crate::error::JobError;
use crate::steps::changes::Changes;
use crate::steps::datasets::{self, ALIASES, FIRST_MOMENTS, state_schema, state_sort};
use crate::steps::shape::by_day;

/// Days that are built by one plan: what it answers is held in memory.
const DAYS_PER_PLAN: u64 = 31;

/// Who is left out of every moment.
const STAFF: &str = "state/internal_users";

/// The table of what the days before have, in the query of a state.
const EARLIER: &str = "earlier";

/// Builds the user keys of anonymous keys from the first day on that is stale or missing.
pub(crate) async fn aliases(rebuild: &Rebuild<'_>, changes: &Changes) -> Result<Vec<StagedPartition>, JobError> {
    build(rebuild, changes, ALIASES, "state/aliases", Consumer::Aliases).await
}

/// Builds the first moments of identities from the first day on that is stale or missing.
pub(crate) async fn first_moments(rebuild: &Rebuild<'_>, changes: &Changes) -> Result<Vec<StagedPartition>, JobError> {
    build(
        rebuild,
        changes,
        FIRST_MOMENTS,
        "state/first_moments",
        Consumer::FirstMoments,
    )
    .await
}

async fn build(
    rebuild: &Rebuild<'_>,
    changes: &Changes,
    name: &'static str,
    query: &str,
    consumer: Consumer,
) -> Result<Vec<StagedPartition>, JobError> {
    let dataset = Dataset::state(name);
    let Some(first) = first_day(rebuild.snapshot, consumer.facts()) else {
        return Ok(Vec::new());
    };
    let built = rebuild.built(&dataset).await?;
    // A day ahead: a clock may be.
    let last = rebuild.today + Days::new(1);
    let missing = first
        .iter_days()
        .take_while(|day| *day <= last)
        .find(|day| !built.contains(day));
    // A day whose events are not kept any more stays as it was built when they were.
    let kept = rebuild
        .known
        .events_kept_since(&rebuild.work.platform.settings, rebuild.today);
    let frozen = kept.map_or(first, |kept| kept.max(first));
    let stale = changes.of(consumer.facts()).into_iter().find(|day| *day >= frozen);
    let Some(from) = missing.into_iter().chain(stale).min().filter(|from| *from <= last) else {
        return Ok(Vec::new());
    };
    let window = DayWindow::new(from, last + Days::new(1)).expect("a day before the day after the last");
    let mut snapshot = rebuild.snapshot.clone();
    let mut staged = Vec::new();
    let schema = state_schema(name);
    for part in window.chunks(DAYS_PER_PLAN) {
        let files = build_part(rebuild, &snapshot, &dataset, &schema, query, part).await?;
        files.iter().for_each(|file| snapshot.overlay(file));
        staged.extend(files);
    }
    rebuild.changed_only(&dataset, staged).await
}

async fn build_part(
    rebuild: &Rebuild<'_>,
    snapshot: &Snapshot,
    dataset: &Dataset,
    schema: &SchemaRef,
    query: &str,
    part: DayWindow,
) -> Result<Vec<StagedPartition>, JobError> {
    let platform = rebuild.work.platform;
    let session = datasets::session(platform, snapshot.clone())?;
    let earlier = snapshot.files(dataset).filter(|file| file.partition.day < part.from());
    session.register_files(EARLIER, earlier, schema)?;
    let staff = session.query(platform.queries.get(STAFF)?, &Params::default()).await?;
    session.register_rows("internal_users", &staff)?;
    let query = platform.queries.get(query)?;
    let params = Params::default()
        .with("from", Value::Day(part.from()))
        .with("to", Value::Day(part.to()))
        .with("currency", Value::Text(platform.settings.currency.clone()));
    let rows = session.query(query, &params).await?;
    let rows = by_day(dataset, &rows, "date", schema)?;
    rebuild
        .stage_days(dataset, schema, state_sort(dataset.name()), &query.sql, part, rows)
        .await
}
