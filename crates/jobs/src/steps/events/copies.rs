//! Where the lake may have a copy of what arrived: told by the ids of each day, so that history itself is not read.

use std::collections::BTreeSet;

use kindred_engine::{Params, Session};
use kindred_lake::{Dataset, PartitionFile, Snapshot};

use crate::error::JobError;
use crate::steps::answers;
use crate::steps::datasets::{EVENT_IDS, state_schema};
use crate::steps::known::Known;
use crate::steps::work::Work;

/// Those of the settled hours that may hold a copy of the session's `incoming_events`. Of a day without ids, all of them.
pub(super) async fn suspects(
    work: &Work<'_>,
    session: &Session,
    published: &Snapshot,
    known: &Known,
    settled: &Snapshot,
) -> Result<Vec<PartitionFile>, JobError> {
    let platform = work.platform;
    let dataset = Dataset::state(EVENT_IDS);
    let (mut files, mut days) = (Vec::new(), BTreeSet::new());
    for file in published.files(&dataset) {
        // One that is not the warehouse's tells of a run that died: its day may hold something else.
        if known.holds(&platform.lake, &dataset, file).await? {
            files.push(file);
            days.insert(file.partition.day);
        }
    }
    session.register_files(EVENT_IDS, files.into_iter(), &state_schema(EVENT_IDS))?;
    let query = platform.queries.get("events/hours_of_copies")?;
    let hours = answers::hours(&session.query(query, &Params::default()).await?.batches);
    let suspected = settled
        .all()
        .filter(|file| hours.contains(&file.partition) || !days.contains(&file.partition.day));
    Ok(suspected.cloned().collect())
}
