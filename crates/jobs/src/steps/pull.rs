//! Bringing the lake's facts up to date with their sources.
//!
//! Every source is opened, and held against the contract, before any is read. Then each fact is read: whole the first
//! time; later the dates whose rows have changed since the watermark, those whose number of rows differs from the
//! lake's, and those that the lake has lost. What was read and is no different from what lies there is dropped again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use kindred_extract::{ExtractError, Nulls, Snapshot as SourceSnapshot};
use kindred_lake::{Partition, Snapshot, StagedPartition};
use kindred_model::{Fact, Instant, Source};
use kindred_warehouse::{PartitionChange, WatermarkChange};
use serde_json::{Value, json};

use super::changes::{self, Changes};
use super::datasets;
use super::events::{self, EventsRead, Ingested};
use super::facts::{FactRead, FactReader};
use super::known::Known;
use super::work::Work;
use crate::Platform;
use crate::consumer::facts_of;
use crate::error::{JobError, describe};
use crate::run::partition;

/// Sources that are read side by side: each answers on one connection, and what is read is held while it is sorted.
const SOURCES_AT_ONCE: usize = 2;

/// What a pull brought.
pub(crate) struct Pulled {
    /// The instant up to which every source was read.
    pub(crate) as_of: Instant,
    /// The partitions that changed.
    pub(crate) staged: Vec<StagedPartition>,
    /// The days whose rows changed.
    pub(crate) changes: Changes,
    /// How far the sources were read.
    pub(crate) watermarks: Vec<WatermarkChange>,
    /// Up to when moderation is known; `None`: not at all.
    pub(crate) moderation_to: Option<Instant>,
    /// Optional sources that are configured and did not answer, and why.
    pub(crate) absent: Vec<(Source, ExtractError)>,
    /// The files of events that were read: path and ETag.
    pub(crate) event_files: Vec<(String, String)>,
    /// What was found among the events.
    pub(crate) events: EventsRead,
    /// The hours of events that changed.
    pub(crate) event_hours: BTreeSet<Partition>,
    /// Rows that were set aside for a null where none may be, by fact.
    pub(crate) nulls: BTreeMap<Fact, Nulls>,
    /// Rows of erased persons that were left out, by dataset and day.
    pub(crate) left_out: BTreeMap<(String, NaiveDate), i64>,
    /// Rows read, by fact.
    pub(crate) read: BTreeMap<Fact, u64>,
    /// Rows read, in all.
    pub(crate) rows_read: u64,
}

/// Reads what the sources have changed in the facts of the run's job. `computed` are the days that have daily figures.
pub(crate) async fn pull(
    work: &Work<'_>,
    published: &Snapshot,
    known: &Known,
    computed: &BTreeSet<NaiveDate>,
) -> Result<Pulled, JobError> {
    // Before the sources are opened: whatever was committed by now, they show.
    let as_of = work.platform.clock.now();
    let facts = facts_of(work.job);
    let (opened, absent) = open(work.platform, &facts).await?;
    let mut pulled = Pulled {
        as_of,
        staged: Vec::new(),
        changes: Changes::default(),
        watermarks: Vec::new(),
        moderation_to: known.moderation_to(),
        absent,
        event_files: Vec::new(),
        events: EventsRead::default(),
        event_hours: BTreeSet::new(),
        left_out: BTreeMap::new(),
        nulls: BTreeMap::new(),
        read: BTreeMap::new(),
        rows_read: 0,
    };
    let databases = opened.iter().map(|(database, source)| {
        let readers = facts.iter().filter(|fact| fact.source() == *database);
        let readers = readers.map(|fact| FactReader {
            work,
            published,
            source,
            known,
            fact: *fact,
            as_of,
        });
        read_database(*database, readers.collect()).boxed()
    });
    // Events take longest: who begins first, ends before the others wait for it.
    let events = facts.contains(&Fact::Events).then(|| {
        let ingested = events::ingest(work, published, known, as_of);
        async { Ok(SourceRead::Events(Box::new(ingested.await?))) }.boxed()
    });
    let sources: Vec<_> = events.into_iter().chain(databases).collect();
    let mut read = stream::iter(sources).buffer_unordered(SOURCES_AT_ONCE);
    while let Some(source) = read.try_next().await? {
        match source {
            SourceRead::Events(ingested) => pulled.took_events(*ingested),
            SourceRead::Database(database, facts) => {
                for (fact, read) in facts {
                    pulled.took(work, published, known, fact, read).await?;
                }
                if database == Source::Moderation {
                    // Where it was not known, nothing that happened is known too.
                    pulled.changes.note(Fact::Reports, known.without_moderation(computed));
                    pulled.moderation_to = Some(as_of);
                }
            }
        }
    }
    drop(read);
    Ok(pulled)
}

