//! What the warehouse knows of the lake and of how far the sources were read.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use kindred_lake::{Dataset, Lake, LakeError, Partition, PartitionFile, Snapshot, read_content_hash};
use kindred_model::{Fact, Instant, Source, day_end};
use kindred_warehouse::{LakePartition, SummaryTable, Watermark};

use crate::error::JobError;
use crate::{JobSettings, Platform};

/// Watermarks and published partitions, as they were when the run began.
pub(crate) struct Known {
    watermarks: Vec<Watermark>,
    /// By the name of their dataset.
    partitions: BTreeMap<String, BTreeMap<Partition, LakePartition>>,
}

impl Known {
    pub(crate) async fn load(platform: &Platform) -> Result<Self, JobError> {
        let mut partitions = BTreeMap::<_, BTreeMap<_, _>>::new();
        for known in platform.warehouse.partitions(None).await? {
            if let Some(partition) = Partition::parse(&known.partition) {
                partitions
                    .entry(known.dataset.clone())
                    .or_default()
                    .insert(partition, known);
            }
        }
        Ok(Self {
            watermarks: platform.warehouse.watermarks().await?,
            partitions,
        })
    }

    pub(crate) fn watermark(&self, fact: Fact) -> Option<Instant> {
        self.watermarks
            .iter()
            .find(|known| known.dataset == fact.as_str())
            .map(|known| known.extracted_to)
    }

    /// The first day of the events that the lake keeps; none when it keeps all of them. Counted from the newest event at
    /// most, so that no clock that runs ahead removes any.
    pub(crate) fn events_kept_since(&self, settings: &JobSettings, today: NaiveDate) -> Option<NaiveDate> {
        let days = settings.events_lake_days?;
        let events = self
            .watermarks
            .iter()
            .find(|known| known.dataset == Fact::Events.as_str())?;
        let newest = events.last_row_at?.date_naive() + Days::new(1);
        Some(today.min(newest) - Days::new(days.saturating_sub(1)))
    }

    /// The earlier one of the moderation facts' watermarks.
    pub(crate) fn moderation_to(&self) -> Option<Instant> {
        let facts = Fact::ALL.iter().filter(|fact| fact.source() == Source::Moderation);
        facts.map(|fact| self.watermark(*fact)).min().flatten()
    }

    /// Of the computed days, those of which moderation was not known to the end when everything else was.
    pub(crate) fn without_moderation(&self, computed: &BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
        let to = self.moderation_to();
        if to >= self.watermark(Fact::Users) {
            return BTreeSet::new();
        }
        let unknown = |day: &NaiveDate| to.is_none_or(|to| day_end(*day) > to);
        computed.iter().copied().filter(unknown).collect()
    }

    /// Whether a published file holds what the warehouse has recorded, and not the rows of a run that died between its
    /// files and its commit.
    pub(crate) async fn holds(&self, lake: &Lake, dataset: &Dataset, file: &PartitionFile) -> Result<bool, LakeError> {
        let Some(known) = self.partition(dataset, file.partition) else {
            return Ok(false);
        };
        if known.etag.is_some() && known.etag == file.meta.e_tag {
            return Ok(true);
        }
        // A copied lake has new tags, and equal rows.
        Ok(read_content_hash(lake, file).await?.as_ref() == Some(&known.content_hash))
    }

    /// By table, the days from `since` on whose mirror is not the one that the warehouse has recorded: a run died
    /// between its files and its commit, or the lake has lost a file.
    pub(crate) async fn unsettled(
        &self,
        lake: &Lake,
        snapshot: &Snapshot,
        tables: &[&'static SummaryTable],
        since: NaiveDate,
    ) -> Result<BTreeMap<&'static str, BTreeSet<NaiveDate>>, LakeError> {
        let mut unsettled = BTreeMap::new();
        for table in tables {
            let dataset = Dataset::kpi(table.name);
            let recorded = self.days(&dataset).map(|(day, _)| day);
            let mut days: BTreeSet<_> = recorded.filter(|day| snapshot.file(&dataset, *day).is_none()).collect();
            for file in snapshot.files(&dataset).filter(|file| file.partition.day >= since) {
                if !self.holds(lake, &dataset, file).await? {
                    days.insert(file.partition.day);
                }
            }
            unsettled.insert(table.name, days.split_off(&since));
        }
        Ok(unsettled)
    }

    /// Whether every published partition of a dataset is there, of those that are kept.
    pub(crate) fn is_complete(&self, dataset: &Dataset, snapshot: &Snapshot, kept_since: Option<NaiveDate>) -> bool {
        let mut published = self.of(dataset).filter(|(_, known)| known.rows > 0);
        published.all(|(partition, _)| {
            kept_since.is_some_and(|since| partition.day < since) || snapshot.file(dataset, partition).is_some()
        })
    }

    /// What was last published for a partition of a dataset.
    pub(crate) fn partition(&self, dataset: &Dataset, partition: impl Into<Partition>) -> Option<&LakePartition> {
        self.partitions.get(&dataset.to_string())?.get(&partition.into())
    }

    /// The partitions of a dataset that were published.
    pub(crate) fn partitions(&self, dataset: &Dataset) -> impl Iterator<Item = Partition> {
        self.of(dataset).map(|(partition, _)| partition)
    }

    /// The days of a dataset that were published.
    pub(crate) fn days<'a>(&'a self, dataset: &Dataset) -> impl Iterator<Item = (NaiveDate, &'a LakePartition)> {
        self.of(dataset).map(|(partition, known)| (partition.day, known))
    }

    fn of<'a>(&'a self, dataset: &Dataset) -> impl Iterator<Item = (Partition, &'a LakePartition)> {
        let partitions = self.partitions.get(&dataset.to_string()).into_iter().flatten();
        partitions.map(|(partition, known)| (*partition, known))
    }
}
