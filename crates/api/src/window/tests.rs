use chrono::DateTime;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn labels(granularity: Granularity, timeframe: &str, last: &str) -> Vec<String> {
    let buckets = buckets_back(granularity, timeframe.parse().unwrap(), at(last)).unwrap();
    buckets.into_iter().map(|start| granularity.label(start)).collect()
}

/// A Sunday in the middle of a month and of a quarter.
const NOW: &str = "2024-11-17T14:35:00Z";

#[test]
fn thirty_days_are_thirty_buckets_that_end_with_today() {
    let days = labels(Granularity::Daily, "30d", NOW);
    assert_eq!(
        (days.len(), days[0].as_str(), days[29].as_str()),
        (30, "2024-10-19", "2024-11-17")
    );
    assert_eq!(
        labels(Granularity::Daily, "72h", NOW),
        ["2024-11-15", "2024-11-16", "2024-11-17"]
    );
    assert_eq!(labels(Granularity::Daily, "1h", NOW), ["2024-11-17"]);
}

#[test]
fn months_and_quarters_are_calendar_ones_with_the_current_one() {
    assert_eq!(
        labels(Granularity::Monthly, "3m", NOW),
        ["2024-09", "2024-10", "2024-11"]
    );
    assert_eq!(
        labels(Granularity::Quarterly, "4q", NOW),
        ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    );
    let days = labels(Granularity::Daily, "2m", NOW);
    assert_eq!((days.len(), days[0].as_str()), (31 + 17, "2024-10-01"));
    assert_eq!(
        labels(Granularity::Monthly, "2q", NOW),
        ["2024-07", "2024-08", "2024-09", "2024-10", "2024-11"]
    );
}

#[test]
fn a_window_of_another_unit_takes_every_bucket_that_it_meets() {
    // 2024-10-19 is a Saturday: the week that holds it is met.
    assert_eq!(
        labels(Granularity::Weekly, "30d", NOW),
        ["2024-W42", "2024-W43", "2024-W44", "2024-W45", "2024-W46"]
    );
    assert_eq!(
        labels(Granularity::Quarterly, "6m", NOW),
        ["2024-Q2", "2024-Q3", "2024-Q4"]
    );
    assert_eq!(labels(Granularity::Quarterly, "30d", NOW), ["2024-Q4"]);
    assert_eq!(labels(Granularity::Monthly, "1m", "2024-02-29T23:59:59Z"), ["2024-02"]);
}

#[test]
fn more_than_two_thousand_buckets_are_refused() {
    let hours = |timeframe: &str| buckets_back(Granularity::Hourly, timeframe.parse().unwrap(), at(NOW));
    assert_eq!(hours("2000h").unwrap().len(), 2_000);
    assert_eq!(hours("2001h"), Err(TooManyBuckets(Granularity::Hourly)));
    assert_eq!(hours("9999q"), Err(TooManyBuckets(Granularity::Hourly)));
    let years_ago = buckets_back(Granularity::Quarterly, "2000q".parse().unwrap(), at(NOW)).unwrap();
    assert_eq!(Granularity::Quarterly.label(years_ago[0]), "1525-Q1");
}

#[test]
fn without_a_timeframe_a_granularity_has_its_own() {
    let counts = [72, 30, 12, 6, 4];
    for (granularity, count) in Granularity::ALL.iter().zip(counts) {
        let buckets = buckets_back(*granularity, default_timeframe(*granularity), at(NOW)).unwrap();
        assert_eq!(buckets.len(), count, "{granularity}");
    }
}

fn granularities() -> impl Strategy<Value = Granularity> {
    proptest::sample::select(Granularity::ALL)
}

