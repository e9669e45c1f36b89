//! The counts of events behind `GET /kpis/user-behavior`.

use std::str::FromStr;

use chrono::TimeDelta;
use kindred_model::{Instant, UnknownWord};

use crate::{Warehouse, WarehouseError};

/// The name under which all events are counted together. No event is counted under it alone.
pub const ALL_EVENTS: &str = "*";

/// The lengths of time that events are counted over. Distinct persons do not add up, so that there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BehaviorTimeframe {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
}

impl BehaviorTimeframe {
    const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The word that stands for it in `behavior_rollups` and in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// How long it is.
    #[must_use]
    pub const fn length(self) -> TimeDelta {
        TimeDelta::days(match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
        })
    }
}

impl FromStr for BehaviorTimeframe {
    type Err = UnknownWord;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|timeframe| timeframe.as_str() == given);
        found.ok_or_else(|| UnknownWord {
            what: "timeframe of behaviour",
            given: given.chars().take(40).collect(),
            expected: Self::ALL.map(Self::as_str).to_vec(),
        })
    }
}

/// What events are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Facet {
    /// By nothing.
    All,
    /// By what they happened on.
    Platform,
    /// By the hour of the day.
    Hour,
}

/// Events of one name, or all, by one value of a facet. What did not happen has no row; all events together always
/// have one.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct EventCount {
    /// The end of the timeframe.
    pub as_of: Instant,
    /// The event, or [`ALL_EVENTS`].
    pub event_name: String,
    /// What it is counted by.
    pub facet: Facet,
    /// `*`, a platform, or an hour from `00` to `23`.
    pub facet_value: String,
    /// How many happened.
    pub event_count: i64,
    /// How many persons they are of.
    pub unique_users: i64,
}

impl Warehouse {
    /// The latest counts over a timeframe. Of all events: every facet of them, and each event as a whole. Of one event:
    /// every facet of it, and all events as a whole. Nothing before the first rollup.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn event_counts(
        &self,
        timeframe: BehaviorTimeframe,
        event: Option<&str>,
    ) -> Result<Vec<EventCount>, WarehouseError> {
        sqlx::query_as(
            "select as_of, event_name, facet, facet_value, event_count, unique_users
             from behavior_rollups
             where timeframe = $1
                and as_of = (select max(as_of) from behavior_rollups where timeframe = $1)
                and (event_name = coalesce($2, '*') or (facet = 'all' and (event_name = '*' or $2 is null)))",
        )
        .bind(timeframe.as_str())
        .bind(event)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read counts of events"))
    }
}
