//! Bringing the lake's facts up to date with their sources.
//!
//! Every source is opened, and held against the contract, before any is read. Then each fact is read: whole the first
//! time; later the dates whose rows have changed since the watermark, those whose number of rows differs from the
//! lake's, and those that the lake has lost. What was read and is no different from what lies there is dropped again.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::max;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::{DateTime, Days, NaiveDate, TimeDelta};
use kindred_extract::{Snapshot as SourceSnapshot, fact_schema};
use kindred_lake::{Dataset, FileStamp, Snapshot, StagedPartition};
use kindred_model::{Capture, DayWindow, Fact, Instant, Source};
use kindred_warehouse::{LakePartition, Watermark, WatermarkChange};
use serde_json::{Value, json};
use uuid::Uuid;

use super::changes::{self, Changes};
use super::datasets::sort_of;
use crate::Platform;
use crate::error::{JobError, describe};
use crate::ledger::count;

/// Transactions that began before the watermark may commit after it: how far to look behind it.
const COMMIT_SLACK: TimeDelta = TimeDelta::minutes(10);

/// How far back the numbers of rows are compared, source against lake.
const RECONCILED_DAYS: u64 = 35;

/// What a pull brought.
pub(crate) struct Pulled {
    /// The instant up to which every source was read.
    pub(crate) as_of: Instant,
    /// The partitions that changed.
    pub(crate) staged: Vec<StagedPartition>,
    /// What they change in daily figures.
    pub(crate) changes: Changes,
    /// How far the sources were read.
    pub(crate) watermarks: Vec<WatermarkChange>,
    /// Up to when moderation is known; `None`: not at all.
    pub(crate) moderation_to: Option<Instant>,
    /// Optional sources that are configured and did not answer, and why.
    pub(crate) absent: Vec<(Source, String)>,
    /// Rows read, by fact.
    pub(crate) read: BTreeMap<Fact, u64>,
    /// Rows read, in all.
    pub(crate) rows_read: u64,
}

/// Reads what the sources have changed. `computed` are the days that have figures, which a change may restate.
pub(crate) async fn pull(
    platform: &Platform,
    run_id: Uuid,
    stamp: &FileStamp,
    published: &Snapshot,
    computed: &BTreeSet<NaiveDate>,
) -> Result<Pulled, JobError> {
    // Before the sources are opened: whatever was committed by now, they show.
    let as_of = platform.clock.now();
    let known = Known::load(platform).await?;
    let (opened, absent) = open(platform).await?;
    let mut pulled = Pulled {
        as_of,
        staged: Vec::new(),
        changes: Changes::default(),
        watermarks: Vec::new(),
        moderation_to: known.moderation_to(),
        absent,
        read: BTreeMap::new(),
        rows_read: 0,
    };
    for (source, snapshot) in &opened {
        for &fact in Fact::ALL.iter().filter(|fact| fact.source() == *source) {
            let reader = FactReader {
                platform,
                run_id,
                stamp,
                published,
                source: snapshot,
                known: &known,
                fact,
                as_of,
            };
            let (staged, watermark) = reader.read().await?;
            pulled.rows_read += watermark.rows.unsigned_abs();
            pulled.read.insert(fact, watermark.rows.unsigned_abs());
            changes::note(
                platform,
                fact,
                &staged,
                published,
                &known,
                computed,
                &mut pulled.changes,
            )
            .await?;
            pulled.staged.extend(staged);
            pulled.watermarks.push(watermark);
        }
        if *source == Source::Moderation {
            pulled.moderation_to = Some(as_of);
        }
    }
    Ok(pulled)
}

type Opened = Vec<(Source, SourceSnapshot)>;
type Absent = Vec<(Source, String)>;

