//! Where things lie: `facts/users/date=2026-01-31/part-0.parquet`.

use std::fmt;

use object_store::path::Path;
use uuid::Uuid;

use crate::Partition;

/// The parts of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// Rows as they left the sources.
    Facts,
    /// What could not be read of the sources: where it stands, and why.
    Rejected,
    /// What mirrors a warehouse table.
    Kpi,
    /// Compact state per user, rebuilt from facts at will.
    State,
}

/// A named set of partitions with one schema: one for each day, or one for each hour.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dataset {
    area: Area,
    name: String,
    hourly: bool,
}

const FILE: &str = "part-0.parquet";

/// The folder, at the lake's root, of what runs have written and not yet published.
pub(crate) const STAGING: &str = ".staging";

impl Dataset {
    /// The facts of this name.
    #[must_use]
    pub fn facts(name: &str) -> Self {
        Self::new(Area::Facts, name)
    }

    /// What of the facts of this name could not be read.
    #[must_use]
    pub fn rejected(name: &str) -> Self {
        Self::new(Area::Rejected, name)
    }

    /// The mirror of the warehouse table of this name.
    #[must_use]
    pub fn kpi(name: &str) -> Self {
        Self::new(Area::Kpi, name)
    }

    /// The state of this name.
    #[must_use]
    pub fn state(name: &str) -> Self {
        Self::new(Area::State, name)
    }

    fn new(area: Area, name: &str) -> Self {
        Self {
            area,
            name: name.to_owned(),
            hourly: false,
        }
    }

    /// The same with a partition for each hour.
    #[must_use]
    pub fn by_hour(self) -> Self {
        Self { hourly: true, ..self }
    }

    /// Whether it has a partition for each hour.
    #[must_use]
    pub const fn is_hourly(&self) -> bool {
        self.hourly
    }

    /// The part of the lake that it lies in.
    #[must_use]
    pub const fn area(&self) -> Area {
        self.area
    }

    /// Its name, without the area.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder of all partitions, relative to the lake.
    pub(crate) fn folder(&self) -> String {
        self.to_string()
    }

    /// The file of a partition, relative to the lake.
    #[must_use]
    pub fn file(&self, partition: Partition) -> String {
        format!("{self}/{partition}/{FILE}")
    }

    /// Where a run keeps the file that shall take this place: hidden from whoever reads the dataset, and no `*.parquet`.
    pub(crate) fn staged_file(&self, partition: Partition, run_id: Uuid) -> String {
        format!("{}/{}.staged", staging_folder(run_id), self.file(partition))
    }

    /// The partition of a published file below [`Self::folder`], or `None` for anything else that lies there.
    pub(crate) fn partition_of(&self, location: &Path) -> Option<Partition> {
        let inside = location.as_ref().strip_prefix(&self.folder())?.strip_prefix('/')?;
        let partition = Partition::parse(inside.strip_suffix(FILE)?.strip_suffix('/')?)?;
        (partition.hour.is_some() == self.hourly).then_some(partition)
    }
}

/// Where a run keeps its files until they are published.
pub(crate) fn staging_folder(run_id: Uuid) -> String {
    format!("{STAGING}/{run_id}")
}

/// The run whose staging folder this lies in, or `None` for anything else.
pub(crate) fn staged_by(location: &Path) -> Option<Uuid> {
    location
        .as_ref()
        .strip_prefix(STAGING)?
        .strip_prefix('/')?
        .split('/')
        .next()?
        .parse()
        .ok()
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let area = match self.area {
            Area::Facts => "facts",
            Area::Rejected => "rejected",
            Area::Kpi => "kpi",
            Area::State => "state",
        };
        write!(f, "{area}/{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_read_back_from_its_path() {
        let day: chrono::NaiveDate = "2026-01-31".parse().unwrap();
        let users = Dataset::facts("users");
        let path = users.file(Partition::from(day));
        assert_eq!(path, "facts/users/date=2026-01-31/part-0.parquet");
        assert_eq!(users.partition_of(&Path::from(path)), Some(day.into()));

        let events = Dataset::facts("events").by_hour();
        let path = events.file(Partition::hour(day, 7));
        assert_eq!(path, "facts/events/date=2026-01-31/hour=07/part-0.parquet");
        assert_eq!(events.partition_of(&Path::from(path)), Some(Partition::hour(day, 7)));
    }

    #[test]
    fn a_staged_file_is_no_partition_and_knows_its_run() {
        let run = Uuid::from_u128(7);
        let dataset = Dataset::kpi("lifecycle_daily");
        let day: chrono::NaiveDate = "2026-01-31".parse().unwrap();
        let path = Path::from(dataset.staged_file(day.into(), run));
        assert_eq!(dataset.partition_of(&path), None);
        assert_eq!(staged_by(&path), Some(run));
        assert!(!path.as_ref().ends_with(".parquet"));
    }
}
