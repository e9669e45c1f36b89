//! The windows of one group.

use std::collections::BTreeMap;
use std::ops::Range;

/// The windows that are asked for.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// The days that they end with, since 1970.
    pub(super) days: Range<i32>,
    /// Their lengths in days, each 1 or more.
    pub(super) lengths: Vec<i32>,
}

/// A row: its day since 1970, and its value, a NaN where it has none.
pub(super) type Row = (i32, f64);

/// A window, and what lies in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    pub(super) as_of: i32,
    pub(super) days: i32,
    pub(super) total: i64,
    pub(super) valued: i64,
    /// Mean, median and 90th percentile.
    pub(super) spread: Option<[f64; 3]>,
}

/// What a day adds to its windows.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    total: i64,
    valued: i64,
    /// In millionths: their sum is the same in whatever order they are added.
    sum: i128,
}

impl Shape {
    /// All windows of a group's rows, by day, then length.
    pub(super) fn windows(&self, mut rows: Vec<Row>) -> Vec<Window> {
        let mut days = BTreeMap::<i32, Sums>::new();
        for (day, value) in &rows {
            let of_day = days.entry(*day).or_default();
            of_day.total += 1;
            if !value.is_nan() {
                of_day.valued += 1;
                of_day.sum += millionths(*value);
            }
        }
        rows.retain(|(_, value)| !value.is_nan());
        rows.sort_unstable_by(|one, other| one.1.total_cmp(&other.1));
        let ends = self.days.clone();
        let asked = ends.flat_map(|as_of| self.lengths.iter().map(move |length| (as_of, *length)));
        asked
            .map(|(as_of, length)| window(as_of, length, &days, &rows))
            .collect()
    }
}

/// `rows` have values, and are sorted by them.
#[allow(
    clippy::cast_precision_loss,
    reason = "numbers of rows, and sums of millionths, that a mean rounds anyway"
)]
fn window(as_of: i32, length: i32, days: &BTreeMap<i32, Sums>, rows: &[Row]) -> Window {
    let within = as_of.saturating_sub(length - 1)..=as_of;
    let mut sums = Sums::default();
    for (_, of_day) in days.range(within.clone()) {
        sums.total += of_day.total;
        sums.valued += of_day.valued;
        sums.sum += of_day.sum;
    }
    let spread = (sums.valued > 0).then(|| {
        let mut values = rows
            .iter()
            .filter(|(day, _)| within.contains(day))
            .map(|(_, value)| *value);
        let mean = sums.sum as f64 / 1_000_000.0 / sums.valued as f64;
        let last = (sums.valued - 1) as f64;
        let [median, p90] = interpolated(&mut values, [0.5 * last, 0.9 * last]);
        [mean, median, p90]
    });
    Window {
        as_of,
        days: length,
        total: sums.total,
        valued: sums.valued,
        spread,
    }
}

/// What lies at places among sorted values, the places in order, the first value's being 0: between two values, as far
/// from one to the other as the place.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place is one of the values'"
)]
fn interpolated<const N: usize>(values: &mut impl Iterator<Item = f64>, places: [f64; N]) -> [f64; N] {
    // The value of the last place that was looked at, which several places may share, and the next one.
    let mut at = None;
    let mut ahead = values.next();
    places.map(|place| {
        let below = place.floor();
        while at.is_none_or(|(index, _)| index < below as u64) {
            let index = at.map_or(0, |(index, _)| index + 1);
            at = Some((index, ahead.expect("a place among the values")));
            ahead = values.next();
        }
        let (_, lower) = at.expect("looked at above");
        match ahead {
            Some(upper) => lower * (1.0 - (place - below)) + upper * (place - below),
            None => lower,
        }
    })
}

#[allow(clippy::cast_possible_truncation, reason = "seconds, of which there are fewer")]
fn millionths(value: f64) -> i128 {
    (value * 1_000_000.0).round() as i128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By sorting each window's own values.
    fn plainly(shape: &Shape, rows: &[Row]) -> Vec<Window> {
        let ends = shape.days.clone();
        let asked = ends.flat_map(|as_of| shape.lengths.iter().map(move |length| (as_of, *length)));
        let plain = asked.map(|(as_of, length)| {
            let within = |day: i32| day <= as_of && day > as_of - length;
            let here: Vec<_> = rows.iter().filter(|(day, _)| within(*day)).collect();
            let mut values: Vec<_> = here
                .iter()
                .map(|(_, value)| *value)
                .filter(|value| !value.is_nan())
                .collect();
            values.sort_by(f64::total_cmp);
            let percentile = |share: f64| {
                let place = share * (values.len() - 1) as f64;
                let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
                below + (above - below) * place.fract()
            };
            let spread = (!values.is_empty()).then(|| {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                [mean, percentile(0.5), percentile(0.9)]
            });
            Window {
                as_of,
                days: length,
                total: here.len() as i64,
                valued: values.len() as i64,
                spread,
            }
        });
        plain.collect()
    }

    fn close(one: &Window, other: &Window) -> bool {
        let spreads = match (one.spread, other.spread) {
            (Some(one), Some(other)) => one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-6),
            (one, other) => one == other,
        };
        let counts = |window: &Window| (window.as_of, window.days, window.total, window.valued);
        spreads && counts(one) == counts(other)
    }

    proptest! {
        #[test]
        fn windows_are_those_of_each_ones_own_rows(
            rows in prop::collection::vec((0..12_i32, prop::option::weighted(0.8, 0..1_000_u32)), 0..60),
            from in 0..14_i32, ends in 0..5_i32, lengths in prop::collection::vec(1..9_i32, 1..4),
        ) {
            let rows: Vec<Row> = rows
                .into_iter()
                .map(|(day, value)| (day, value.map_or(f64::NAN, |value| f64::from(value) / 8.0)))
                .collect();
            let shape = Shape { days: from..from + ends, lengths };
            let (found, plain) = (shape.windows(rows.clone()), plainly(&shape, &rows));
            prop_assert_eq!(found.len(), plain.len());
            for (found, plain) in found.iter().zip(&plain) {
                prop_assert!(close(found, plain), "{:?} is not {:?}", found, plain);
            }
        }
    }
}
