//! Reading one fact: the dates that may have changed, whole, into staged partitions.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::max;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::{DateTime, Days, NaiveDate, TimeDelta};
use kindred_extract::{Nulls, Rows, Snapshot as SourceSnapshot, fact_schema, key_columns};
use kindred_lake::{Dataset, LakeError, Snapshot, Stage, StagedPartition, split_by_day};
use kindred_model::{Capture, DayWindow, Fact, Instant, Job};
use kindred_warehouse::{LakePartition, WatermarkChange};

use super::datasets::sort_of;
use super::known::Known;
use super::work::Work;
use crate::error::JobError;
use crate::ledger::count;

/// Transactions that began before the watermark may commit after it: how far to look behind it.
const COMMIT_SLACK: TimeDelta = TimeDelta::minutes(10);

/// How far back the numbers of rows are compared, source against lake.
const RECONCILED_DAYS: u64 = 35;

/// Windows of dates that one query reads: dates that changed may lie anywhere in history, and a query has an end.
const WINDOWS_PER_READ: usize = 32;

/// Reads one fact from its source's snapshot.
pub(crate) struct FactReader<'a> {
    pub(crate) work: &'a Work<'a>,
    pub(crate) published: &'a Snapshot,
    pub(crate) source: &'a SourceSnapshot,
    pub(crate) known: &'a Known,
    pub(crate) fact: Fact,
    pub(crate) as_of: Instant,
}

