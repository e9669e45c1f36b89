//! Rows of the events' table that were committed so late that their time of arrival had been read already.
//!
//! For each day of arrival it is remembered how many of its rows have been read. A day that has another number is read
//! again, whole; copies of what is there already are dropped like any.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, TimeDelta};
use kindred_model::{DayWindow, Fact, Instant, day_start};

use super::ArrivalRequest;
use crate::ExtractError;
use crate::postgres::Snapshot;

/// A row is written with the time of arrival, and seen when its transaction commits: mostly within so much.
const LATE_COMMITS: TimeDelta = TimeDelta::minutes(10);

/// How far back all days are counted, once a day.
const RECONCILED_DAYS: u64 = 35;

/// What a day is remembered under, before its date.
const PREFIX: &str = "behavior_events/";

/// What is to be read of a table.
#[derive(Debug)]
pub(super) struct ArrivalDays {
    /// The spans of arrival to read, each `[from, to)`, oldest first; `None`: from the first row on.
    pub(super) spans: Vec<(Option<Instant>, Instant)>,
    /// What to remember of the days that were counted.
    pub(super) counted: Vec<(String, String)>,
}

impl ArrivalDays {
    /// Counts the days that a request concerns: those since the watermark and, when it reconciles, those before it too.
    pub(super) async fn of(snapshot: &Snapshot, request: &ArrivalRequest) -> Result<Self, ExtractError> {
        let read_to = request.since.map(|since| since - LATE_COMMITS);
        let oldest = request.now.date_naive() - Days::new(RECONCILED_DAYS);
        let first = match read_to {
            Some(read_to) if !request.reconciles => read_to.date_naive(),
            _ => oldest,
        };
        let first = request.history_since.map_or(first, |since| since.max(first));
        let read = request.now - LATE_COMMITS;
        let until = [read_to.unwrap_or(read), read];
        let counts = snapshot.count_arrivals(Fact::Events, day_start(first), until).await?;
        let mut spans = Vec::new();
        if let Some(read_to) = read_to {
            let there = counts.iter().map(|(day, [there, _])| (*day, *there)).collect();
            let late = differing(&remembered(&request.known_files, first), &there);
            let of_days = DayWindow::covering(late).into_iter();
            spans.extend(of_days.map(|days| (Some(day_start(days.from())), read_to.min(day_start(days.to())))));
        }
        spans.push((read_to.or(request.history_since.map(day_start)), request.now));
        let counts = counts.into_iter().map(|(day, [_, read])| (day, read)).collect();
        let counted = every_day(&counts, first, read.date_naive());
        Ok(Self {
            spans,
            counted: counted
                .map(|(day, rows)| (format!("{PREFIX}{day}"), rows.to_string()))
                .collect(),
        })
    }
}

/// The numbers of all days from `first` to `last`: one without rows has none, so that its first late row is another number.
fn every_day(
    counts: &BTreeMap<NaiveDate, u64>,
    first: NaiveDate,
    last: NaiveDate,
) -> impl Iterator<Item = (NaiveDate, u64)> {
    let days = first.iter_days().take_while(move |day| *day <= last);
    days.map(|day| (day, counts.get(&day).copied().unwrap_or_default()))
}

/// The rows that were read of the days from `first` on.
fn remembered(known: &BTreeMap<String, String>, first: NaiveDate) -> BTreeMap<NaiveDate, u64> {
    let days = known.iter().filter_map(|(name, rows)| {
        let day: NaiveDate = name.strip_prefix(PREFIX)?.parse().ok()?;
        Some((day, rows.parse().ok()?))
    });
    days.filter(|(day, _)| *day >= first).collect()
}

/// The days that have another number of rows than was read of them. One that nobody has counted yet is none.
fn differing(read: &BTreeMap<NaiveDate, u64>, there: &BTreeMap<NaiveDate, u64>) -> BTreeSet<NaiveDate> {
    let differs = |(day, rows): &(&NaiveDate, &u64)| there.get(day).copied().unwrap_or_default() != **rows;
    read.iter().filter(differs).map(|(day, _)| *day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_with_another_number_of_rows_are_read_again_and_uncounted_ones_are_not() {
        let read = [("2026-01-01", 5), ("2026-01-02", 7), ("2026-01-03", 1)].map(|(date, rows)| (day(date), rows));
        let there = [("2026-01-01", 5), ("2026-01-02", 8), ("2026-01-04", 9)].map(|(date, rows)| (day(date), rows));
        let late = differing(&read.into(), &there.into());
        assert_eq!(late, BTreeSet::from([day("2026-01-02"), day("2026-01-03")]));
    }

    #[test]
    fn a_day_without_rows_is_remembered_as_such() {
        let counts = BTreeMap::from([(day("2026-01-02"), 7)]);
        let counted: Vec<_> = every_day(&counts, day("2026-01-01"), day("2026-01-03")).collect();
        let expected = [("2026-01-01", 0), ("2026-01-02", 7), ("2026-01-03", 0)];
        assert_eq!(counted, expected.map(|(date, rows)| (day(date), rows)));
        let late = differing(
            &counted.into_iter().collect(),
            &BTreeMap::from([(day("2026-01-01"), 1)]),
        );
        assert!(late.contains(&day("2026-01-01")));
    }

    #[test]
    fn files_and_older_days_are_not_taken_for_days() {
        let known = [
            ("behavior_events/2026-01-01", "5"),
            ("behavior_events/2026-01-02", "7"),
            ("2026-01-02.ndjson", "etag"),
        ];
        let known = known.map(|(name, rows)| (name.to_owned(), rows.to_owned())).into();
        assert_eq!(
            remembered(&known, day("2026-01-02")),
            BTreeMap::from([(day("2026-01-02"), 7)])
        );
    }
}