fn instants() -> impl Strategy<Value = Instant> {
    // 1970 to 2100.
    (0_i64..4_102_444_800).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

fn timeframes() -> impl Strategy<Value = Timeframe> {
    let units = [
        TimeframeUnit::Hours,
        TimeframeUnit::Days,
        TimeframeUnit::Weeks,
        TimeframeUnit::Months,
        TimeframeUnit::Quarters,
    ];
    (1_u16..=120, proptest::sample::select(units.to_vec())).prop_map(|(count, unit)| Timeframe { count, unit })
}

proptest! {
    #[test]
    fn buckets_are_whole_and_follow_each_other_to_the_one_that_holds_the_instant(
        granularity in granularities(), timeframe in timeframes(), last in instants()
    ) {
        if let Ok(buckets) = buckets_back(granularity, timeframe, last) {
            prop_assert!((1..=MOST_BUCKETS).contains(&buckets.len()));
            for (bucket, next) in buckets.iter().zip(buckets.iter().skip(1)) {
                prop_assert_eq!(granularity.bucket_end(*bucket), *next);
            }
            prop_assert!(buckets.iter().all(|bucket| granularity.bucket_start(*bucket) == *bucket));
            prop_assert_eq!(*buckets.last().unwrap(), granularity.bucket_start(last));
        }
    }

    #[test]
    fn a_timeframe_in_the_granularitys_own_unit_has_as_many_buckets(
        granularity in granularities(), count in 1_u16..=500, last in instants()
    ) {
        let unit = default_timeframe(granularity).unit;
        let buckets = buckets_back(granularity, Timeframe { count, unit }, last).unwrap();
        prop_assert_eq!(buckets.len(), usize::from(count));
    }

    #[test]
    fn the_first_and_the_last_bucket_of_two_instants_meet_them(
        granularity in granularities(), from in instants(), hours in 1_i64..2_000
    ) {
        let to = from + TimeDelta::hours(hours);
        let buckets = buckets_between(granularity, from, to).unwrap();
        let (first, last) = (buckets[0], buckets[buckets.len() - 1]);
        prop_assert!(first <= from && from < granularity.bucket_end(first));
        prop_assert!(last < to && to <= granularity.bucket_end(last));
    }
}

mod fuzz {
    use super::*;

    use axum::http::Uri;

    use crate::params::{Params, windowed_params};

    windowed_params! {
        /// What every endpoint with a window reads.
        Asked {
            /// A text.
            word: Option<String>,
        }
    }

    /// Dates and lengths of time as they are written, and as they are not.
    fn value() -> impl Strategy<Value = String> {
        let values = [
            "30d",
            "72h",
            "9999q",
            "9999h",
            "10000d",
            "0d",
            "1y",
            "2024-11-17",
            "2024-02-30",
            "0000-01-01",
            "9999-12-31",
            "1899-12-31",
            "1900-01-01",
            "-262143-01-01",
            "+262142-12-31",
            "2024-11-17T00:00",
            "",
            "%",
            "%00",
            "%ff",
            "%F0%9F",
            "'%20or%201=1--",
            "%27;%20drop%20table%20x;--",
            "%0d%0aset-cookie:x",
            "\u{feff}",
            "*",
        ];
        prop_oneof![6 => proptest::sample::select(values.to_vec()).prop_map(str::to_owned), 1 => "[ -~]{0,12}"]
    }

    proptest! {
        #[test]
        fn a_query_asks_for_days_that_can_be_counted_or_is_a_bad_request(
            pairs in prop::collection::vec(
                (proptest::sample::select(vec!["timeframe", "range", "from", "to", "word", "else", ""]), value()), 0..4),
            now in instants(),
        ) {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let Ok(uri) = format!("/kpis/revenue?{}", pairs.join("&")).parse::<Uri>() else {
                return Ok(());
            };
            let default = default_timeframe(Granularity::Daily);
            let days = Params::<Asked>::of(&uri).and_then(|Params(asked)| asked.window(default, now)?.days(now));
            match days {
                Ok(days) => {
                    prop_assert!((1..=MOST_BUCKETS as u64).contains(&days.len()), "{:?}", days);
                    prop_assert!(days.from() <= now.date_naive() && days.from().year() >= FIRST_YEAR - 500);
                    prop_assert_eq!(days_before(days).len(), days.len());
                }
                Err(ApiError::BadRequest(detail)) => prop_assert!(!detail.is_empty() && detail.len() < 400, "{}", detail),
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