/// What was read of a source.
enum SourceRead {
    Database(Source, Vec<(Fact, FactRead)>),
    Events(Box<Ingested>),
}

/// The facts of one database, one after the other.
async fn read_database(database: Source, readers: Vec<FactReader<'_>>) -> Result<SourceRead, JobError> {
    let mut read = Vec::new();
    for reader in readers {
        read.push((reader.fact, reader.read().await?));
    }
    Ok(SourceRead::Database(database, read))
}

type Opened = Vec<(Source, SourceSnapshot)>;
type Absent = Vec<(Source, ExtractError)>;

/// One snapshot of each source. A required one that fails, fails the run; an optional one is left out.
async fn open(platform: &Platform, wanted: &[Fact]) -> Result<(Opened, Absent), JobError> {
    let (mut opened, mut absent) = (Vec::new(), Vec::new());
    for &source in Source::DATABASES {
        let facts: Vec<_> = wanted.iter().copied().filter(|fact| fact.source() == source).collect();
        if facts.is_empty() {
            continue;
        }
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
                absent.push((source, error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((opened, absent))
}

impl Pulled {
    /// Adds what was read of a fact of a database, and on which days it differs from what is published.
    async fn took(
        &mut self,
        work: &Work<'_>,
        published: &Snapshot,
        known: &Known,
        fact: Fact,
        read: FactRead,
    ) -> Result<(), JobError> {
        self.nulls.insert(fact, read.nulls);
        // What is read for the first time was in no figure yet.
        if known.watermark(fact).is_some() {
            let before = changes::known_files(work.platform, fact, &read.staged, published, known).await?;
            let dates = changes::days_of_difference(work.platform, fact, &before, &read.staged).await?;
            self.changes.note(fact, dates);
        }
        let dataset = datasets::facts(fact).to_string();
        let left_out = read.left_out.into_iter();
        self.left_out
            .extend(left_out.map(|(day, rows)| ((dataset.clone(), day), rows)));
        self.add(fact, read.staged, read.watermark);
        Ok(())
    }

    /// Adds the events that were placed.
    fn took_events(&mut self, ingested: Ingested) {
        self.nulls.insert(Fact::Events, ingested.nulls);
        self.changes
            .note(Fact::Events, ingested.hours.iter().map(|hour| hour.day));
        self.event_hours = ingested.hours;
        self.event_files = ingested.files;
        self.events = ingested.read;
        self.add(Fact::Events, ingested.staged, ingested.watermark);
    }

    /// Adds the files of a fact.
    fn add(&mut self, fact: Fact, staged: Vec<StagedPartition>, watermark: WatermarkChange) {
        let rows = watermark.rows.unsigned_abs();
        self.rows_read += rows;
        self.read.insert(fact, rows);
        self.staged.extend(staged);
        self.watermarks.push(watermark);
    }

    /// What the warehouse is told of one of the run's files.
    pub(crate) fn partition(&self, staged: &StagedPartition) -> PartitionChange {
        let key = (staged.dataset.to_string(), staged.partition.day);
        PartitionChange {
            left_out: self.left_out.get(&key).copied().unwrap_or_default(),
            ..partition(staged)
        }
    }

    /// What the run says of optional sources that did not answer.
    pub(crate) fn absence(&self) -> Option<String> {
        let lines = self
            .absent
            .iter()
            .map(|(source, why)| format!("without the source {source}: {}", describe(why)));
        (!self.absent.is_empty()).then(|| lines.collect::<Vec<_>>().join("; "))
    }

    /// Rows and replaced partitions by fact, for the ledger.
    pub(crate) fn detail(&self) -> Value {
        let facts = self.read.iter().map(|(fact, rows)| {
            let name = fact.as_str();
            let replaced = self.staged.iter().filter(|file| file.dataset.name() == name).count();
            let left_out = self
                .left_out
                .iter()
                .filter(|((dataset, _), _)| *dataset == format!("facts/{name}"));
            let mut told = json!({ "rows": rows, "partitionsReplaced": replaced });
            let left_out: i64 = left_out.map(|(_, rows)| rows).sum();
            if left_out > 0 {
                told["rowsLeftOut"] = left_out.into();
            }
            (name.to_owned(), told)
        });
        Value::Object(facts.collect())
    }
}
