//! Instants as they are answered: `2024-11-17T00:00:00.000Z`.

use chrono::{NaiveDate, SecondsFormat};
use kindred_model::{Instant, day_start};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// An instant, written to the millisecond, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(crate) struct Timestamp(pub(crate) Instant);

impl Timestamp {
    /// The first instant of a day.
    pub(crate) fn of_day(day: NaiveDate) -> Self {
        Self(day_start(day))
    }
}

impl From<Instant> for Timestamp {
    fn from(instant: Instant) -> Self {
        Self(instant)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}
