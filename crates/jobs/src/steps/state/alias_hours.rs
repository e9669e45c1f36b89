//! The hours whose anonymous events belong to another person than before, since an alias was learned.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use kindred_lake::{Dataset, Partition, Snapshot, StagedPartition};

use super::Rebuild;
use crate::error::JobError;
use crate::steps::answers;
use crate::steps::datasets::{ALIASES, EVENT_COUNTS, state_schema};

/// Compares the aliases that a run has staged with those before, over the event counts of the days from `since` on.
/// `rebuild` sees the counts as they are now, and the aliases as they were.
pub(crate) async fn of_changed_aliases(
    rebuild: &Rebuild<'_>,
    staged: &[StagedPartition],
    since: NaiveDate,
) -> Result<BTreeSet<Partition>, JobError> {
    if staged.is_empty() {
        return Ok(BTreeSet::new());
    }
    let (dataset, schema) = (Dataset::state(ALIASES), state_schema(ALIASES));
    let (mut before, mut after) = (Snapshot::default(), Snapshot::default());
    let platform = rebuild.work.platform;
    for file in staged {
        after.overlay(file);
        // A file that a dead run has left uncommitted was never answered by the warehouse: all of it is news.
        if let Some(old) = rebuild.snapshot.file(&dataset, file.partition)
            && rebuild.known.holds(&platform.lake, &dataset, old).await?
        {
            before.insert(dataset.clone(), old.clone());
        }
    }
    let session = platform.engine.session(&platform.lake, rebuild.snapshot.clone());
    session.register_files("before", before.files(&dataset), &schema)?;
    session.register_files("after", after.files(&dataset), &schema)?;
    session.register_dataset(EVENT_COUNTS, &Dataset::state(EVENT_COUNTS), &state_schema(EVENT_COUNTS))?;
    let aliases = |table| format!("select anonymous_key, user_key from {table}");
    let sql = format!(
        "with was as ({}), shall as ({}),
         changed as (
             (select * from was except select * from shall)
             union
             (select * from shall except select * from was)
         )
         select distinct counts.date, counts.hour from {EVENT_COUNTS} as counts
         left semi join changed on changed.anonymous_key = counts.anonymous_key
         where counts.user_key is null and counts.date >= date '{since}'",
        aliases("before"),
        aliases("after"),
    );
    Ok(answers::hours(
        &answers::rows(&session, "hours of changed aliases", &sql).await?,
    ))
}
