//! Files of events that are older than what is kept (`EVENTS_LAKE_DAYS`), and of the states of single days of events.
//!
//! What was computed from them stays, and so do the states of first moments, which no later event changes.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use kindred_lake::{Dataset, Partition, Snapshot};
use kindred_model::Fact;
use kindred_warehouse::PartitionChange;

use super::datasets::{self, EVENT_COUNTS, EVENT_IDS};
use super::known::Known;

/// The partitions that go: those before the first day that is kept, as far as the lake has them or the warehouse knows them.
pub(crate) fn expired(known: &Known, snapshot: &Snapshot, kept_since: NaiveDate) -> Vec<(Dataset, Partition)> {
    let datasets = [
        datasets::facts(Fact::Events),
        Dataset::rejected(Fact::Events.as_str()),
        Dataset::state(EVENT_COUNTS),
        Dataset::state(EVENT_IDS),
    ];
    let mut gone = Vec::new();
    for dataset in datasets {
        let there = snapshot.files(&dataset).map(|file| file.partition);
        let partitions: BTreeSet<_> = there.chain(known.partitions(&dataset)).collect();
        let old = partitions.into_iter().filter(|partition| partition.day < kept_since);
        gone.extend(old.map(|partition| (dataset.clone(), partition)));
    }
    gone
}

/// What the warehouse is told of one that goes.
pub(crate) fn removal((dataset, partition): &(Dataset, Partition)) -> PartitionChange {
    PartitionChange {
        dataset: dataset.to_string(),
        partition: partition.to_string(),
        path: dataset.file(*partition),
        rows: 0,
        bytes: 0,
        etag: None,
        content_hash: String::new(),
        left_out: 0,
        removed: true,
    }
}
