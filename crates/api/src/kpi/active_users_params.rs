//! What `GET /kpis/active-users` may be asked.

use kindred_model::{Granularity, Instant};
use kindred_warehouse::read::segments::Dimension;

use crate::comparison::Compare;
use crate::params::{windowed_params, word};
use crate::problem::ApiError;
use crate::window::{Window, buckets_back, buckets_between, default_timeframe};

windowed_params! {
    /// The parameters as they are written.
    ActiveUsersParams {
        /// The buckets' length; daily when absent.
        #[serde(deserialize_with = "word")]
        #[param(value_type = Option<String>, pattern = "^(hourly|daily|weekly|monthly|quarterly)$")]
        granularity: Option<Granularity>,
        /// Active users by this property of theirs, or of their sessions, too; for daily buckets.
        #[serde(deserialize_with = "word")]
        #[param(value_type = Option<String>, pattern = "^(platform|country|app_version|gender)$")]
        breakdown: Option<Dimension>,
        /// Whether buckets that are not over are wanted too; true when absent.
        #[serde(deserialize_with = "word")]
        #[param(value_type = Option<bool>)]
        include_partial: Option<bool>,
        /// The complete buckets against as many before them.
        #[param(inline)]
        compare: Option<Compare>,
    }
}

/// A request that makes sense.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) granularity: Granularity,
    pub(crate) breakdown: Option<Dimension>,
    pub(crate) include_partial: bool,
    pub(crate) compare: Option<Compare>,
    window: Window,
}

impl ActiveUsersParams {
    /// What is asked for, when nothing contradicts it.
    pub(crate) fn understood(self, now: Instant) -> Result<Asked, ApiError> {
        let granularity = self.granularity.unwrap_or(Granularity::Daily);
        if self.breakdown.is_some() && granularity != Granularity::Daily {
            return Err(ApiError::BadRequest(format!(
                "breakdown: there is one of daily buckets only, and {granularity} ones are asked for"
            )));
        }
        Ok(Asked {
            granularity,
            breakdown: self.breakdown,
            include_partial: self.include_partial.unwrap_or(true),
            compare: self.compare,
            window: self.window(default_timeframe(granularity), now)?,
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
        Ok(buckets?)
    }
}
