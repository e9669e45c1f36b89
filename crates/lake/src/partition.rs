//! The key of a partition: a UTC day, or one hour of it.

use std::fmt;

use chrono::NaiveDate;

/// A UTC day, or one hour of a day in the datasets that are too large for days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// The day.
    pub day: NaiveDate,
    /// The hour, from 0 to 23; none for a whole day.
    pub hour: Option<u8>,
}

impl Partition {
    /// One hour of a day.
    #[must_use]
    pub const fn hour(day: NaiveDate, hour: u8) -> Self {
        Self { day, hour: Some(hour) }
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (day, hour) = match text.split_once('/') {
            Some((day, hour)) => (day, Some(hour)),
            None => (text, None),
        };
        let day = day.strip_prefix("date=")?.parse().ok()?;
        let hour = match hour {
            Some(hour) => Some(hour.strip_prefix("hour=")?.parse().ok().filter(|hour| *hour < 24)?),
            None => None,
        };
        Some(Self { day, hour })
    }
}

impl From<NaiveDate> for Partition {
    fn from(day: NaiveDate) -> Self {
        Self { day, hour: None }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hour {
            Some(hour) => write!(f, "date={}/hour={hour:02}", self.day),
            None => write!(f, "date={}", self.day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let day = "2026-01-31".parse().unwrap();
        for (partition, text) in [
            (Partition::from(day), "date=2026-01-31"),
            (Partition::hour(day, 7), "date=2026-01-31/hour=07"),
        ] {
            assert_eq!(partition.to_string(), text);
            assert_eq!(Partition::parse(text), Some(partition));
        }
    }

    #[test]
    fn anything_else_is_no_partition() {
        for text in [
            "",
            "2026-01-31",
            "date=x",
            "date=2026-01-31/hour=24",
            "date=2026-01-31/07",
        ] {
            assert_eq!(Partition::parse(text), None, "{text}");
        }
    }
}
