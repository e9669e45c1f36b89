//! How people come to the platform: when, what they do before they have an account, and who never gets one.

use chrono::TimeDelta;
use kindred_model::Instant;

use super::chance::{Dice, Purpose, Seed, days, seconds};
use super::events::{AppVersion, EventKind, Origin};
use super::person::{Device, Person, country_of};
use super::{Who, World, rhythm};
use crate::Population;

/// The launch brings, on its first day, this many times the sign-ups of an ordinary day, and fades by the day.
const LAUNCH: f64 = 7.0;
const LAUNCH_FADES_DAYS: f64 = 4.0;
/// Ordinary sign-ups grow by this factor over the history.
const GROWTH: f64 = 1.8;
/// Visitors who never register, per registered user: about 55 % of those who open the app do register.
const VISITORS: f64 = 0.8;
/// Share of people who look at the app, leave, and register only on a later visit.
const HESITANT: f64 = 0.25;
/// Share of people who register and do not come in at once.
const DETERRED: f64 = 0.03;
/// Share of visitors who begin to register and give up.
const GIVES_UP: f64 = 0.3;

const WELCOME_SCREENS: [&str; 4] = ["welcome", "tour", "privacy", "login"];
const METHODS: [(&str, f64); 4] = [("email", 0.35), ("google", 0.3), ("apple", 0.25), ("phone", 0.1)];

/// Which days people come on: cumulative shares of the history's days.
struct Calendar {
    start: Instant,
    shares: Vec<f64>,
}

impl Calendar {
    fn new(population: Population) -> Self {
        let start = population.start();
        let mut total = 0.0;
        let shares = (0..population.days).map(|day| {
            let (age, length) = (f64::from(day), f64::from(population.days));
            let launch = LAUNCH * (-age / LAUNCH_FADES_DAYS).exp();
            let growth = 1.0 + (GROWTH - 1.0) * age / length;
            total += (launch + growth) * rhythm::weekday(start + TimeDelta::days(day.into()));
            total
        });
        Self {
            shares: shares.collect(),
            start,
        }
    }

    /// An instant at which somebody comes whose country is `offset` hours ahead of UTC.
    fn draw(&self, dice: &mut Dice, offset: i64) -> Instant {
        let total = self.shares.last().copied().unwrap_or_default();
        let share = dice.unit() * total;
        let day = self
            .shares
            .partition_point(|upper| *upper <= share)
            .min(self.shares.len() - 1);
        rhythm::instant_of_day(dice, self.start + TimeDelta::days(day as i64), offset)
    }
}

/// Everybody who registers, in order of registration.
pub(super) fn people(seed: &Seed, population: Population) -> Vec<Person> {
    let calendar = Calendar::new(population);
    let person = |index| {
        let mut dice = seed.dice(Purpose::Person, index, 0);
        Person::new(index, &mut dice, |dice, offset| calendar.draw(dice, offset))
    };
    let mut people: Vec<_> = (0..population.users).map(person).collect();
    people.sort_unstable_by_key(|person| (person.registered_at, person.id));
    people
}

/// When those come who never register.
pub(super) fn visits(seed: &Seed, population: Population) -> Vec<Instant> {
    let calendar = Calendar::new(population);
    let visitors = (f64::from(population.users) * VISITORS).ceil() as u32;
    let visit = |visitor| calendar.draw(&mut seed.dice(Purpose::Visitor, visitor, 0), 0);
    (0..visitors).map(visit).collect()
}

impl World {
    /// Somebody looks around and does not register; one in five looks again some days later.
    pub(super) fn visit(&mut self, visitor: u32, at: Instant) {
        let mut dice = self.seed.dice(Purpose::Visitor, visitor, 1);
        let device = Device::new(&mut dice);
        let country = country_of(&mut dice).map(|country| country.code);
        let again = dice.chance(0.2).then(|| at + days(dice.exponential(3.0)));
        for opened_at in std::iter::once(at).chain(again) {
            let origin = Origin {
                user_id: None,
                session_id: None,
                device,
                version: AppVersion::released_by(self.start, opened_at),
                country,
            };
            let left_at = self.look_around(&mut dice, &origin, opened_at);
            if dice.chance(GIVES_UP) && left_at < self.until {
                let method = dice.weighted(&METHODS);
                self.report_event(&mut dice, &origin, left_at, EventKind::RegistrationStart { method });
            }
        }
    }

    /// An account is created, after what led to it; the first session begins within seconds.
    pub(super) fn register(&mut self, who: Who) {
        self.registered = who + 1;
        let mut dice = self.seed.dice(Purpose::SignUp, who, 0);
        let person = &self.member(who).person;
        let registered_at = person.registered_at;
        let anonymous = Origin {
            user_id: None,
            session_id: None,
            device: person.devices[0],
            version: person.version(person.devices[0], self.start, registered_at),
            country: person.country.map(|country| country.code),
        };
        let signed_up = Origin {
            user_id: Some(person.id),
            ..anonymous
        };
        let interest = days(dice.exponential(person.temperament.interest_days));
        self.member_mut(who).interested_until = registered_at + interest;

        if dice.chance(HESITANT) {
            let opened_at = registered_at - seconds(3_600.0) - days(dice.exponential(1.5));
            self.look_around(&mut dice, &anonymous, opened_at);
        }
        let begun_at = registered_at - seconds(dice.log_normal(95.0, 0.6));
        let opened_at = begun_at - dice.span(8.0..120.0);
        let method = dice.weighted(&METHODS);
        self.report_event(&mut dice, &anonymous, opened_at, EventKind::AppOpen);
        let welcomed_at = opened_at + dice.span(1.0..7.0);
        self.report_event(
            &mut dice,
            &anonymous,
            welcomed_at,
            EventKind::ScreenView { screen: "welcome" },
        );
        self.report_event(&mut dice, &anonymous, begun_at, EventKind::RegistrationStart { method });
        let screen = "registration";
        let asked_at = begun_at + dice.span(0.2..1.0);
        self.report_event(&mut dice, &anonymous, asked_at, EventKind::ScreenView { screen });
        let completed_at = registered_at + dice.span(0.0..0.8);
        self.report_event(
            &mut dice,
            &signed_up,
            completed_at,
            EventKind::RegistrationComplete { method },
        );

        if dice.chance(DETERRED) {
            self.schedule_by_rhythm(who, registered_at, &mut dice);
        } else {
            let first = registered_at + dice.span(1.0..20.0);
            self.plan_session(who, first);
        }
    }

    /// The app is opened and a few screens are seen, without an account; when it was left.
    fn look_around(&mut self, dice: &mut Dice, origin: &Origin, opened_at: Instant) -> Instant {
        self.report_event(dice, origin, opened_at, EventKind::AppOpen);
        let mut at = opened_at;
        for screen in WELCOME_SCREENS.iter().take(dice.between(1..=4) as usize) {
            at += dice.span(1.0..25.0);
            self.report_event(dice, origin, at, EventKind::ScreenView { screen });
        }
        at + dice.span(2.0..10.0)
    }
}
