//! Where things lie: `facts/users/date=2026-01-31/part-0.parquet`.

use std::fmt;

use chrono::NaiveDate;
use object_store::path::Path;
use uuid::Uuid;

/// The parts of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// Rows as they left the sources.
    Facts,
    /// What mirrors a warehouse table.
    Kpi,
    /// Compact state per user, rebuilt from facts at will.
    State,
}

/// A named set of day partitions with one schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dataset {
    area: Area,
    name: String,
}

const FILE: &str = "part-0.parquet";

/// The folder, at the lake's root, of what runs have written and not yet published.
pub(crate) const STAGING: &str = ".staging";

impl Dataset {
    /// The facts of this name.
    #[must_use]
    pub fn facts(name: &str) -> Self {
        Self {
            area: Area::Facts,
            name: name.to_owned(),
        }
    }

    /// The mirror of the warehouse table of this name.
    #[must_use]
    pub fn kpi(name: &str) -> Self {
        Self {
            area: Area::Kpi,
            name: name.to_owned(),
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn state(name: &str) -> Self {
        Self {
            area: Area::State,
            name: name.to_owned(),
        }
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

    /// The name of a day's partition: `date=2026-01-31`.
    #[must_use]
    pub fn partition(day: NaiveDate) -> String {
        format!("date={day}")
    }

    /// The folder of all partitions, relative to the lake.
    pub(crate) fn folder(&self) -> String {
        self.to_string()
    }

    /// The file of a day, relative to the lake.
    #[must_use]
    pub fn file(&self, day: NaiveDate) -> String {
        format!("{self}/{}/{FILE}", Self::partition(day))
    }

    /// Where a run keeps the file that shall take this place: hidden from whoever reads the dataset, and no `*.parquet`.
    pub(crate) fn staged_file(&self, day: NaiveDate, run_id: Uuid) -> String {
        format!("{}/{}.staged", staging_folder(run_id), self.file(day))
    }

    /// The day of a published file below [`Self::folder`], or `None` for anything else that lies there.
    pub(crate) fn day_of(location: &Path) -> Option<NaiveDate> {
        let mut parts = location.as_ref().rsplit('/');
        if parts.next()? != FILE {
            return None;
        }
        parts.next()?.strip_prefix("date=")?.parse().ok()
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
    fn a_day_is_read_back_from_its_path() {
        let day = "2026-01-31".parse().unwrap();
        let path = Dataset::facts("users").file(day);
        assert_eq!(path, "facts/users/date=2026-01-31/part-0.parquet");
        assert_eq!(Dataset::day_of(&Path::from(path)), Some(day));
    }

    #[test]
    fn a_staged_file_is_no_partition_and_knows_its_run() {
        let run = Uuid::from_u128(7);
        let path = Path::from(Dataset::kpi("lifecycle_daily").staged_file("2026-01-31".parse().unwrap(), run));
        assert_eq!(Dataset::day_of(&path), None);
        assert_eq!(staged_by(&path), Some(run));
        assert!(!path.as_ref().ends_with(".parquet"));
    }
}
