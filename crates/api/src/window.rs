//! Which buckets a request asks for: calendar arithmetic alone, of a granularity, a timeframe and an instant.

use chrono::TimeDelta;
use kindred_model::{Granularity, Instant, Timeframe, TimeframeUnit};

/// The most buckets that one answer holds.
pub(crate) const MOST_BUCKETS: usize = 2_000;

/// A window that holds more buckets than one answer may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the window holds more than {MOST_BUCKETS} {0} buckets; ask for a shorter one, or for a coarser granularity")]
pub(crate) struct TooManyBuckets(Granularity);

/// The starts of the buckets, oldest first, that a timeframe meets which ends with the bucket that holds `last`.
///
/// Hours, days and weeks are counted back from the end of that bucket; months and quarters are calendar ones, the one
/// that holds `last` included.
pub(crate) fn buckets_back(
    granularity: Granularity,
    timeframe: Timeframe,
    last: Instant,
) -> Result<Vec<Instant>, TooManyBuckets> {
    let end = granularity.bucket_end(last);
    let count = i64::from(timeframe.count);
    let calendar = |unit: Granularity| unit.step(unit.bucket_start(last), 1 - count);
    let start = match timeframe.unit {
        TimeframeUnit::Hours => end - TimeDelta::hours(count),
        TimeframeUnit::Days => end - TimeDelta::days(count),
        TimeframeUnit::Weeks => end - TimeDelta::weeks(count),
        TimeframeUnit::Months => calendar(Granularity::Monthly),
        TimeframeUnit::Quarters => calendar(Granularity::Quarterly),
    };
    buckets_between(granularity, start, end)
}

/// The starts of the buckets, oldest first, that meet `[from, to)`; `from` is before `to`.
pub(crate) fn buckets_between(
    granularity: Granularity,
    from: Instant,
    to: Instant,
) -> Result<Vec<Instant>, TooManyBuckets> {
    let first = granularity.bucket_start(from);
    let starts = (0..)
        .map(|n| granularity.step(first, n))
        .take_while(|start| *start < to);
    let buckets: Vec<_> = starts.take(MOST_BUCKETS + 1).collect();
    if buckets.len() > MOST_BUCKETS {
        return Err(TooManyBuckets(granularity));
    }
    Ok(buckets)
}

/// The timeframe that stands when none is asked for.
pub(crate) const fn default_timeframe(granularity: Granularity) -> Timeframe {
    let (count, unit) = match granularity {
        Granularity::Hourly => (72, TimeframeUnit::Hours),
        Granularity::Daily => (30, TimeframeUnit::Days),
        Granularity::Weekly => (12, TimeframeUnit::Weeks),
        Granularity::Monthly => (6, TimeframeUnit::Months),
        Granularity::Quarterly => (4, TimeframeUnit::Quarters),
    };
    Timeframe { count, unit }
}

#[cfg(test)]
mod tests;
