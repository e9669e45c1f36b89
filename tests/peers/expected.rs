//! What a funnel case asserts, and where given walks differ from it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use super::funnels::Walk;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Persons who reached each step; null is not asserted.
    #[serde(default)]
    counts: Vec<Option<usize>>,
    /// By step, counted from 1.
    #[serde(default)]
    users_reached_step: BTreeMap<usize, BTreeSet<String>>,
    #[serde(default)]
    level_by_user: BTreeMap<String, usize>,
    /// By step, counted from 0: of those who reached it.
    #[serde(default)]
    avg_seconds_from_previous_step: BTreeMap<usize, Option<f64>>,
    #[serde(default)]
    median_seconds_from_previous_step: BTreeMap<usize, Option<f64>>,
    #[serde(default)]
    periods: Vec<Period>,
    /// The begin of each range of seconds, and how many persons took that long.
    #[serde(default)]
    bins: Vec<(f64, usize)>,
    average_conversion_time: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Period {
    pub(super) index: u32,
    reached_from_step_count: usize,
    reached_to_step_count: usize,
    conversion_rate: f64,
    #[serde(rename = "timestamp")]
    _timestamp: Option<Value>,
}

/// Notes what is different.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.0.push(format!("{what}: {found:?} instead of {expected:?}"));
        }
    }
}

impl Expected {
    /// Persons and seconds by step.
    pub(super) fn counts(&self, walks: &[Walk]) -> Vec<String> {
        let mut differences = Differences::default();
        let reached = |step: usize| walks.iter().filter(move |walk| walk.reached >= step);
        for (step, expected) in (1..).zip(&self.counts) {
            if let Some(expected) = expected {
                differences.compare(&format!("persons at step {step}"), reached(step).count(), *expected);
            }
        }
        for (step, expected) in &self.users_reached_step {
            let found: BTreeSet<_> = reached(*step).map(|walk| walk.person.clone()).collect();
            differences.compare(&format!("who is at step {step}"), &found, expected);
        }
        for (person, level) in &self.level_by_user {
            let found = walks
                .iter()
                .find(|walk| &walk.person == person)
                .map(|walk| walk.reached);
            differences.compare(&format!("how far {person} came"), found, Some(*level));
        }
        let seconds = |step: usize, of: fn(&(f64, f64)) -> f64| -> Vec<f64> {
            let spans = walks
                .iter()
                .filter_map(|walk| walk.seconds.get(step.checked_sub(1)?)?.as_ref());
            spans.map(of).collect()
        };
        for (step, expected) in &self.avg_seconds_from_previous_step {
            let found = mean(&seconds(*step, |(mean, _)| *mean));
            differences.compare(&format!("mean seconds to step {}", step + 1), found, *expected);
        }
        for (step, expected) in &self.median_seconds_from_previous_step {
            let found = median(seconds(*step, |(_, median)| *median));
            differences.compare(&format!("median seconds to step {}", step + 1), found, *expected);
        }
        differences.0
    }

    /// Persons by the period of their entry, at two steps counted from 0.
    pub(super) fn periods(
        &self,
        walks: &[Walk],
        from_step: usize,
        to_step: usize,
        begins: impl Fn(&Period) -> NaiveDate,
    ) -> Vec<String> {
        let mut differences = Differences::default();
        for period in &self.periods {
            let begin = begins(period);
            let reached = |step: usize| {
                let of_period = walks.iter().filter(|walk| walk.period == begin);
                of_period.filter(|walk| walk.reached > step).count()
            };
            let (from, to) = (reached(from_step), reached(to_step));
            differences.compare(&format!("{begin}, from step"), from, period.reached_from_step_count);
            differences.compare(&format!("{begin}, to step"), to, period.reached_to_step_count);
            let rate = if from == 0 {
                0.0
            } else {
                (to as f64 * 1e4 / from as f64).round() / 1e2
            };
            differences.compare(&format!("{begin}, rate"), rate, period.conversion_rate);
        }
        differences.0
    }

    /// How long the persons took over these steps, counted from 0.
    pub(super) fn times(&self, walks: &[Walk], steps: Range<usize>) -> Vec<String> {
        let mut differences = Differences::default();
        let took = |walk: &Walk| -> Option<f64> {
            walk.seconds[steps.clone()]
                .iter()
                .map(|seconds| seconds.map(|(mean, _)| mean))
                .sum()
        };
        let took: Vec<_> = walks.iter().filter_map(took).collect();
        differences.compare("mean seconds", mean(&took), self.average_conversion_time);
        let ends = self.bins.iter().skip(1).map(|(begin, _)| *begin).chain([f64::INFINITY]);
        for ((begin, expected), end) in self.bins.iter().zip(ends) {
            let found = took.iter().filter(|seconds| (*begin..end).contains(seconds)).count();
            differences.compare(&format!("persons from {begin} seconds on"), found, *expected);
        }
        differences.0
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle)?;
    let lower = values[values.len().div_ceil(2) - 1];
    Some(f64::midpoint(lower, *upper))
}
