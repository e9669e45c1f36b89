//! When people pick up their phone: hours of the day, days of the week, and the next time after a given one.

use chrono::{Datelike, DurationRound, TimeDelta, Timelike};
use kindred_model::Instant;

use super::chance::{Dice, seconds};

/// How lively each local hour is, midnight first; 1 is the mean. Dating apps are an evening's pastime: a shoulder at
/// noon, the peak at nine, the trough at four.
const HOURS: [f64; 24] = [
    0.75, 0.45, 0.28, 0.18, 0.14, 0.18, 0.38, 0.68, 0.85, 0.85, 0.88, 0.95, //
    1.10, 1.05, 0.98, 0.98, 1.05, 1.20, 1.55, 1.80, 2.10, 2.30, 1.95, 1.37,
];
/// The liveliest hour.
const PEAK: f64 = 2.30;

/// How lively each day of the week is, Monday first; 1 is the mean. Sundays are the strongest, Fridays go out.
const WEEKDAYS: [f64; 7] = [0.98, 0.96, 0.97, 0.99, 0.94, 1.00, 1.16];

const HOUR: TimeDelta = TimeDelta::hours(1);

/// How lively the platform is at an instant for people `offset` hours ahead of UTC; 1 is the mean.
fn liveliness(at: Instant, offset: i64) -> f64 {
    let local = at + TimeDelta::hours(offset);
    HOURS[local.hour() as usize] * WEEKDAYS[local.weekday().num_days_from_monday() as usize]
}

/// How lively each of the days after `start` is by its weekday alone; 1 is the mean.
pub(super) fn weekday(at: Instant) -> f64 {
    WEEKDAYS[at.weekday().num_days_from_monday() as usize]
}

/// The next occasion after `after` of something that happens `per_day(instant)` times a day.
///
/// An inhomogeneous Poisson process, hour by hour: an exponential amount of liveliness is used up.
pub(super) fn next_occasion(dice: &mut Dice, after: Instant, offset: i64, per_day: impl Fn(Instant) -> f64) -> Instant {
    let mut left = dice.exponential(1.0);
    let mut at = after;
    loop {
        let next = at.duration_trunc(HOUR).expect("an hour divides every instant") + HOUR;
        let hours = (next - at).as_seconds_f64() / 3_600.0;
        let expected = per_day(at) * liveliness(at, offset) * hours / 24.0;
        if expected >= left {
            return at + seconds(hours * 3_600.0 * left / expected);
        }
        left -= expected;
        at = next;
    }
}

/// An instant of the 24 hours from `day` on, by the hours' liveliness for people `offset` hours ahead of UTC.
pub(super) fn instant_of_day(dice: &mut Dice, day: Instant, offset: i64) -> Instant {
    loop {
        let at = day + seconds(dice.unit() * 86_400.0);
        let local_hour = (at + TimeDelta::hours(offset)).hour();
        if dice.chance(HOURS[local_hour as usize] / PEAK) {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_weekdays_have_the_mean_one() {
        assert!((HOURS.iter().sum::<f64>() / 24.0 - 1.0).abs() < 1e-3);
        assert!((WEEKDAYS.iter().sum::<f64>() / 7.0 - 1.0).abs() < 1e-3);
        assert!(HOURS.iter().all(|hour| *hour <= PEAK));
    }
}
