//! `GET /kpis/user-behavior`: what people did in the last 24 hours, 7, 30 or 90 days.

use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use kindred_model::Instant;
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::user_behavior::{ALL_EVENTS, BehaviorTimeframe};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::behavior_facets::{Counts, EventShare, PlatformShare, TemporalPatterns};
use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::figure::Figure;
use crate::meta::Meta;
use crate::problem::ApiError;
use crate::window::Range;

/// The parameters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct UserBehaviorParams {
    /// How far back from the end of the last hour whose events were counted; 7d when absent.
    #[serde(deserialize_with = "crate::params::word")]
    #[param(value_type = Option<String>, pattern = "^(24h|7d|30d|90d)$")]
    timeframe: Option<BehaviorTimeframe>,
    /// The same as `timeframe`: give one of them.
    #[serde(deserialize_with = "crate::params::word")]
    #[param(value_type = Option<String>, pattern = "^(24h|7d|30d|90d)$")]
    range: Option<BehaviorTimeframe>,
    /// The name of an event: the whole answer is of it alone. All events when absent.
    #[serde(deserialize_with = "crate::params::word")]
    #[param(value_type = Option<String>, example = "profile_view", min_length = 1,
        pattern = r"^([^*\x00]|\*[^\x00])[^\x00]*$")]
    event_type: Option<EventType>,
}

impl UserBehaviorParams {
    fn timeframe(&self) -> Result<BehaviorTimeframe, ApiError> {
        match (self.timeframe, self.range) {
            (Some(_), Some(_)) => Err(ApiError::BadRequest(
                "`range` and `timeframe` are the same: give one of them".to_owned(),
            )),
            (given, None) | (None, given) => Ok(given.unwrap_or(BehaviorTimeframe::Week)),
        }
    }
}

/// The name of an event.
#[derive(Debug)]
struct EventType(String);

impl FromStr for EventType {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        // PostgreSQL holds no text with a NUL.
        match name {
            "" | ALL_EVENTS => Err("give the name of an event, or leave `eventType` out for all of them"),
            _ if name.contains('\0') => Err("no event has such a name"),
            _ => Ok(Self(name.to_owned())),
        }
    }
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserBehavior {
    overview: Overview,
    /// The events that happened, by count, then by name.
    event_breakdown: Vec<EventShare>,
    /// What they happened on, by count, then by name.
    platform_breakdown: Vec<PlatformShare>,
    temporal_patterns: TemporalPatterns,
    meta: Meta,
}

/// The window in one line.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = UserBehaviorOverview)]
#[serde(rename_all = "camelCase")]
struct Overview {
    /// How many events happened.
    total_events: Option<i64>,
    /// How many persons they are of.
    unique_users: Option<i64>,
    /// The first by the second.
    avg_events_per_user: Option<Figure>,
    /// The event that happened most often, of equal ones the first by name; null when none did.
    top_event_type: Option<String>,
    /// The window: it ends with the last hour whose events were counted. Null before the first.
    range: Option<Range>,
}

/// Events by name, platform and hour of the day
///
/// The window ends with the last hour whose events were counted. Persons are counted exactly, and do not add up: one
/// person may do several things, on several platforms, at several hours.
#[utoipa::path(get, path = "/kpis/user-behavior", operation_id = "userBehavior", tag = "KPIs",
    params(UserBehaviorParams), responses((status = 200, body = UserBehavior)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<UserBehaviorParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: UserBehaviorParams, now: Instant) -> Result<UserBehavior, ApiError> {
    let timeframe = params.timeframe()?;
    let event = params.event_type.as_ref().map(|EventType(name)| name.as_str());
    let rows = warehouse.event_counts(timeframe, event).await?;
    let mut meta = Meta::new(warehouse.watermark().await?, now);
    let Some(as_of) = rows.first().map(|row| row.as_of) else {
        meta.empty = true;
        return Ok(UserBehavior {
            overview: Overview::default(),
            event_breakdown: Vec::new(),
            platform_breakdown: Vec::new(),
            temporal_patterns: TemporalPatterns::default(),
            meta,
        });
    };
    let counts = Counts::new(&rows, event);
    let (total, persons) = counts.whole();
    let events = counts.events();
    Ok(UserBehavior {
        overview: Overview {
            total_events: Some(total),
            unique_users: Some(persons),
            avg_events_per_user: Figure::mean(total, persons),
            top_event_type: events.first().map(|top| top.event_name.clone()),
            range: Some(Range::new(as_of - timeframe.length(), as_of)),
        },
        event_breakdown: events,
        platform_breakdown: counts.platforms(),
        temporal_patterns: counts.hours(),
        meta,
    })
}

impl Answer for UserBehavior {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// The events.
    fn table(&self) -> Table {
        EventShare::table(&self.event_breakdown)
    }
}
