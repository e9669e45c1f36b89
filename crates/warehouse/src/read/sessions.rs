//! The days, exits and windows behind `GET /kpis/sessions`; its platforms are in [`super::segments`].

use chrono::NaiveDate;
use kindred_model::DayWindow;

use crate::{Warehouse, WarehouseError};

/// The sessions that began on a day.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
pub struct SessionDay {
    /// The day.
    pub date: NaiveDate,
    /// Users active on it.
    pub active_users: i64,
    /// How many sessions there were.
    pub sessions: i64,
    /// Of them, those that have ended.
    pub closed_sessions: i64,
    /// How long those were together, in seconds.
    pub session_seconds: f64,
    /// Whether it was not over when it was computed.
    pub is_partial: bool,
}

/// A way for a session to end.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SessionExit {
    /// The source's reason; `unknown` when it told none, `open` while a session has not ended.
    pub exit_reason: String,
    /// How many sessions ended so.
    pub sessions: i64,
}

/// How long the sessions of a window of days were, those that have ended.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
pub struct SessionWindow {
    /// Half of them were not longer, in seconds; none when none has ended.
    pub median_duration: Option<f64>,
    /// Nine tenths of them were not longer, in seconds; none when none has ended.
    pub p90_duration: Option<f64>,
}

impl Warehouse {
    /// The computed days of a window, oldest first.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn session_days(&self, days: DayWindow) -> Result<Vec<SessionDay>, WarehouseError> {
        sqlx::query_as(
            "select date, total_active_users as active_users, total_sessions as sessions, closed_sessions,
                 session_seconds, is_partial
             from daily_kpi_summaries where date >= $1 and date < $2 order by date",
        )
        .bind(days.from())
        .bind(days.to())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read days of sessions"))
    }

    /// Whether any day was ever computed.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn has_session_days(&self) -> Result<bool, WarehouseError> {
        sqlx::query_scalar("select exists (select from daily_kpi_summaries)")
            .fetch_one(self.pool())
            .await
            .map_err(WarehouseError::query("see whether it is empty"))
    }

    /// How the sessions that began in a window of days ended: the most frequent way first, then by name.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn session_exits(&self, days: DayWindow) -> Result<Vec<SessionExit>, WarehouseError> {
        sqlx::query_as(
            "select exit_reason, sum(sessions)::bigint as sessions from session_exits_daily
             where date >= $1 and date < $2
             group by exit_reason order by sum(sessions) desc, exit_reason collate \"C\"",
        )
        .bind(days.from())
        .bind(days.to())
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read how sessions ended"))
    }

    /// The percentiles of a window of 7, 30 or 90 days; none for other windows, since percentiles do not add, nor when
    /// its last day was never computed.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn session_window(&self, days: DayWindow) -> Result<Option<SessionWindow>, WarehouseError> {
        sqlx::query_as(
            "select median_duration, p90_duration from session_windows
             where as_of = $1::date - 1 and timeframe = $2",
        )
        .bind(days.to())
        .bind(format!("{}d", days.len()))
        .fetch_optional(self.pool())
        .await
        .map_err(WarehouseError::query("read a window of sessions"))
    }
}