/// One snapshot of each source. A required one that fails, fails the run; an optional one is left out.
async fn open(platform: &Platform) -> Result<(Opened, Absent), JobError> {
    let (mut opened, mut absent) = (Vec::new(), Vec::new());
    for &source in Source::ALL {
        let facts: Vec<_> = Fact::ALL
            .iter()
            .copied()
            .filter(|fact| fact.source() == source)
            .collect();
        let Some(database) = platform.sources.get(&source) else {
            if source.is_optional() {
                continue;
            }
            return Err(JobError::SourceUnset(source));
        };
        match database.open(&facts).await {
            Ok(snapshot) => opened.push((source, snapshot)),
            Err(error) if source.is_optional() => {
                tracing::warn!(%source, error = describe(&error), "an optional source is left out");
                absent.push((source, describe(&error)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((opened, absent))
}

/// What the warehouse knows of the lake and the sources.
pub(crate) struct Known {
    watermarks: Vec<Watermark>,
    partitions: BTreeMap<(String, String), LakePartition>,
}

impl Known {
    async fn load(platform: &Platform) -> Result<Self, JobError> {
        let partitions = platform.warehouse.partitions(None).await?.into_iter();
        let by_name = partitions.map(|known| ((known.dataset.clone(), known.partition.clone()), known));
        Ok(Self {
            watermarks: platform.warehouse.watermarks().await?,
            partitions: by_name.collect(),
        })
    }

    fn watermark(&self, fact: Fact) -> Option<Instant> {
        self.watermarks
            .iter()
            .find(|known| known.dataset == fact.as_str())
            .map(|known| known.extracted_to)
    }

    /// The earlier one of the moderation facts' watermarks.
    fn moderation_to(&self) -> Option<Instant> {
        let facts = Fact::ALL.iter().filter(|fact| fact.source() == Source::Moderation);
        facts.map(|fact| self.watermark(*fact)).min().flatten()
    }

    /// What was last published for a day of a dataset.
    pub(crate) fn partition(&self, dataset: &Dataset, day: NaiveDate) -> Option<&LakePartition> {
        self.partitions.get(&(dataset.to_string(), Dataset::partition(day)))
    }

    /// The days of a dataset that were published.
    fn days<'a>(&'a self, dataset: &Dataset) -> impl Iterator<Item = (NaiveDate, &'a LakePartition)> {
        let name = dataset.to_string();
        let all = self.partitions.values().filter(move |known| known.dataset == name);
        all.filter_map(|known| Some((known.partition.strip_prefix("date=")?.parse().ok()?, known)))
    }
}

/// Reads one fact.
struct FactReader<'a> {
    platform: &'a Platform,
    run_id: Uuid,
    stamp: &'a FileStamp,
    published: &'a Snapshot,
    source: &'a SourceSnapshot,
    known: &'a Known,
    fact: Fact,
    as_of: Instant,
}

impl FactReader<'_> {
    async fn read(&self) -> Result<(Vec<StagedPartition>, WatermarkChange), JobError> {
        let since = self
            .platform
            .settings
            .history_since
            .filter(|_| !self.fact.needs_whole_history());
        let (mut staged, mut rows, mut last) = (Vec::new(), 0, None);
        let windows: Vec<(Option<NaiveDate>, Option<NaiveDate>)> = match self.known.watermark(self.fact) {
            None => vec![(since, None)],
            Some(watermark) => {
                let mut dates = self.changed(watermark).await?;
                dates.retain(|day| since.is_none_or(|since| *day >= since));
                DayWindow::covering(dates)
                    .into_iter()
                    .map(|days| (Some(days.from()), Some(days.to())))
                    .collect()
            }
        };
        for (from, to) in windows {
            let read = self.read_window(from, to).await?;
            rows += read.rows;
            last = last.max(read.last);
            staged.extend(read.staged);
        }
        let watermark = WatermarkChange {
            source: self.fact.source(),
            dataset: self.fact.to_string(),
            extracted_to: self.as_of,
            last_row_at: last,
            rows: count(rows),
            schema_fingerprint: self.source.schema_fingerprint(self.fact),
        };
        Ok((staged, watermark))
    }

    fn dataset(&self) -> Dataset {
        Dataset::facts(self.fact.as_str())
    }

    /// The dates to read again.
    async fn changed(&self, watermark: Instant) -> Result<BTreeSet<NaiveDate>, JobError> {
        let dataset = self.dataset();
        let today = self.as_of.date_naive();
        let reconciled_from = today - Days::new(RECONCILED_DAYS);
        let in_source = self.source.counts(self.fact, Some(reconciled_from)).await?;
        let mut dates = match self.fact.capture() {
            Capture::UpdatedAt => self.source.changed_dates(self.fact, watermark - COMMIT_SLACK).await?,
            Capture::LookBack { days } => {
                let from = watermark.date_naive() - Days::new(days);
                in_source.keys().copied().filter(|day| *day >= from).collect()
            }
        };
        for (&day, &rows) in &in_source {
            if self
                .known
                .partition(&dataset, day)
                .is_none_or(|known| known.rows != count(rows))
            {
                dates.insert(day);
            }
        }
        for (day, known) in self.known.days(&dataset) {
            let lost = known.rows > 0 && self.published.file(&dataset, day).is_none();
            let emptied = day >= reconciled_from && known.rows > 0 && !in_source.contains_key(&day);
            if lost || emptied {
                dates.insert(day);
            }
        }
        Ok(dates)
    }

    /// Reads the dates of a window. A date of it that has no rows any more becomes an empty partition.
    async fn read_window(&self, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Read, JobError> {
        let dataset = self.dataset();
        let schema = fact_schema(self.fact);
        let column = self.fact.partition_column();
        let stamp = self.stamp.clone();
        let lake = &self.platform.lake;
        let mut stage = lake.stage(dataset.clone(), schema.clone(), sort_of(self.fact), self.run_id, stamp);
        let (mut rows, mut last) = (0, None);
        let mut arrived = BTreeSet::new();
        let mut source = self.source.read(self.fact, from, to);
        while let Some(batch) = source.next().await {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            last = last.max(latest(&batch, column));
            arrived.extend(stage.write_by_day(&batch, column).await?);
        }
        let mut staged = stage.finish().await?;
        if let (Some(from), Some(to)) = (from, to) {
            let gone = (0..)
                .map(|n| from + Days::new(n))
                .take_while(|day| *day < to)
                .filter(|day| {
                    !arrived.contains(day) && self.known.partition(&dataset, *day).is_some_and(|known| known.rows > 0)
                });
            let stamp = self.stamp.clone();
            let mut stage = lake.stage(dataset.clone(), schema.clone(), sort_of(self.fact), self.run_id, stamp);
            for day in gone {
                stage.write(day, RecordBatch::new_empty(schema.clone())).await?;
            }
            staged.extend(stage.finish().await?);
        }
        staged.retain(|file| !self.is_published(file));
        Ok(Read { staged, rows, last })
    }

    /// Whether the same rows lie in the lake already, as the warehouse knows them.
    fn is_published(&self, file: &StagedPartition) -> bool {
        self.published.file(&file.dataset, file.day).is_some()
            && self
                .known
                .partition(&file.dataset, file.day)
                .is_some_and(|known| known.content_hash == file.content_hash.to_string())
    }
}

struct Read {
    staged: Vec<StagedPartition>,
    rows: u64,
    last: Option<Instant>,
}

/// The latest instant of a column.
fn latest(batch: &RecordBatch, column: &str) -> Option<Instant> {
    let values = batch.column_by_name(column)?;
    let values = values
        .as_any()
        .is::<arrow::array::TimestampMicrosecondArray>()
        .then_some(values)?;
    max(values.as_primitive::<TimestampMicrosecondType>()).and_then(DateTime::from_timestamp_micros)
}

impl Pulled {
    /// The computed days that the changes restate: not older than `days` days.
    pub(crate) fn restated(&self, today: NaiveDate, days: u64, computed: &BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
        self.changes.restated(today - Days::new(days), today, computed)
    }

    /// The computed days that changed and are too old to be restated: they wait for a backfill.
    pub(crate) fn late(&self, today: NaiveDate, days: u64, computed: &BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
        self.changes
            .before(today - Days::new(days))
            .filter(|day| computed.contains(day))
            .collect()
    }

    /// What the run says of optional sources that did not answer.
    pub(crate) fn absence(&self) -> Option<String> {
        let lines = self
            .absent
            .iter()
            .map(|(source, why)| format!("without the source {source}: {why}"));
        (!self.absent.is_empty()).then(|| lines.collect::<Vec<_>>().join("; "))
    }

    /// Rows and replaced partitions by fact, for the ledger.
    pub(crate) fn detail(&self) -> Value {
        let facts = self.read.iter().map(|(fact, rows)| {
            let name = fact.as_str();
            let replaced = self.staged.iter().filter(|file| file.dataset.name() == name).count();
            (name.to_owned(), json!({ "rows": rows, "partitionsReplaced": replaced }))
        });
        Value::Object(facts.collect())
    }
}
