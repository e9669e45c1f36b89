//! Putting events into the hours in which they happened, each once.
//!
//! Hours that a run has swapped in before it died, uncommitted, are unsettled: other hours that belonged to the same swap
//! may not have been. Their events count as having just arrived, so that they are placed and published again.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::max;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use chrono::DateTime;
use futures::StreamExt;
use kindred_engine::Params;
use kindred_extract::fact_schema;
use kindred_lake::{Dataset, LakeError, Partition, Snapshot, StagedPartition, split_by_day, split_by_partition};
use kindred_model::{Fact, Instant};

use super::copies;
use crate::error::JobError;
use crate::steps::answers;
use crate::steps::datasets::{self, sort_of};
use crate::steps::known::Known;
use crate::steps::work::Work;

const KNOWN_COPIES: &str = "known_copies";
const FRESH: &str = "fresh_events";
const DISPLACED: &str = "displaced_events";
pub(super) const TIME: &str = "event_time";

/// Where the lake has the events that arrived once more.
fn copies_schema() -> SchemaRef {
    let events = fact_schema(Fact::Events);
    let like = |name: &str| events.field_with_name(name).expect("a column of events").clone();
    Arc::new(Schema::new(vec![
        like("event_id"),
        like("received_at"),
        Field::new("day", DataType::Date32, false),
        Field::new("hour", DataType::Int32, true),
    ]))
}

/// What became of the events that arrived.
#[derive(Default)]
pub(super) struct Placed {
    /// The hours that changed, whole.
    pub(super) staged: Vec<StagedPartition>,
    /// Which hours those are.
    pub(super) hours: BTreeSet<Partition>,
    /// Events that the lake did not have.
    pub(super) taken: u64,
    /// The latest instant of one.
    pub(super) last: Option<Instant>,
}

/// Stages the hours that change when the incoming events join the published ones.
pub(super) async fn place(
    work: &Work<'_>,
    published: &Snapshot,
    known: &Known,
    incoming: &[StagedPartition],
    definition: &str,
) -> Result<Placed, JobError> {
    let platform = work.platform;
    let (dataset, schema) = (datasets::facts(Fact::Events), fact_schema(Fact::Events));
    let mut placed = Placed::default();
    let (mut settled, mut arrived) = (Snapshot::default(), Snapshot::of(incoming));
    for file in published.files(&dataset) {
        if known.holds(&platform.lake, &dataset, file).await? {
            settled.insert(dataset.clone(), file.clone());
        } else {
            placed.hours.insert(file.partition);
            arrived.insert(dataset.clone(), file.clone());
        }
    }
    let arrived: Vec<_> = arrived.all().cloned().collect();
    if arrived.is_empty() {
        return Ok(placed);
    }
    let session = platform.engine.session(&platform.lake, settled.clone());
    session.register_files("incoming_events", arrived.iter(), &schema)?;
    let suspects = copies::suspects(work, &session, published, known, &settled).await?;
    session.register_partitions("events", &dataset, suspects.iter(), &schema)?;

    // What the lake has of them is looked up once, and kept on disk: it may be all that it has.
    let spooled_as = arrived[0].partition;
    let query = platform.queries.get("events/known_copies")?;
    let mut copies = work.spool(KNOWN_COPIES, &copies_schema());
    let mut rows = session.stream(query, &Params::default()).await?;
    while let Some(batch) = rows.next().await {
        copies.write(spooled_as, batch?).await?;
    }
    let copies = Snapshot::of(&copies.finish().await?);
    session.register_files(KNOWN_COPIES, copies.all(), &copies_schema())?;

    // The copies that count, on disk too: the second step reads them twice.
    let query = platform.queries.get("events/fresh_events")?;
    let mut fresh = work.spool(FRESH, &schema);
    let mut rows = session.stream(query, &Params::default()).await?;
    while let Some(batch) = rows.next().await {
        // Unsettled hours of the lake are among them, which were read before somebody was erased.
        let left = work.erased.leave_out_of_events(&batch?);
        let batch = left.map_err(|source| LakeError::Arrange {
            dataset: dataset.to_string(),
            source,
        })?;
        let batch = batch.rows;
        placed.take(&dataset, &batch)?;
        for (day, part) in split_by_day(&Dataset::state(FRESH), &batch, TIME)? {
            fresh.write(day, part).await?;
        }
    }
    let fresh = fresh.finish().await?;
    if fresh.is_empty() && placed.hours.is_empty() {
        return Ok(placed);
    }
    session.register_files(FRESH, Snapshot::of(&fresh).all(), &schema)?;

    let query = platform.queries.get("events/displaced_events")?;
    let displaced = session.query(query, &Params::default()).await?;
    placed.hours.extend(answers::hours(&displaced.batches));
    session.register_rows(DISPLACED, &displaced)?;

    let touched = settled
        .files(&dataset)
        .filter(|file| placed.hours.contains(&file.partition));
    session.register_partitions("touched_events", &dataset, touched, &schema)?;
    let query = platform.queries.get("events/placed_events")?;
    let mut stage = work.stage(
        &dataset,
        &schema,
        sort_of(Fact::Events),
        &format!("{definition}\n{}", query.sql),
    );
    let mut rows = session.stream(query, &Params::default()).await?;
    let mut left = placed.hours.clone();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        for partition in stage.write_by(&batch, TIME).await? {
            left.remove(&partition);
        }
    }
    for hour in left {
        // Every event of it moved to another one.
        stage.write(hour, RecordBatch::new_empty(schema.clone())).await?;
    }
    placed.staged = stage.finish().await?;
    Ok(placed)
}

impl Placed {
    fn take(&mut self, dataset: &Dataset, batch: &RecordBatch) -> Result<(), LakeError> {
        self.taken += batch.num_rows() as u64;
        let parts = split_by_partition(dataset, batch, TIME)?;
        self.hours.extend(parts.into_iter().map(|(hour, _)| hour));
        let times = batch
            .column_by_name(TIME)
            .map(AsArray::as_primitive::<TimestampMicrosecondType>);
        let last = times.and_then(max).and_then(DateTime::from_timestamp_micros);
        self.last = self.last.max(last);
        Ok(())
    }
}
