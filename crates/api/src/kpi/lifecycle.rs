//! `GET /kpis/lifecycle`: of each day's active users, who is new, who came back, and who stayed away.

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use kindred_model::{DayWindow, Instant, Timeframe, TimeframeUnit, day_end};
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::lifecycle::LifecycleDay;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::figure::Figure;
use crate::meta::Meta;
use crate::params::windowed_params;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;
use crate::window::Range;

/// The timeframe that stands when none is asked for.
const MONTH: Timeframe = Timeframe {
    count: 30,
    unit: TimeframeUnit::Days,
};

windowed_params! {
    /// The parameters.
    LifecycleParams {}
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lifecycle {
    summary: Summary,
    /// The window's days, oldest first. Empty in an empty warehouse.
    timeline: Vec<Day>,
    meta: Meta,
}

/// The window in one line: means over its complete days, or the partial one when there is no other.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LifecycleSummary)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Mean of the days' active users who registered on the day.
    average_new_active: Option<Figure>,
    /// Mean of those who were active the day before.
    average_returning: Option<Figure>,
    /// Mean of those who were not.
    average_resurrected: Option<Figure>,
    /// Mean of those who were active the day before and stayed away.
    average_dormant: Option<Figure>,
    /// Mean of the days' active users.
    average_active: Option<Figure>,
    /// The latest of the days that the means are of.
    latest: Option<Day>,
    range: Range,
}

/// A day: `newActive + returning + resurrected = activeUsers`. Null when it was never computed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = LifecycleDay)]
#[serde(rename_all = "camelCase")]
struct Day {
    /// The day.
    date: NaiveDate,
    /// Active users who registered on it.
    new_active: Option<i64>,
    /// Other active users who were active the day before.
    returning: Option<i64>,
    /// Other active users who were not.
    resurrected: Option<i64>,
    /// Users active the day before, and not on it: so far, while it is not over.
    dormant: Option<i64>,
    /// Users active on it.
    active_users: Option<i64>,
    /// Whether it is not over, so that its figures will change.
    is_partial: bool,
}

/// New, returning, resurrected and dormant users of each day
///
/// The window ends with today, which is partial.
#[utoipa::path(get, path = "/kpis/lifecycle", operation_id = "lifecycle", tag = "KPIs",
    params(LifecycleParams), responses((status = 200, body = Lifecycle)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<LifecycleParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: LifecycleParams, now: Instant) -> Result<Lifecycle, ApiError> {
    let window = params.window(MONTH, now)?.days(now)?;
    let computed = warehouse.lifecycle_days(window).await?;
    let mut meta = Meta::new(warehouse.watermark().await?, now);
    meta.empty = computed.is_empty() && warehouse.has_no_lifecycle().await?;
    let timeline = match meta.empty {
        true => Vec::new(),
        false => timeline(window, &computed, now),
    };
    meta.is_partial = timeline.iter().any(|day| day.is_partial);
    let missing = timeline.iter().filter(|day| day.active_users.is_none());
    meta.missing_buckets = missing.map(|day| Timestamp::of_day(day.date)).collect();
    let (complete, partial): (Vec<_>, Vec<_>) = computed.iter().partition(|day| !day.is_partial);
    meta.averages_partial = complete.is_empty() && !partial.is_empty();
    let averaged = if meta.averages_partial { partial } else { complete };
    Ok(Lifecycle {
        summary: Summary::of(&averaged, window),
        timeline,
        meta,
    })
}

/// Every day of the window; `computed` is in their order.
fn timeline(window: DayWindow, computed: &[LifecycleDay], now: Instant) -> Vec<Day> {
    let mut computed = computed.iter().peekable();
    let days = window.days().map(|date| {
        let known = computed.next_if(|day| day.date == date);
        known.map_or_else(|| Day::not_computed(date, now), Day::of)
    });
    days.collect()
}

impl Summary {
    fn of(days: &[&LifecycleDay], window: DayWindow) -> Self {
        let mean = |count: fn(&LifecycleDay) -> i64| {
            let sum: i64 = days.iter().map(|day| count(day)).sum();
            Figure::mean(sum, days.len())
        };
        Self {
            average_new_active: mean(|day| day.new_active),
            average_returning: mean(|day| day.returning),
            average_resurrected: mean(|day| day.resurrected),
            average_dormant: mean(|day| day.dormant),
            average_active: mean(active),
            latest: days.last().map(|day| Day::of(day)),
            range: window.into(),
        }
    }
}

fn active(day: &LifecycleDay) -> i64 {
    day.new_active + day.returning + day.resurrected
}

impl Day {
    fn of(day: &LifecycleDay) -> Self {
        Self {
            date: day.date,
            new_active: Some(day.new_active),
            returning: Some(day.returning),
            resurrected: Some(day.resurrected),
            dormant: Some(day.dormant),
            active_users: Some(active(day)),
            is_partial: day.is_partial,
        }
    }

    fn not_computed(date: NaiveDate, now: Instant) -> Self {
        Self {
            date,
            new_active: None,
            returning: None,
            resurrected: None,
            dormant: None,
            active_users: None,
            is_partial: day_end(date) > now,
        }
    }
}

impl Answer for Lifecycle {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// The days.
    fn table(&self) -> Table {
        let days = &self.timeline;
        Table::default()
            .column("date", days.iter().map(|day| Some(day.date)))
            .column("newActive", days.iter().map(|day| day.new_active))
            .column("returning", days.iter().map(|day| day.returning))
            .column("resurrected", days.iter().map(|day| day.resurrected))
            .column("dormant", days.iter().map(|day| day.dormant))
            .column("activeUsers", days.iter().map(|day| day.active_users))
            .column("isPartial", days.iter().map(|day| Some(day.is_partial)))
    }
}
