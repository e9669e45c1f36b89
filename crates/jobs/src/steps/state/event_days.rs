//! The states of single days of events: how often each identity met each event, from which behaviour is counted, and
//! the ids, from which it is told where a copy may lie.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use kindred_lake::StagedPartition;
use kindred_model::Fact;

use super::{Rebuild, first_day};
use crate::error::JobError;
use crate::steps::changes::Changes;
use crate::steps::datasets::{EVENT_COUNTS, EVENT_IDS};

/// Builds the counts of the days from `since` on that are missing, and of those that are stale.
pub(crate) async fn counts(
    rebuild: &Rebuild<'_>,
    changes: &Changes,
    since: NaiveDate,
) -> Result<Vec<StagedPartition>, JobError> {
    build(rebuild, changes, since, EVENT_COUNTS, "state/event_counts").await
}

/// Builds the ids of the days that are missing or stale.
pub(crate) async fn ids(rebuild: &Rebuild<'_>, changes: &Changes) -> Result<Vec<StagedPartition>, JobError> {
    build(rebuild, changes, NaiveDate::MIN, EVENT_IDS, "state/event_ids").await
}

async fn build(
    rebuild: &Rebuild<'_>,
    changes: &Changes,
    since: NaiveDate,
    name: &'static str,
    query: &str,
) -> Result<Vec<StagedPartition>, JobError> {
    let Some(first) = first_day(rebuild.snapshot, &[Fact::Events]) else {
        return Ok(Vec::new());
    };
    let wanted: BTreeSet<_> = since
        .max(first)
        .iter_days()
        .take_while(|day| *day <= rebuild.today + Days::new(1))
        .collect();
    let stale = changes.of(&[Fact::Events]);
    rebuild.days(name, query, &stale, &wanted).await
}