impl FactReader<'_> {
    /// The partitions that changed, and how far the fact was read.
    pub(crate) async fn read(&self) -> Result<FactRead, JobError> {
        let since = self
            .work
            .platform
            .settings
            .history_since
            .filter(|_| !self.fact.needs_whole_history());
        let mut whole = Read::default();
        match self.known.watermark(self.fact) {
            None => whole = self.store(self.source.read(self.fact, since, None), &[]).await?,
            Some(watermark) => {
                let mut dates = self.changed(watermark).await?;
                dates.retain(|day| since.is_none_or(|since| *day >= since));
                for windows in DayWindow::covering(dates).chunks(WINDOWS_PER_READ) {
                    let read = self.store(self.source.read_days(self.fact, windows), windows).await?;
                    whole.add(read);
                }
            }
        }
        let Read {
            staged,
            rows,
            last,
            left_out,
            nulls,
        } = whole;
        let watermark = WatermarkChange {
            source: self.fact.source(),
            dataset: self.fact.to_string(),
            // Our clock may be ahead of the one that dates the rows: what they say later must not seem to be read.
            extracted_to: self.as_of.min(self.source.taken_at()),
            last_row_at: last,
            rows: count(rows),
            schema_fingerprint: self.source.schema_fingerprint(self.fact),
        };
        Ok(FactRead {
            staged,
            watermark,
            left_out,
            nulls,
        })
    }

    fn dataset(&self) -> Dataset {
        Dataset::facts(self.fact.as_str())
    }

    /// The dates to read again.
    async fn changed(&self, watermark: Instant) -> Result<BTreeSet<NaiveDate>, JobError> {
        let dataset = self.dataset();
        let today = self.as_of.date_naive();
        let reconciles = self.work.job == Job::Daily;
        let mut dates = match self.fact.capture() {
            Capture::UpdatedAt => self.source.changed_dates(self.fact, watermark - COMMIT_SLACK).await?,
            Capture::LookBack { days } => {
                // What is committed later than the slack allows waits for the daily run.
                let from = match reconciles {
                    true => watermark.date_naive() - Days::new(days),
                    false => (watermark - COMMIT_SLACK).date_naive(),
                };
                from.iter_days().take_while(|day| *day <= today).collect()
            }
            Capture::Arrival => BTreeSet::new(),
        };
        if reconciles {
            let since = today - Days::new(RECONCILED_DAYS);
            dates.extend(self.differing(&dataset, since).await?);
            dates.extend(self.exchanged(&dataset, since).await?);
        }
        let lost = |(day, known): &(NaiveDate, &LakePartition)| {
            known.rows > 0 && self.published.file(&dataset, *day).is_none()
        };
        dates.extend(self.known.days(&dataset).filter(lost).map(|(day, _)| day));
        Ok(dates)
    }

    /// The dates from `since` on whose number of rows is not the lake's.
    async fn differing(&self, dataset: &Dataset, since: NaiveDate) -> Result<BTreeSet<NaiveDate>, JobError> {
        let in_source = self.source.counts(self.fact, Some(since)).await?;
        let mut in_lake: BTreeMap<_, _> = self.known.days(dataset).filter(|(day, _)| *day >= since).collect();
        let mut dates = BTreeSet::new();
        for (day, rows) in in_source {
            if in_lake
                .remove(&day)
                .is_none_or(|known| known.rows + known.left_out != count(rows))
            {
                dates.insert(day);
            }
        }
        // Those that the source has no rows of any more.
        let emptied = in_lake.into_iter().filter(|(_, known)| known.rows + known.left_out > 0);
        dates.extend(emptied.map(|(day, _)| day));
        Ok(dates)
    }

    /// The dates from `since` on whose file is not the one that the warehouse has recorded.
    async fn exchanged(&self, dataset: &Dataset, since: NaiveDate) -> Result<BTreeSet<NaiveDate>, JobError> {
        let lake = &self.work.platform.lake;
        let mut dates = BTreeSet::new();
        let files = self.published.files(dataset);
        for file in files.filter(|file| file.partition.day >= since) {
            if !self.known.holds(lake, dataset, file).await? {
                dates.insert(file.partition.day);
            }
        }
        Ok(dates)
    }

    /// Stages the rows of a read. A date of its windows that has no rows any more becomes an empty partition.
    async fn store(&self, mut source: Rows, windows: &[DayWindow]) -> Result<Read, JobError> {
        let column = self.fact.partition_column();
        let (mut rows, mut last) = (0, None);
        let mut arrived = BTreeSet::new();
        let mut left_out = BTreeMap::new();
        let keys = key_columns(self.fact);
        let mut stage = self.stage();
        while let Some(batch) = source.next().await {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            last = last.max(latest(&batch, column));
            for (day, batch) in split_by_day(&self.dataset(), &batch, column)? {
                let left = self.work.erased.leave_out(&batch, &keys);
                let left = left.map_err(|source| LakeError::Arrange {
                    dataset: self.dataset().to_string(),
                    source,
                })?;
                arrived.insert(day);
                *left_out.entry(day).or_default() += count(left.gone() as u64);
                // Even when nothing is left: the source has rows of the day, and they are not looked for again.
                stage.write(day, left.rows).await?;
            }
        }
        // The source has more rows than the lake, so that the daily run reads their days again until they are whole.
        let nulls = source.nulls();
        rows += nulls.rows;
        let mut staged = stage.finish().await?;
        let asked = |day: &NaiveDate| windows.iter().any(|window| window.contains(*day));
        let mut stage = self.stage();
        for (day, known) in self.known.days(&self.dataset()).filter(|(day, _)| asked(day)) {
            if known.rows + known.left_out > 0 && !arrived.contains(&day) {
                stage.write(day, RecordBatch::new_empty(fact_schema(self.fact))).await?;
            }
        }
        staged.extend(stage.finish().await?);
        let mut changed = Vec::new();
        for file in staged {
            let day = file.partition.day;
            let known = self
                .known
                .partition(&file.dataset, day)
                .map_or(0, |known| known.left_out);
            if known != left_out.get(&day).copied().unwrap_or_default() || !self.is_published(&file).await? {
                changed.push(file);
            }
        }
        left_out.retain(|_, rows| *rows > 0);
        Ok(Read {
            staged: changed,
            rows,
            last,
            left_out,
            nulls,
        })
    }

    fn stage(&self) -> Stage<'_> {
        let sql = self.source.rows_sql(self.fact);
        self.work
            .stage(&self.dataset(), &fact_schema(self.fact), sort_of(self.fact), sql)
    }

    /// Whether the same rows lie in the lake already, and the warehouse knows it.
    async fn is_published(&self, file: &StagedPartition) -> Result<bool, JobError> {
        let Some(published) = self.published.file(&file.dataset, file.partition.day) else {
            return Ok(false);
        };
        let known = self.known.partition(&file.dataset, file.partition.day);
        Ok(
            known.is_some_and(|known| known.content_hash == file.content_hash.to_string())
                && self
                    .known
                    .holds(&self.work.platform.lake, &file.dataset, published)
                    .await?,
        )
    }
}

/// What was read of a fact.
pub(crate) struct FactRead {
    /// The partitions that changed.
    pub(crate) staged: Vec<StagedPartition>,
    /// How far it was read.
    pub(crate) watermark: WatermarkChange,
    /// Rows that the source has and the partitions have not, by day, since their person is erased.
    pub(crate) left_out: BTreeMap<NaiveDate, i64>,
    /// Rows that were set aside, since they lack something.
    pub(crate) nulls: Nulls,
}

#[derive(Default)]
struct Read {
    staged: Vec<StagedPartition>,
    rows: u64,
    last: Option<Instant>,
    left_out: BTreeMap<NaiveDate, i64>,
    nulls: Nulls,
}

impl Read {
    fn add(&mut self, other: Self) {
        self.staged.extend(other.staged);
        self.rows += other.rows;
        self.last = self.last.max(other.last);
        self.left_out.extend(other.left_out);
        self.nulls.add(other.nulls);
    }
}

/// The latest instant of a column.
fn latest(batch: &RecordBatch, column: &str) -> Option<Instant> {
    let values = batch.column_by_name(column)?;
    let values = values.as_any().is::<TimestampMicrosecondArray>().then_some(values)?;
    max(values.as_primitive::<TimestampMicrosecondType>()).and_then(DateTime::from_timestamp_micros)
}
