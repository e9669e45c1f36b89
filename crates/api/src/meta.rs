//! What every KPI answer says about itself.

use chrono::NaiveDate;
use kindred_model::{DEFINITIONS_VERSION, DayWindow, Instant};
use serde::Serialize;
use utoipa::ToSchema;

use crate::timestamp::Timestamp;

/// Where an answer's figures come from, and how far they can be trusted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta {
    /// The watermark: every source that is required was read to the end at this instant or later.
    pub(crate) as_of: Option<Timestamp>,
    /// The day that the current figures are of; absent where there is no such day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<NaiveDate>,
    /// Whether the answer holds a bucket that is not over, whose figures will grow.
    pub(crate) is_partial: bool,
    /// Whether averages and trends had no complete bucket to use, and use the partial one.
    pub(crate) averages_partial: bool,
    /// The first instants of the window's buckets that were never computed.
    pub(crate) missing_buckets: Vec<Timestamp>,
    /// The version of the metrics' definitions.
    pub(crate) definitions_version: &'static str,
    /// The time zone of days and buckets.
    pub(crate) timezone: &'static str,
    /// When the answer was made.
    pub(crate) generated_at: Timestamp,
    /// Whether the warehouse holds nothing for this answer at all yet.
    pub(crate) empty: bool,
}

impl Meta {
    /// What an answer made now says when there is nothing else to say.
    pub(crate) fn new(as_of: Option<Instant>, now: Instant) -> Self {
        Self {
            as_of: as_of.map(Timestamp),
            date: None,
            is_partial: false,
            averages_partial: false,
            missing_buckets: Vec::new(),
            definitions_version: DEFINITIONS_VERSION,
            timezone: "UTC",
            generated_at: now.into(),
            empty: false,
        }
    }

    /// Says which days of the window were never computed, and whether one of its days is not over. The computed ones come
    /// oldest first.
    pub(crate) fn cover(&mut self, window: DayWindow, computed: impl IntoIterator<Item = NaiveDate>, now: Instant) {
        let mut computed = computed.into_iter().peekable();
        let missing = window.days().filter(|day| computed.next_if_eq(day).is_none());
        self.missing_buckets = missing.map(Timestamp::of_day).collect();
        self.is_partial = window.contains(now.date_naive());
    }
}
