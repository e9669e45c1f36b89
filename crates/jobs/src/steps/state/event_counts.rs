//! How often each identity met each event in each hour: behaviour is counted from it, not from events.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use kindred_lake::StagedPartition;
use kindred_model::Fact;

use super::{Rebuild, first_day};
use crate::error::JobError;
use crate::steps::changes::Changes;
use crate::steps::datasets::EVENT_COUNTS;

/// Builds the days from `since` on that are missing, and those that are stale.
pub(crate) async fn rebuild(
    rebuild: &Rebuild<'_>,
    changes: &Changes,
    since: NaiveDate,
) -> Result<Vec<StagedPartition>, JobError> {
    let Some(first) = first_day(rebuild.snapshot, &[Fact::Events]) else {
        return Ok(Vec::new());
    };
    let from = since.max(first);
    let wanted: BTreeSet<_> = from
        .iter_days()
        .take_while(|day| *day <= rebuild.today + Days::new(1))
        .collect();
    let stale = changes.of(&[Fact::Events]);
    rebuild.days(EVENT_COUNTS, "state/event_counts", &stale, &wanted).await
}
