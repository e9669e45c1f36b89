//! `GET /kpis/sessions`: how many sessions began in a window of days, how long they were, how they ended, on what they
//! ran.

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use kindred_model::{DayWindow, Instant, Timeframe, TimeframeUnit, day_end};
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::segments::Dimension;
use kindred_warehouse::read::sessions::{SessionDay, SessionWindow};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::session_shares::{ExitReason, Lengths, Platform};
use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::figure::Figure;
use crate::meta::Meta;
use crate::params::windowed_params;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;
use crate::window::Range;

/// The window when none is asked for.
const LAST_WEEK: Timeframe = Timeframe {
    count: 7,
    unit: TimeframeUnit::Days,
};

windowed_params! {
    /// The parameters as they are written.
    SessionsParams {}
}

/// The answer. A session is of the day on which it began.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sessions {
    summary: Summary,
    /// The days, oldest first.
    timeline: Vec<Day>,
    /// How the sessions of all computed days ended, the most frequent way first, then by name.
    exit_reasons: Vec<ExitReason>,
    /// What the sessions of all computed days ran on, the most frequent first, then by name.
    platforms: Vec<Platform>,
    meta: Meta,
}

/// The window in one line. Averages are of its complete days, if there is one, and of sessions that have ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionsSummary)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Sessions that began on the computed days, those of a partial one included.
    total_sessions: Option<i64>,
    /// Mean length in minutes; a session counts 24 hours at most.
    average_session_duration: Option<Figure>,
    /// The same in seconds.
    average_session_duration_seconds: Option<Figure>,
    /// Half of the window's sessions, the partial day's included, were not longer, in seconds. Known for windows of 7, 30
    /// and 90 days whose last day was computed, else null: percentiles of days do not add.
    median_session_duration_seconds: Option<Figure>,
    /// The same of nine tenths.
    p90_session_duration_seconds: Option<Figure>,
    /// Mean of the days' sessions.
    average_sessions_per_day: Option<Figure>,
    /// All sessions by the sum of daily active users: how many one has on a day.
    average_sessions_per_user: Option<Figure>,
    range: Range,
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionsDay)]
#[serde(rename_all = "camelCase")]
struct Day {
    /// The day.
    date: NaiveDate,
    /// Sessions that began on it; null when it was never computed.
    sessions: Option<i64>,
    /// Users with a session that meets it; null when it was never computed.
    active_users: Option<i64>,
    /// Mean length of its ended sessions, in seconds; null when there are none.
    average_session_duration_seconds: Option<Figure>,
    /// Whether it is not over, so that its figures will grow.
    is_partial: bool,
}

/// Sessions of days: how many, how long, how they ended, on what they ran
///
/// The window ends with the current day, which is partial.
#[utoipa::path(get, path = "/kpis/sessions", operation_id = "sessions", tag = "KPIs",
    params(SessionsParams), responses((status = 200, body = Sessions)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<SessionsParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: SessionsParams, now: Instant) -> Result<Sessions, ApiError> {
    let window = params.window(LAST_WEEK, now)?.days(now)?;
    let days = warehouse.session_days(window).await?;
    let mut meta = Meta::new(warehouse.watermark().await?, now);
    meta.empty = days.is_empty() && !warehouse.has_session_days().await?;

    let timeline = match meta.empty {
        true => Vec::new(),
        false => timeline(window, &days, now),
    };
    meta.is_partial = timeline.iter().any(|day| day.is_partial);
    let missing = timeline.iter().filter(|day| day.sessions.is_none());
    meta.missing_buckets = missing.map(|day| Timestamp::of_day(day.date)).collect();
    // With no complete day the partial one is averaged.
    meta.averages_partial = !days.is_empty() && days.iter().all(|day| day.is_partial);
    let averaged: Vec<_> = days
        .iter()
        .filter(|day| day.is_partial == meta.averages_partial)
        .collect();

    let percentiles = warehouse.session_window(window).await?;
    let platforms = warehouse.segment_days(Dimension::Platform, window).await?;
    let is_averaged = |date: NaiveDate| averaged.binary_search_by_key(&date, |day| day.date).is_ok();
    Ok(Sessions {
        summary: Summary::of(window, &days, &averaged, percentiles),
        exit_reasons: ExitReason::all(warehouse.session_exits(window).await?),
        platforms: Platform::all(&platforms, is_averaged),
        timeline,
        meta,
    })
}

/// Every day of the window; `days` are in their order.
fn timeline(window: DayWindow, days: &[SessionDay], now: Instant) -> Vec<Day> {
    let mut known = days.iter().peekable();
    let day = |date: NaiveDate| {
        let known = known.next_if(|day| day.date == date);
        Day {
            date,
            sessions: known.map(|day| day.sessions),
            active_users: known.map(|day| day.active_users),
            average_session_duration_seconds: known.and_then(|day| Lengths::of_day(day).mean_seconds()),
            is_partial: known.map_or(day_end(date) > now, |day| day.is_partial),
        }
    };
    window.days().map(day).collect()
}

impl Summary {
    /// Of all computed days, and of those that are averaged.
    fn of(
        window: DayWindow,
        days: &[SessionDay],
        averaged: &[&SessionDay],
        percentiles: Option<SessionWindow>,
    ) -> Self {
        let sum =
            |figure: fn(&SessionDay) -> i64| averaged.iter().map(|day| Decimal::from(figure(day))).sum::<Decimal>();
        let sessions = sum(|day| day.sessions);
        let lengths: Lengths = averaged.iter().map(|day| Lengths::of_day(day)).sum();
        let percentile = |of: fn(&SessionWindow) -> Option<f64>| percentiles.as_ref().and_then(of);
        Self {
            total_sessions: (!days.is_empty()).then(|| days.iter().map(|day| day.sessions).sum()),
            average_session_duration: lengths.mean_minutes(),
            average_session_duration_seconds: lengths.mean_seconds(),
            median_session_duration_seconds: percentile(|of| of.median_duration).and_then(Figure::duration),
            p90_session_duration_seconds: percentile(|of| of.p90_duration).and_then(Figure::duration),
            average_sessions_per_day: Figure::mean(sessions, averaged.len()),
            average_sessions_per_user: Figure::mean(sessions, sum(|day| day.active_users)),
            range: window.into(),
        }
    }
}

impl Answer for Sessions {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// The days.
    fn table(&self) -> Table {
        let days = &self.timeline;
        let durations = days.iter().map(|day| day.average_session_duration_seconds);
        Table::default()
            .column("date", days.iter().map(|day| Some(day.date)))
            .column("sessions", days.iter().map(|day| day.sessions))
            .column("activeUsers", days.iter().map(|day| day.active_users))
            .column("averageSessionDurationSeconds", durations)
            .column("isPartial", days.iter().map(|day| Some(day.is_partial)))
    }
}
