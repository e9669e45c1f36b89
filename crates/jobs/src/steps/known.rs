//! What the warehouse knows of the lake and of how far the sources were read.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kindred_lake::Dataset;
use kindred_model::{Fact, Instant, Source};
use kindred_warehouse::{LakePartition, Watermark};

use crate::Platform;
use crate::error::JobError;

/// Watermarks and published partitions, as they were when the run began.
pub(crate) struct Known {
    watermarks: Vec<Watermark>,
    partitions: BTreeMap<(String, String), LakePartition>,
}

impl Known {
    pub(crate) async fn load(platform: &Platform) -> Result<Self, JobError> {
        let partitions = platform.warehouse.partitions(None).await?.into_iter();
        let by_name = partitions.map(|known| ((known.dataset.clone(), known.partition.clone()), known));
        Ok(Self {
            watermarks: platform.warehouse.watermarks().await?,
            partitions: by_name.collect(),
        })
    }

    pub(crate) fn watermark(&self, fact: Fact) -> Option<Instant> {
        self.watermarks
            .iter()
            .find(|known| known.dataset == fact.as_str())
            .map(|known| known.extracted_to)
    }

    /// The earlier one of the moderation facts' watermarks.
    pub(crate) fn moderation_to(&self) -> Option<Instant> {
        let facts = Fact::ALL.iter().filter(|fact| fact.source() == Source::Moderation);
        facts.map(|fact| self.watermark(*fact)).min().flatten()
    }

    /// What was last published for a day of a dataset.
    pub(crate) fn partition(&self, dataset: &Dataset, day: NaiveDate) -> Option<&LakePartition> {
        self.partitions.get(&(dataset.to_string(), Dataset::partition(day)))
    }

    /// The days of a dataset that were published.
    pub(crate) fn days<'a>(&'a self, dataset: &Dataset) -> impl Iterator<Item = (NaiveDate, &'a LakePartition)> {
        let name = dataset.to_string();
        let all = self.partitions.values().filter(move |known| known.dataset == name);
        all.filter_map(|known| Some((known.partition.strip_prefix("date=")?.parse().ok()?, known)))
    }
}
