//! `GET /kpis/active-users`: how many users were active in each bucket of a window.

use axum::Json;
use axum::extract::State;
use chrono::TimeDelta;
use kindred_model::{Granularity, Instant};
use kindred_warehouse::read::active_users::Bucket;
use rust_decimal::Decimal;
use serde::Serialize;

use super::active_users_params::{ActiveUsersParams, Asked};
use crate::ApiState;
use crate::figure::Figure;
use crate::meta::Meta;
use crate::params::Params;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActiveUsers {
    summary: Summary,
    /// The buckets, oldest first.
    breakdown: Vec<Item>,
    meta: Meta,
}

/// The window in one line. Its figures are of complete buckets, if there is one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Of the latest bucket that was computed.
    latest_bucket_active_users: Option<i64>,
    /// Mean over the buckets that were computed.
    average_bucket_active_users: Option<Figure>,
    /// How many buckets the breakdown holds.
    total_buckets: usize,
    /// The buckets' length.
    granularity: &'static str,
    range: Range,
}

/// From the first bucket's start to the last one's end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    start_date: Timestamp,
    /// Exclusive.
    end_date: Timestamp,
}

/// A bucket.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// Its name: `2024-11-17`, `2024-11-17T14:00Z`, `2024-W47`, `2024-11`, `2024-Q4`.
    label: String,
    /// Its first instant.
    start_date: Timestamp,
    /// The first instant of its last day, of its hour when it is one.
    end_date: Timestamp,
    /// The first instant after it.
    end_exclusive: Timestamp,
    /// Users with a session that meets it; null when it was never computed.
    active_users: Option<i64>,
    /// Whether it is not over, so that its figures will grow.
    is_partial: bool,
    metadata: Metadata,
}

/// What else a bucket has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// Accounts made in it; null when it was never computed.
    new_registrations: Option<i64>,
    /// Sessions begun in it; null when it was never computed.
    total_sessions: Option<i64>,
}

pub(crate) async fn get(
    State(state): State<ApiState>,
    Params(params): Params<ActiveUsersParams>,
) -> Result<Json<ActiveUsers>, ApiError> {
    let now = state.clock.now();
    let asked = params.understood(now)?;
    let last_complete = match asked.needs_last_complete() {
        true => state.warehouse.latest_complete_bucket(asked.granularity).await?,
        false => None,
    };
    let starts = asked.buckets(now, last_complete)?;
    let end = starts.last().map_or(now, |last| asked.granularity.bucket_end(*last));
    let first = starts.first().copied().unwrap_or(end);
    let computed = state
        .warehouse
        .active_user_buckets(asked.granularity, first, end)
        .await?;
    let mut meta = Meta::new(state.warehouse.watermark().await?, now);
    meta.empty = computed.is_empty() && state.warehouse.has_no_buckets().await?;
    Ok(Json(answer(&asked, &starts, &computed, now, meta)))
}

fn answer(asked: &Asked, starts: &[Instant], computed: &[Bucket], now: Instant, mut meta: Meta) -> ActiveUsers {
    let granularity = asked.granularity;
    let range = Range {
        start_date: starts.first().copied().unwrap_or(now).into(),
        end_date: starts.last().map_or(now, |last| granularity.bucket_end(*last)).into(),
    };
    let mut breakdown: Vec<Item> = starts
        .iter()
        .map(|start| item(granularity, *start, computed, now))
        .collect();
    breakdown.retain(|item| asked.include_partial || !item.is_partial);
    if meta.empty {
        breakdown.clear();
    }
    meta.is_partial = breakdown.iter().any(|item| item.is_partial);
    let missing = breakdown.iter().filter(|item| item.active_users.is_none());
    meta.missing_buckets = missing.map(|item| item.start_date).collect();

    let known = |partial: bool| -> Vec<i64> {
        let wanted = breakdown.iter().filter(|item| item.is_partial == partial);
        wanted.filter_map(|item| item.active_users).collect()
    };
    let mut figures = known(false);
    if figures.is_empty() {
        figures = known(true);
        meta.averages_partial = !figures.is_empty();
    }
    let summary = Summary {
        latest_bucket_active_users: figures.last().copied(),
        average_bucket_active_users: Figure::mean(figures.iter().copied().map(Decimal::from).sum(), figures.len()),
        total_buckets: breakdown.len(),
        granularity: granularity.as_str(),
        range,
    };
    ActiveUsers {
        summary,
        breakdown,
        meta,
    }
}

fn item(granularity: Granularity, start: Instant, computed: &[Bucket], now: Instant) -> Item {
    let end = granularity.bucket_end(start);
    // `computed` is in the order of its starts.
    let known = computed
        .binary_search_by_key(&start, |bucket| bucket.bucket_start)
        .ok()
        .map(|at| computed[at]);
    Item {
        label: granularity.label(start),
        start_date: start.into(),
        end_date: inclusive_end(granularity, start, end).into(),
        end_exclusive: end.into(),
        active_users: known.map(|bucket| bucket.active_users),
        is_partial: known.map_or(end > now, |bucket| bucket.is_partial),
        metadata: Metadata {
            new_registrations: known.map(|bucket| bucket.new_registrations),
            total_sessions: known.map(|bucket| bucket.total_sessions),
        },
    }
}

/// The bucket's last day as its first instant; an hour is its own.
fn inclusive_end(granularity: Granularity, start: Instant, end: Instant) -> Instant {
    match granularity {
        Granularity::Hourly => start,
        _ => end - TimeDelta::days(1),
    }
}
