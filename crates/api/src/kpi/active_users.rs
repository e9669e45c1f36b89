//! `GET /kpis/active-users`: how many users were active in each bucket of a window.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use kindred_model::{DayWindow, Granularity, Instant};
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::active_users::Bucket;
use serde::Serialize;
use utoipa::ToSchema;

use super::active_users_params::{ActiveUsersParams, Asked as Wanted};
use super::segment_breakdown::{Breakdown, breakdowns, rows};
use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::comparison::{Compare, Compared};
use crate::figure::Figure;
use crate::meta::Meta;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;
use crate::window::Range;

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActiveUsers {
    summary: Summary,
    /// The buckets, oldest first.
    breakdown: Vec<Bin>,
    /// The days by value of the dimension that is asked for; absent when none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    breakdowns: Option<Vec<Breakdown>>,
    /// The complete buckets against as many before them; absent when it is not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<ActiveUsersComparison>,
    meta: Meta,
}

/// The window in one line. Its figures are of complete buckets, if there is one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActiveUsersSummary)]
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

/// A bucket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActiveUsersBucket)]
#[serde(rename_all = "camelCase")]
struct Bin {
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
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActiveUsersMetadata)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// Accounts made in it; null when it was never computed.
    new_registrations: Option<i64>,
    /// Sessions begun in it; null when it was never computed.
    total_sessions: Option<i64>,
}

/// The summary's figures in the window before.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ActiveUsersComparison {
    /// The buckets before.
    range: Range,
    latest_bucket_active_users: Compared,
    average_bucket_active_users: Compared,
}

/// Active users of hours, days, weeks, months or quarters
///
/// The window ends with the current bucket, which is partial.
#[utoipa::path(get, path = "/kpis/active-users", operation_id = "activeUsers", tag = "KPIs",
    params(ActiveUsersParams), responses((status = 200, body = ActiveUsers)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<ActiveUsersParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: ActiveUsersParams, now: Instant) -> Result<ActiveUsers, ApiError> {
    let wanted = params.understood(now)?;
    let granularity = wanted.granularity;
    let last_complete = match wanted.needs_last_complete() {
        true => warehouse.latest_complete_bucket(granularity).await?,
        false => None,
    };
    let starts = wanted.buckets(now, last_complete)?;
    let end = starts.last().map_or(now, |last| granularity.bucket_end(*last));
    let first = starts.first().copied().unwrap_or(end);
    let computed = warehouse.active_user_buckets(granularity, first, end).await?;
    let mut meta = Meta::new(warehouse.watermark().await?, now);
    meta.empty = computed.is_empty() && warehouse.has_no_buckets().await?;

    let mut bins: Vec<Bin> = starts
        .iter()
        .map(|start| bin(granularity, *start, &computed, now))
        .collect();
    bins.retain(|bin| !meta.empty && (wanted.include_partial || !bin.is_partial));
    meta.is_partial = bins.iter().any(|bin| bin.is_partial);
    let missing = bins.iter().filter(|bin| bin.active_users.is_none());
    meta.missing_buckets = missing.map(|bin| bin.start_date).collect();
    let figures = Figures::of(&bins);
    meta.averages_partial = figures.partial;

    Ok(ActiveUsers {
        summary: Summary {
            latest_bucket_active_users: figures.active_users.last().copied(),
            average_bucket_active_users: figures.average(),
            total_buckets: bins.len(),
            granularity: granularity.as_str(),
            range: Range::new(first, end),
        },
        breakdowns: match wanted.breakdown {
            Some(dimension) => Some(breakdowns(warehouse, dimension, days(&bins), &meta).await?),
            None => None,
        },
        comparison: comparison(warehouse, &wanted, &bins).await?,
        breakdown: bins,
        meta,
    })
}

fn bin(granularity: Granularity, start: Instant, computed: &[Bucket], now: Instant) -> Bin {
    let end = granularity.bucket_end(start);
    // `computed` is in the order of its starts.
    let known = computed
        .binary_search_by_key(&start, |bucket| bucket.bucket_start)
        .ok()
        .map(|at| computed[at]);
    Bin {
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

/// The days of daily buckets; none without a bucket.
fn days(bins: &[Bin]) -> Option<DayWindow> {
    let (first, last) = (bins.first()?, bins.last()?);
    DayWindow::new(first.start_date.0.date_naive(), last.end_exclusive.0.date_naive()).ok()
}

/// What the summary is made of: the complete buckets that were computed, or the partial one when there is no other.
struct Figures {
    active_users: Vec<i64>,
    partial: bool,
}

impl Figures {
    fn of(bins: &[Bin]) -> Self {
        let known = |partial: bool| -> Vec<i64> {
            let wanted = bins.iter().filter(|bin| bin.is_partial == partial);
            wanted.filter_map(|bin| bin.active_users).collect()
        };
        let complete = known(false);
        if !complete.is_empty() {
            return Self {
                active_users: complete,
                partial: false,
            };
        }
        let active_users = known(true);
        Self {
            partial: !active_users.is_empty(),
            active_users,
        }
    }

    fn average(&self) -> Option<Figure> {
        Figure::mean(self.active_users.iter().sum::<i64>(), self.active_users.len())
    }

    fn latest(&self) -> Option<Figure> {
        self.active_users.last().copied().map(Figure::count)
    }
}

/// The window's complete buckets against the same number of buckets before them.
async fn comparison(
    warehouse: &Warehouse,
    wanted: &Wanted,
    bins: &[Bin],
) -> Result<Option<ActiveUsersComparison>, ApiError> {
    let complete: Vec<&Bin> = bins.iter().filter(|bin| !bin.is_partial).collect();
    let (Some(Compare::Previous), Some(first)) = (wanted.compare, bins.first()) else {
        return Ok(None);
    };
    let count = complete.len();
    let (end, granularity) = (first.start_date.0, wanted.granularity);
    let start = granularity.step(end, -i64::try_from(count).unwrap_or(i64::MAX));
    let before = warehouse.active_user_buckets(granularity, start, end).await?;
    // What was not computed in full cannot be compared with.
    let before: Vec<i64> = match before.len() == count && count > 0 {
        true => before.iter().map(|bucket| bucket.active_users).collect(),
        false => Vec::new(),
    };
    let previous = Figures {
        active_users: before,
        partial: false,
    };
    let current = Figures {
        active_users: complete.iter().filter_map(|bin| bin.active_users).collect(),
        partial: false,
    };
    Ok(Some(ActiveUsersComparison {
        range: Range::new(start, end),
        latest_bucket_active_users: Compared::of(current.latest(), previous.latest()),
        average_bucket_active_users: Compared::of(current.average(), previous.average()),
    }))
}

impl Answer for ActiveUsers {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// The buckets; the days by value when a breakdown is asked for.
    fn table(&self) -> Table {
        if let Some(breakdowns) = &self.breakdowns {
            return rows(breakdowns);
        }
        let bins = &self.breakdown;
        Table::default()
            .column("label", bins.iter().map(|bin| Some(bin.label.as_str())))
            .column("startDate", bins.iter().map(|bin| Some(bin.start_date)))
            .column("endDate", bins.iter().map(|bin| Some(bin.end_date)))
            .column("endExclusive", bins.iter().map(|bin| Some(bin.end_exclusive)))
            .column("activeUsers", bins.iter().map(|bin| bin.active_users))
            .column("isPartial", bins.iter().map(|bin| Some(bin.is_partial)))
            .column(
                "newRegistrations",
                bins.iter().map(|bin| bin.metadata.new_registrations),
            )
            .column("totalSessions", bins.iter().map(|bin| bin.metadata.total_sessions))
    }
}
