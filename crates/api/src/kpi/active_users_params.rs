//! What `GET /kpis/active-users` may be asked.

use chrono::{Days, NaiveDate};
use kindred_model::{DayWindow, Granularity, Instant, Timeframe};
use serde::Deserialize;

use crate::params::{date, word};
use crate::problem::ApiError;
use crate::window::{TooManyBuckets, buckets_back, buckets_between, default_timeframe};

/// The parameters as they are written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(crate) struct ActiveUsersParams {
    /// The buckets' length; daily when absent.
    #[serde(deserialize_with = "word")]
    granularity: Option<Granularity>,
    /// How far back; by granularity when absent.
    #[serde(deserialize_with = "word")]
    range: Option<Timeframe>,
    /// The same as `range`.
    #[serde(deserialize_with = "word")]
    timeframe: Option<Timeframe>,
    /// The first day, in place of a range.
    #[serde(deserialize_with = "date")]
    from: Option<NaiveDate>,
    /// The day after the last.
    #[serde(deserialize_with = "date")]
    to: Option<NaiveDate>,
    /// Whether buckets that are not over are wanted too; true when absent.
    #[serde(deserialize_with = "word")]
    include_partial: Option<bool>,
}

/// A request that makes sense.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) granularity: Granularity,
    pub(crate) include_partial: bool,
    window: Window,
}

#[derive(Debug)]
enum Window {
    Back(Timeframe),
    Between(DayWindow),
}

impl ActiveUsersParams {
    /// What is asked for, when nothing contradicts it.
    pub(crate) fn understood(self, now: Instant) -> Result<Asked, ApiError> {
        let granularity = self.granularity.unwrap_or(Granularity::Daily);
        let window = match (self.range, self.timeframe, self.from, self.to) {
            (None, None, None, None) => Window::Back(default_timeframe(granularity)),
            (Some(back), None, None, None) | (None, Some(back), None, None) => Window::Back(back),
            (None, None, Some(from), Some(to)) => Window::Between(days(from, to, now)?),
            (None, None, ..) => {
                return Err(bad(
                    "`from` and `to` come together: the first day, and the day after the last",
                ));
            }
            (Some(_), Some(_), ..) => return Err(bad("`range` and `timeframe` are the same: give one of them")),
            _ => return Err(bad("give either `range` or `from` and `to`")),
        };
        Ok(Asked {
            granularity,
            include_partial: self.include_partial.unwrap_or(true),
            window,
        })
    }
}

impl Asked {
    /// Whether the window ends with the latest complete bucket, wherever that is.
    pub(crate) fn needs_last_complete(&self) -> bool {
        matches!(self.window, Window::Back(_)) && !self.include_partial
    }

    /// The starts of the buckets, oldest first. None of them begins in the future.
    pub(crate) fn buckets(&self, now: Instant, last_complete: Option<Instant>) -> Result<Vec<Instant>, ApiError> {
        let current = self.granularity.bucket_start(now);
        let buckets = match self.window {
            Window::Back(timeframe) if self.include_partial => buckets_back(self.granularity, timeframe, now),
            Window::Back(timeframe) => {
                let last = last_complete.unwrap_or(self.granularity.step(current, -1));
                buckets_back(self.granularity, timeframe, last)
            }
            Window::Between(days) => {
                let end = days.end().min(self.granularity.bucket_end(now));
                buckets_between(self.granularity, days.start(), end)
            }
        };
        buckets.map_err(|error: TooManyBuckets| ApiError::BadRequest(error.to_string()))
    }
}

/// The days from `from` up to, and without, `to`; it has begun.
fn days(from: NaiveDate, to: NaiveDate, now: Instant) -> Result<DayWindow, ApiError> {
    let window = DayWindow::new(from, to).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let tomorrow = now.date_naive() + Days::new(1);
    if window.from() >= tomorrow {
        return Err(ApiError::BadRequest(format!("`from` {from} lies in the future")));
    }
    Ok(window)
}

fn bad(detail: &str) -> ApiError {
    ApiError::BadRequest(detail.to_owned())
}
