//! Taking in events: read what arrived, keep the copy of each that arrived first, put it into the hour in which it
//! happened.
//!
//! What arrives is spooled into the run's staging folder, so that memory stays flat however much it is. Hours that no
//! event reaches are not touched.

mod copies;
mod placing;
mod rejected;

use std::collections::BTreeSet;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::NaiveDate;
use kindred_extract::{ArrivalBatch, ArrivalRequest, Arrivals, Nulls, fact_schema, rejected_batch, rejected_schema};
use kindred_lake::{LakeError, Partition, Snapshot, StagedPartition};
use kindred_model::{Fact, Instant, Job, Source, day_start};
use kindred_warehouse::WatermarkChange;
use serde::Serialize;

use super::datasets;
use super::known::Known;
use super::work::Work;
use crate::error::JobError;
use crate::ledger::count;

/// The spool of what arrived: staged as if it were state, and never published.
const INCOMING: &str = "incoming_events";

/// The spool of what could not be read, likewise.
const ASIDE: &str = "rejected_events";

/// What a run found among the events, for the ledger.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventsRead {
    /// Events that the source gave, copies included.
    pub(crate) arrived: u64,
    /// Those that the lake took.
    taken: u64,
    /// What could not be read as an event, and was set aside.
    pub(crate) rejected: u64,
    /// Events that were taken at their arrival, since their own time lay more than a day after it.
    pub(crate) clamped: u64,
    /// Properties that nobody allowed.
    dropped_properties: u64,
    /// Events of persons who are erased, which are not taken.
    erased: u64,
    /// Events older than what is kept, which are not taken either.
    expired: u64,
}

/// Events that were read and placed.
pub(crate) struct Ingested {
    /// The hours that changed, and what was set aside.
    pub(crate) staged: Vec<StagedPartition>,
    /// The hours that changed; none of a first read, since nothing was computed from them.
    pub(crate) hours: BTreeSet<Partition>,
    /// How far the source was read.
    pub(crate) watermark: WatermarkChange,
    /// The files that were read: path and ETag.
    pub(crate) files: Vec<(String, String)>,
    /// What was found.
    pub(crate) read: EventsRead,
    /// Rows that were set aside for a null where none may be.
    pub(crate) nulls: Nulls,
}

/// Reads what arrived since the watermark.
pub(crate) async fn ingest(
    work: &Work<'_>,
    published: &Snapshot,
    known: &Known,
    as_of: Instant,
) -> Result<Ingested, JobError> {
    let platform = work.platform;
    let source = platform.events.as_ref().ok_or(JobError::SourceUnset(Source::Events))?;
    let dataset = datasets::facts(Fact::Events);
    let kept_since = known.events_kept_since(&platform.settings, as_of.date_naive());
    let complete = known.is_complete(&dataset, published, kept_since);
    let known_files = if complete {
        platform.warehouse.event_files().await?
    } else {
        Default::default()
    };
    let watermark = known.watermark(Fact::Events);
    let request = ArrivalRequest {
        // What the lake has lost may have arrived at any time.
        since: watermark.filter(|_| complete),
        now: as_of,
        history_since: platform.settings.history_since,
        days: work.backfilled_days,
        reconciles: work.job == Job::Daily,
        known_files,
    };
    let mut arrivals = source.open(request).await?;
    let mut spooled = spool(work, &mut arrivals, as_of, kept_since).await?;

    let placed = placing::place(work, published, known, &spooled.incoming, arrivals.definition()).await?;
    spooled.read.taken = placed.taken;
    let aside = rejected::stage(work, published, as_of, &spooled.rejected).await?;
    // A backfill of single days says nothing of how far the source was read.
    let extracted_to = arrivals.extracted_to().or(watermark).unwrap_or(as_of);
    Ok(Ingested {
        staged: [aside, placed.staged].concat(),
        hours: if watermark.is_some() {
            placed.hours
        } else {
            BTreeSet::new()
        },
        watermark: WatermarkChange {
            source: Source::Events,
            dataset: Fact::Events.to_string(),
            extracted_to,
            last_row_at: placed.last,
            rows: count(spooled.read.arrived + arrivals.nulls().rows),
            schema_fingerprint: arrivals.schema_fingerprint(),
        },
        files: arrivals.read_files(),
        read: spooled.read,
        nulls: arrivals.nulls(),
    })
}

/// What arrived, on disk.
struct Spooled {
    incoming: Vec<StagedPartition>,
    rejected: Vec<StagedPartition>,
    read: EventsRead,
}

async fn spool(
    work: &Work<'_>,
    arrivals: &mut Arrivals,
    as_of: Instant,
    kept_since: Option<NaiveDate>,
) -> Result<Spooled, JobError> {
    let mut stage = work.spool(INCOMING, &fact_schema(Fact::Events));
    let mut aside = work.spool(ASIDE, &rejected_schema());
    let mut spooled = Spooled {
        incoming: Vec::new(),
        rejected: Vec::new(),
        read: EventsRead::default(),
    };
    while let Some(batch) = arrivals.next().await {
        let ArrivalBatch {
            events,
            rejected,
            dropped_properties,
            clamped,
        } = batch?;
        spooled.read.arrived += events.num_rows() as u64;
        spooled.read.rejected += rejected.len() as u64;
        spooled.read.dropped_properties += dropped_properties;
        spooled.read.clamped += clamped;
        if !rejected.is_empty() {
            aside.write(as_of.date_naive(), rejected_batch(&rejected)).await?;
        }
        let left = work.erased.leave_out_of_events(&events);
        let left = left.map_err(|source| LakeError::Arrange {
            dataset: datasets::facts(Fact::Events).to_string(),
            source,
        })?;
        spooled.read.erased += left.gone() as u64;
        let kept = kept(left.rows, kept_since)?;
        spooled.read.expired += (events.num_rows() - left.stay.false_count() - kept.num_rows()) as u64;
        if kept.num_rows() > 0 {
            stage.write(as_of.date_naive(), kept).await?;
        }
    }
    spooled.incoming = stage.finish().await?;
    spooled.rejected = aside.finish().await?;
    Ok(spooled)
}

/// The events of the days that are kept.
fn kept(events: RecordBatch, since: Option<NaiveDate>) -> Result<RecordBatch, LakeError> {
    let Some(since) = since else { return Ok(events) };
    let since = day_start(since).timestamp_micros();
    let times = events.column_by_name(placing::TIME).expect("a column of events");
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let kept: BooleanArray = times.iter().map(|time| Some(time? >= since)).collect();
    filter_record_batch(&events, &kept).map_err(|source| LakeError::Arrange {
        dataset: datasets::facts(Fact::Events).to_string(),
        source,
    })
}
