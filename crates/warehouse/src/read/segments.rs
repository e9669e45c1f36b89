//! Days by a property of users or of their sessions, behind `GET /kpis/active-users?breakdown=` and
//! `GET /kpis/sessions`.

use std::str::FromStr;

use chrono::NaiveDate;
use kindred_model::{DayWindow, UnknownWord};

use crate::{Warehouse, WarehouseError};

/// What days are broken down by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// What the session ran on.
    Platform,
    /// Where the user is.
    Country,
    /// Of the app that the session ran.
    AppVersion,
    /// The user's.
    Gender,
}

impl Dimension {
    const ALL: [Self; 4] = [Self::Platform, Self::Country, Self::AppVersion, Self::Gender];

    /// The word that stands for it in `segment_kpi_daily` and in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Country => "country",
            Self::AppVersion => "app_version",
            Self::Gender => "gender",
        }
    }
}

impl FromStr for Dimension {
    type Err = UnknownWord;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|dimension| dimension.as_str() == given);
        found.ok_or_else(|| UnknownWord {
            what: "breakdown",
            given: given.chars().take(40).collect(),
            expected: Self::ALL.map(Self::as_str).to_vec(),
        })
    }
}

/// A value of a dimension on a day.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SegmentDay {
    /// The value; `unknown` where the source has none.
    pub value: String,
    /// The day.
    pub date: NaiveDate,
    /// Users active on it.
    pub active_users: i64,
    /// Sessions that began on it.
    pub total_sessions: i64,
    /// Of them, those that have ended.
    pub closed_sessions: i64,
    /// How long those were together, in seconds.
    pub session_seconds: f64,
}

impl Warehouse {
    /// The values of a dimension on the days of a window, by value and then by day.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn segment_days(&self, dimension: Dimension, days: DayWindow) -> Result<Vec<SegmentDay>, WarehouseError> {
        sqlx::query_as(
            "select value, date, active_users, total_sessions, closed_sessions, session_seconds
             from segment_kpi_daily
             where dimension = $1 and date >= $2 and date < $3 order by value, date",
        )
        .bind(dimension.as_str())
        .bind(days.from())
        .bind(days.to())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read days by segment"))
    }
}
