//! Calendar buckets of time, in UTC, weeks from Monday.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Timelike};

use crate::{Instant, day_start, words};

words! {
    /// The length of a bucket.
    Granularity, "granularity", {
        /// One clock hour.
        Hourly => "hourly",
        /// One day.
        Daily => "daily",
        /// Monday to Sunday.
        Weekly => "weekly",
        /// One calendar month.
        Monthly => "monthly",
        /// January, April, July or October and the two months after it.
        Quarterly => "quarterly",
    }
}

impl Granularity {
    /// The first instant of the bucket that holds `at`.
    #[must_use]
    pub fn bucket_start(self, at: Instant) -> Instant {
        let day = at.date_naive();
        match self {
            Self::Hourly => day_start(day) + TimeDelta::hours(i64::from(at.hour())),
            Self::Daily => day_start(day),
            Self::Weekly => day_start(day - Days::new(day.weekday().num_days_from_monday().into())),
            Self::Monthly => day_start(first_of_month(day)),
            Self::Quarterly => day_start(first_of_month(day) - Months::new(day.month0() % 3)),
        }
    }

    /// The first instant after the bucket that holds `at`: the start of the next one.
    #[must_use]
    pub fn bucket_end(self, at: Instant) -> Instant {
        self.step(self.bucket_start(at), 1)
    }

    /// The bucket start that lies `buckets` buckets after the bucket start `start`; before it when negative.
    #[must_use]
    pub fn step(self, start: Instant, buckets: i64) -> Instant {
        match self {
            Self::Hourly => start + TimeDelta::hours(buckets),
            Self::Daily => start + TimeDelta::days(buckets),
            Self::Weekly => start + TimeDelta::weeks(buckets),
            Self::Monthly => add_months(start, buckets),
            Self::Quarterly => add_months(start, 3 * buckets),
        }
    }

    /// The bucket's name: `2024-11-17`, `2024-11-17T14:00Z`, `2024-W47`, `2024-11`, `2024-Q4`.
    #[must_use]
    pub fn label(self, start: Instant) -> String {
        match self {
            Self::Hourly => start.format("%Y-%m-%dT%H:00Z").to_string(),
            Self::Daily => start.format("%Y-%m-%d").to_string(),
            Self::Weekly => start.format("%G-W%V").to_string(),
            Self::Monthly => start.format("%Y-%m").to_string(),
            Self::Quarterly => format!("{}-Q{}", start.year(), start.month0() / 3 + 1),
        }
    }
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).expect("every month has a first day")
}

fn add_months(start: Instant, months: i64) -> Instant {
    let count = Months::new(u32::try_from(months.unsigned_abs()).unwrap_or(u32::MAX));
    let moved = if months < 0 {
        start.checked_sub_months(count)
    } else {
        start.checked_add_months(count)
    };
    moved.unwrap_or(if months < 0 {
        DateTime::<chrono::Utc>::MIN_UTC
    } else {
        DateTime::<chrono::Utc>::MAX_UTC
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("an instant")
    }

    #[test]
    fn buckets_start_on_mondays_firsts_and_quarter_months() {
        let instant = at("2024-11-17T14:35:07Z");
        let starts = Granularity::ALL
            .iter()
            .map(|granularity| granularity.bucket_start(instant).to_rfc3339());
        assert_eq!(
            starts.collect::<Vec<_>>(),
            [
                "2024-11-17T14:00:00+00:00",
                "2024-11-17T00:00:00+00:00",
                "2024-11-11T00:00:00+00:00",
                "2024-11-01T00:00:00+00:00",
                "2024-10-01T00:00:00+00:00",
            ]
        );
    }

    #[test]
    fn labels_are_those_of_the_contract() {
        let label = |granularity: Granularity, text| granularity.label(granularity.bucket_start(at(text)));
        assert_eq!(label(Granularity::Hourly, "2024-11-17T14:35:00Z"), "2024-11-17T14:00Z");
        assert_eq!(label(Granularity::Weekly, "2024-11-20T00:00:00Z"), "2024-W47");
        assert_eq!(label(Granularity::Quarterly, "2024-12-31T23:59:59Z"), "2024-Q4");
    }

    #[test]
    fn the_iso_year_of_a_week_may_differ_from_its_days_year() {
        let monday = Granularity::Weekly.bucket_start(at("2025-01-01T00:00:00Z"));
        assert_eq!(Granularity::Weekly.label(monday), "2025-W01");
        assert_eq!(monday, at("2024-12-30T00:00:00Z"));
    }

    #[test]
    fn the_end_of_a_bucket_is_the_start_of_the_next() {
        assert_eq!(
            Granularity::Monthly.bucket_end(at("2024-01-31T12:00:00Z")),
            at("2024-02-01T00:00:00Z")
        );
        assert_eq!(
            Granularity::Quarterly.step(at("2024-01-01T00:00:00Z"), -1),
            at("2023-10-01T00:00:00Z")
        );
    }
}
