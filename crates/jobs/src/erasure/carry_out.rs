//! The way of an erasure: search → rewrite → publish → verify.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use kindred_lake::{PartitionFile, StagedPartition};
use kindred_model::{Fact, RunStatus};
use kindred_warehouse::{
    Erasure, ErasurePublication, EventMention, PartitionChange, RewrittenEvent, RunOutcome, Traces,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::erased::Erased;
use super::rewrite::{Found, Rewriting};
use super::search::Search;
use crate::Platform;
use crate::consumer::Consumer;
use crate::error::JobError;
use crate::ledger::{Done, Ledger, count};
use crate::run::partition;
use crate::steps::known::Known;
use crate::sweep::clear;

/// Removes everything of a person, and makes sure that nothing is left.
pub(super) async fn carry_out(
    platform: &Platform,
    user_key: i64,
    run_id: Uuid,
    owner: Uuid,
    ledger: &Ledger,
) -> Result<(), JobError> {
    ledger.begin("search").await?;
    let search = Search::begin(platform).await?;
    let found = search.devices(platform, user_key).await?;
    let devices = platform
        .warehouse
        .remember_devices(user_key, &found, platform.clock.now())
        .await?;
    let keys = [&[user_key][..], &devices].concat();
    let erased: Erased = keys.iter().copied().collect();
    ledger.end(Done::default()).await?;

    ledger.begin("rewrite").await?;
    let known = Known::load(platform).await?;
    let rewriting = Rewriting {
        platform,
        search: &search,
        erased: &erased,
        run_id,
    };
    let removed = Removed::stage(&rewriting, &known, &keys).await?;
    let rewritten = rewritten(platform, &erased, &keys).await?;
    ledger
        .end(Done {
            rows_written: removed.staged.iter().map(|file| file.content_hash.rows()).sum(),
            detail: removed.report(),
            ..Done::default()
        })
        .await?;

    ledger.begin("publish").await?;
    let before = platform
        .warehouse
        .erasure(user_key)
        .await?
        .ok_or(JobError::LostLease)?
        .report;
    let mut report = json!({
        "devices": devices.len(),
        "lake": sums(&before["lake"], &removed.report()),
        "warehouse": before["warehouse"],
        "eventsRewritten": before["eventsRewritten"].as_u64().unwrap_or_default() + rewritten.len() as u64,
    });
    let publication = ErasurePublication {
        run_id,
        owner,
        at: platform.clock.now(),
        user_key,
        partitions: removed.changes,
        rows_in_lake: removed.found.values().map(|found| found.rows).sum(),
        anonymous_events: removed.anonymous,
        rewritten,
        stale: removed.stale,
        report: report.clone(),
    };
    let in_warehouse = platform.warehouse.publish_erasure(&publication).await?;
    report["warehouse"] = sums(&before["warehouse"], &by_table(&in_warehouse));
    platform.lake.swap(&removed.staged).await?;
    clear(&platform.lake, run_id).await;
    ledger.end(Done::default()).await?;

    ledger.begin("verify").await?;
    let files = verify(platform, &erased, &keys, run_id).await?;
    report["verified"] = json!({ "files": files, "rowsLeft": 0 });
    ledger.end(Done::default()).await?;
    let erasure = platform.warehouse.erasure(user_key).await?;
    let erasure = Erasure {
        report,
        ..erasure.ok_or(JobError::LostLease)?
    };
    let outcome = outcome(ledger, Ok(erasure.rows_erased));
    let now = platform.clock.now();
    let completed = platform
        .warehouse
        .complete_erasure(&erasure, run_id, owner, now, &outcome)
        .await?;
    completed.then_some(()).ok_or(JobError::LostLease)
}

/// How an erasure ends among the runs: the rows that it removed, or why it did not.
pub(super) fn outcome(ledger: &Ledger, ended: Result<i64, &str>) -> RunOutcome {
    RunOutcome {
        status: if ended.is_ok() {
            RunStatus::Completed
        } else {
            RunStatus::Failed
        },
        records_read: 0,
        records_processed: ended.unwrap_or_default(),
        error_message: ended.err().map(str::to_owned),
        checks: json!([]),
        steps: ledger.steps(),
        transient: false,
    }
}

/// What was taken out of the lake.
#[derive(Default)]
struct Removed {
    staged: Vec<StagedPartition>,
    changes: Vec<PartitionChange>,
    found: BTreeMap<String, Found>,
    anonymous: Vec<String>,
    stale: Vec<(&'static str, Fact, NaiveDate)>,
}

impl Removed {
    async fn stage(rewriting: &Rewriting<'_>, known: &Known, keys: &[i64]) -> Result<Self, JobError> {
        let mut removed = Self::default();
        let lake = &rewriting.platform.lake;
        for holder in &rewriting.search.holders {
            let mut found = Found::default();
            let mut days = BTreeSet::new();
            for file in rewriting.search.files(holder, keys).await? {
                let gone = found.rows;
                let Some(staged) = rewriting.rewrite(holder, file, &mut found).await? else {
                    continue;
                };
                days.insert(file.partition.day);
                // A file that a dead run left is not the warehouse's yet: the next run shall see that, and read it again.
                // One that a dead erasure left, after it had told the warehouse, is told of once more.
                let recorded = known.partition(&holder.dataset, file.partition);
                let is_told = recorded.is_some_and(|known| known.content_hash == staged.content_hash.to_string());
                if known.holds(lake, &holder.dataset, file).await? {
                    let rows = found.rows - gone;
                    removed.changes.push(change(known, &staged, file, rows, holder.fact));
                } else if is_told {
                    removed.changes.push(change(known, &staged, file, 0, holder.fact));
                }
                removed.staged.push(staged);
            }
            if holder.has_properties() {
                removed.anonymous = std::mem::take(&mut found.anonymous);
                removed.stale.extend(stale(&days, &found.shared));
            } else if let Some(fact @ (Fact::Matches | Fact::Messages | Fact::Swipes)) = holder.fact {
                // What was the other's first may have been with this person.
                let firsts = days.iter().map(|day| (Consumer::FirstMoments.name(), fact, *day));
                removed.stale.extend(firsts);
            }
            removed.found.insert(holder.dataset.to_string(), found);
        }
        Ok(removed)
    }

    fn report(&self) -> Value {
        let found = self.found.iter().filter(|(_, found)| found.files > 0);
        let told = found.map(|(dataset, found)| {
            let told = json!({ "files": found.files, "rows": found.rows, "rowsChanged": found.changed });
            (dataset.clone(), told)
        });
        Value::Object(told.collect())
    }
}

/// What the warehouse is told of a rewritten file. Of facts, how many rows the source has and the file has not.
fn change(
    known: &Known,
    staged: &StagedPartition,
    file: &PartitionFile,
    rows: u64,
    fact: Option<Fact>,
) -> PartitionChange {
    let before = known.partition(&staged.dataset, file.partition);
    let left_out = before.map_or(0, |known| known.left_out);
    PartitionChange {
        left_out: left_out + fact.map_or(0, |_| count(rows)),
        ..partition(staged)
    }
}

/// The states of events are per day, and built again for the days that lost events. Where a device was shared, the next
/// one who used it may be its first user now, from that day on.
fn stale(days: &BTreeSet<NaiveDate>, shared: &BTreeSet<NaiveDate>) -> Vec<(&'static str, Fact, NaiveDate)> {
    let counts = days
        .iter()
        .map(|day| (Consumer::EventCounts.name(), Fact::Events, *day));
    let firsts = shared.iter().flat_map(|day| {
        [Consumer::Aliases, Consumer::FirstMoments].map(|consumer| (consumer.name(), Fact::Events, *day))
    });
    counts.chain(firsts).collect()
}

/// The warehouse's events of others that mention the person, as they shall be.
async fn rewritten(platform: &Platform, erased: &Erased, keys: &[i64]) -> Result<Vec<RewrittenEvent>, JobError> {
    let mentions = platform.warehouse.events_mentioning(keys).await?;
    let rewritten = mentions.into_iter().filter_map(|mut event: EventMention| {
        erased.forget(&mut event.properties).then_some(RewrittenEvent {
            event_time: event.event_time,
            event_id: event.event_id,
            properties: event.properties,
        })
    });
    Ok(rewritten.collect())
}

/// Looks for the person in everything once more. Returns how many files there were to look at.
async fn verify(platform: &Platform, erased: &Erased, keys: &[i64], run_id: Uuid) -> Result<usize, JobError> {
    let search = Search::begin(platform).await?;
    let rewriting = Rewriting {
        platform,
        search: &search,
        erased,
        run_id,
    };
    let mut left = Vec::new();
    for holder in &search.holders {
        let mut found = Found::default();
        for file in search.files(holder, keys).await? {
            rewriting.look(holder, file, &mut found).await?;
        }
        left.push((holder.dataset.to_string(), found.rows + found.changed));
    }
    for (table, rows) in platform.warehouse.traces(keys).await? {
        left.push((table.to_owned(), rows));
    }
    let mentions = rewritten(platform, erased, keys).await?.len();
    left.push(("user_behavior_events.event_properties".to_owned(), mentions as u64));
    left.retain(|(_, rows)| *rows > 0);
    if left.is_empty() {
        return Ok(search.len());
    }
    let left = left.iter().map(|(place, rows)| format!("{rows} rows of {place}"));
    Err(JobError::NotErased {
        left: left.collect::<Vec<_>>().join(", "),
    })
}

/// Numbers of both by name, in however deep objects: what several tries have removed.
fn sums(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let mut all = left.clone();
            for (name, value) in right {
                let sum = sums(all.get(name).unwrap_or(&Value::Null), value);
                all.insert(name.clone(), sum);
            }
            Value::Object(all)
        }
        (Value::Number(left), Value::Number(right)) => {
            json!(left.as_u64().unwrap_or_default() + right.as_u64().unwrap_or_default())
        }
        (Value::Null, right) => right.clone(),
        (left, _) => left.clone(),
    }
}

fn by_table(traces: &Traces) -> Value {
    let told = traces.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows)));
    Value::Object(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_tries_removed_adds_up() {
        let first = json!({ "facts/users": { "files": 1, "rows": 1 } });
        let second = json!({ "facts/users": { "files": 1, "rows": 2 }, "facts/swipes": { "rows": 3 } });
        let both = json!({ "facts/users": { "files": 2, "rows": 3 }, "facts/swipes": { "rows": 3 } });
        assert_eq!(sums(&first, &second), both);
        assert_eq!(
            (sums(&Value::Null, &first), sums(&first, &json!({}))),
            (first.clone(), first)
        );
    }

    #[test]
    fn days_that_lost_events_are_counted_again_and_shared_devices_are_followed_anew() {
        let [first, second] = ["2026-01-01", "2026-01-02"].map(|day| day.parse().unwrap());
        let stale = stale(&BTreeSet::from([first, second]), &BTreeSet::from([second]));
        assert_eq!(
            stale,
            [
                ("event_counts", Fact::Events, first),
                ("event_counts", Fact::Events, second),
                ("aliases", Fact::Events, second),
                ("first_moments", Fact::Events, second),
            ]
        );
    }
}
