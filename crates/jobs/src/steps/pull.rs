//! Bringing the lake's facts up to date with their sources.
//!
//! Every source is opened, and held against the contract, before any is read. Then each fact is read: whole the first
//! time; later the dates whose rows have changed since the watermark, those whose number of rows differs from the
//! lake's, and those that the lake has lost. What was read and is no different from what lies there is dropped again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use kindred_extract::Snapshot as SourceSnapshot;
use kindred_lake::{Snapshot, StagedPartition};
use kindred_model::{Fact, Instant, Source};
use kindred_warehouse::WatermarkChange;
use serde_json::{Value, json};

use super::changes::{self, Changes};
use super::facts::FactReader;
use super::known::Known;
use super::work::Work;
use crate::Platform;
use crate::error::{JobError, describe};

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
    work: &Work<'_>,
    published: &Snapshot,
    known: &Known,
    computed: &BTreeSet<NaiveDate>,
) -> Result<Pulled, JobError> {
    // Before the sources are opened: whatever was committed by now, they show.
    let as_of = work.platform.clock.now();
    let (opened, absent) = open(work.platform).await?;
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
    for (database, source) in &opened {
        for &fact in Fact::ALL.iter().filter(|fact| fact.source() == *database) {
            let reader = FactReader {
                work,
                published,
                source,
                known,
                fact,
                as_of,
            };
            let (staged, watermark) = reader.read().await?;
            pulled.rows_read += watermark.rows.unsigned_abs();
            pulled.read.insert(fact, watermark.rows.unsigned_abs());
            // Where no figure stands yet, as on a first run, nothing can be restated.
            let before = changes::known_files(work.platform, fact, &staged, published, known).await?;
            let dates = match computed.is_empty() {
                true => BTreeSet::new(),
                false => changes::days_of_difference(work.platform, fact, &before, &staged).await?,
            };
            pulled.changes.note(fact, dates, &staged);
            pulled.staged.extend(staged);
            pulled.watermarks.push(watermark);
        }
        if *database == Source::Moderation {
            // Where it was not known, nothing that happened is known too.
            pulled
                .changes
                .note(Fact::Reports, known.without_moderation(computed), &[]);
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
    for &source in Source::DATABASES {
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
