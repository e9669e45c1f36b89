//! Who comes, and when: everybody of the history, and, season by season, those who come after it.

use std::ops::Range;

use chrono::TimeDelta;
use kindred_model::Instant;

use super::chance::{Dice, Purpose};
use super::member::Member;
use super::person::{Person, Who};
use super::rhythm;
use super::world::{Happening, World};
use crate::Population;

/// The launch brings, on its first day, this many times the sign-ups of an ordinary day, and fades by the day.
const LAUNCH: f64 = 7.0;
const LAUNCH_FADES_DAYS: f64 = 4.0;
/// Ordinary sign-ups grow by this factor over the history.
const GROWTH: f64 = 1.8;
/// Visitors who never register, per registered user: about 55 % of those who open the app do register.
const VISITORS: f64 = 0.8;
/// Days after the history whose newcomers are drawn together.
const SEASON_DAYS: u32 = 30;

/// Which days people come on: cumulative shares of some days.
struct Calendar {
    first_day: Instant,
    shares: Vec<f64>,
}

impl Calendar {
    /// Days are counted from the start of the history; growth ends with it.
    fn new(population: Population, days: Range<u32>) -> Self {
        let start = population.start();
        let mut total = 0.0;
        let shares = days.clone().map(|day| {
            let (age, length) = (f64::from(day), f64::from(population.days));
            let launch = LAUNCH * (-age / LAUNCH_FADES_DAYS).exp();
            let growth = 1.0 + (GROWTH - 1.0) * (age / length).min(1.0);
            total += (launch + growth) * rhythm::weekday(start + TimeDelta::days(day.into()));
            total
        });
        Self {
            shares: shares.collect(),
            first_day: start + TimeDelta::days(days.start.into()),
        }
    }

    fn total(&self) -> f64 {
        self.shares.last().copied().unwrap_or_default()
    }

    /// An instant at which somebody comes whose country is `offset` hours ahead of UTC.
    fn draw(&self, dice: &mut Dice, offset: i64) -> Instant {
        let share = dice.unit() * self.total();
        let day = self
            .shares
            .partition_point(|upper| *upper <= share)
            .min(self.shares.len() - 1);
        rhythm::instant_of_day(dice, self.first_day + TimeDelta::days(day as i64), offset)
    }
}

impl World {
    /// Draws everybody who comes within the history.
    pub(super) fn draw_history(&mut self) {
        let Population { users, days, until, .. } = self.population;
        let calendar = Calendar::new(self.population, 0..days);
        self.draw(&calendar, users, self.start());
        self.schedule(until, Happening::Season(0));
    }

    /// Draws those who come in the season that begins, about as many a day as at the end of the history.
    pub(super) fn draw_season(&mut self, number: u32, now: Instant) {
        let Population { users, days, .. } = self.population;
        let first_day = days + number * SEASON_DAYS;
        let season = Calendar::new(self.population, first_day..first_day + SEASON_DAYS);
        let history = Calendar::new(self.population, 0..days);
        let expected = f64::from(users) * season.total() / history.total();
        let rounded_up = self.seed.dice(Purpose::Season, number, 0).chance(expected.fract());
        self.draw(&season, expected as u32 + u32::from(rounded_up), now);
        let over_at = now + TimeDelta::days(SEASON_DAYS.into());
        self.schedule(over_at, Happening::Season(number + 1));
    }

    /// Puts on the agenda who comes from now on by a calendar: so many who register, and visitors with them.
    fn draw(&mut self, calendar: &Calendar, users: u32, now: Instant) {
        let first = self.members.len() as Who;
        let person = |index| {
            let mut dice = self.seed.dice(Purpose::Person, index, 0);
            Person::new(index, &mut dice, |dice, offset| calendar.draw(dice, offset))
        };
        let mut people: Vec<_> = (first..first + users).map(person).collect();
        people.sort_unstable_by_key(|person| (person.registered_at, person.id));
        self.members.extend(people.into_iter().map(Member::new));
        for who in first..first + users {
            self.plan_sign_up(who, now);
        }
        let first = self.visitors;
        self.visitors += (f64::from(users) * VISITORS).ceil() as u32;
        for visitor in first..self.visitors {
            let at = calendar.draw(&mut self.seed.dice(Purpose::Visitor, visitor, 0), 0);
            self.schedule(at, Happening::Visit(visitor));
        }
    }
}
