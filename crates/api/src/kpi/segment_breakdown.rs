//! The days of `GET /kpis/active-users` by a property of users or of their sessions.

use kindred_model::DayWindow;
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::segments::{Dimension, SegmentDay};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Table;
use crate::meta::Meta;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// A value of the dimension. Values do not add up to the total: one user may have two platforms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActiveUsersBreakdown)]
#[serde(rename_all = "camelCase")]
pub(super) struct Breakdown {
    /// What the days are broken down by.
    dimension: &'static str,
    /// The value; `unknown` where the source has none.
    value: String,
    /// The window's days, oldest first.
    buckets: Vec<SegmentBucket>,
}

/// A day of a value.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SegmentBucket {
    /// Its first instant.
    start_date: Timestamp,
    /// Users with this value who were active on it; 0 when the day was computed and had none, null when it was never
    /// computed.
    active_users: Option<i64>,
}

/// The days of the window by value: each value has all of them.
pub(super) async fn breakdowns(
    warehouse: &Warehouse,
    dimension: Dimension,
    days: Option<DayWindow>,
    meta: &Meta,
) -> Result<Vec<Breakdown>, ApiError> {
    let Some(days) = days else { return Ok(Vec::new()) };
    let known = warehouse.segment_days(dimension, days).await?;
    // The rows come by value and then by day.
    let values = known.chunk_by(|one, next| one.value == next.value);
    Ok(values.map(|rows| breakdown(dimension, days, rows, meta)).collect())
}

fn breakdown(dimension: Dimension, days: DayWindow, rows: &[SegmentDay], meta: &Meta) -> Breakdown {
    let value = rows.first().map(|row| row.value.clone()).unwrap_or_default();
    let mut rows = rows.iter().peekable();
    let buckets = days.days().map(|day| {
        let start_date = Timestamp::of_day(day);
        let active = rows.next_if(|row| row.date == day).map(|row| row.active_users);
        let was_computed = meta.missing_buckets.binary_search(&start_date).is_err();
        SegmentBucket {
            start_date,
            active_users: active.or(was_computed.then_some(0)),
        }
    });
    Breakdown {
        dimension: dimension.as_str(),
        buckets: buckets.collect(),
        value,
    }
}

/// A row for each value and day.
pub(super) fn rows(breakdowns: &[Breakdown]) -> Table {
    let rows = || {
        breakdowns
            .iter()
            .flat_map(|of| of.buckets.iter().map(move |bucket| (of, bucket)))
    };
    Table::default()
        .column("dimension", rows().map(|(of, _)| Some(of.dimension)))
        .column("value", rows().map(|(of, _)| Some(of.value.as_str())))
        .column("startDate", rows().map(|(_, bucket)| Some(bucket.start_date)))
        .column("activeUsers", rows().map(|(_, bucket)| bucket.active_users))
}
