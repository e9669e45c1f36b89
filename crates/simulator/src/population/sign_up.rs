//! What people do before they have an account, and those who never get one.

use kindred_model::Instant;

use super::chance::{Dice, Purpose, days, seconds};
use super::events::Origin;
use super::person::{Device, Who, country_of};
use super::world::{Happening, World};
use crate::rows::{AppVersion, EventKind};

/// Share of people who look at the app, leave, and register only on a later visit.
const HESITANT: f64 = 0.25;
/// Share of people who register and do not come in at once.
const DETERRED: f64 = 0.03;
/// Share of visitors who begin to register and give up.
const GIVES_UP: f64 = 0.3;

const WELCOME_SCREENS: [&str; 4] = ["welcome", "tour", "privacy", "login"];
const METHODS: [(&str, f64); 4] = [("email", 0.35), ("google", 0.3), ("apple", 0.25), ("phone", 0.1)];

/// The way to an account.
struct Approach {
    looks_in_at: Option<Instant>,
    opens_at: Instant,
    begins_at: Instant,
    /// For what else happens on the way.
    dice: Dice,
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
                version: AppVersion::released_by(self.start(), opened_at),
                country,
            };
            let left_at = self.look_around(&mut dice, &origin, opened_at);
            if dice.chance(GIVES_UP) {
                let method = dice.weighted(&METHODS);
                self.report_event(&mut dice, &origin, left_at, EventKind::RegistrationStart { method });
            }
        }
    }

    /// Puts on the agenda, from now on, what leads somebody to their account.
    pub(super) fn plan_sign_up(&mut self, who: Who, now: Instant) {
        let approach = self.plan_approach(who);
        let registered_at = self.member(who).person.registered_at;
        if let Some(at) = approach.looks_in_at.filter(|at| *at >= now) {
            self.schedule(at, Happening::LookIn(who));
        }
        self.schedule(approach.opens_at.max(now), Happening::Approach(who));
        self.schedule(registered_at, Happening::Register(who));
    }

    fn plan_approach(&self, who: Who) -> Approach {
        let mut dice = self.seed.dice(Purpose::SignUp, who, 0);
        let registered_at = self.member(who).person.registered_at;
        let hesitates = dice.chance(HESITANT);
        let looks_in_at = registered_at - seconds(3_600.0) - days(dice.exponential(1.5));
        let begins_at = registered_at - seconds(dice.log_normal(95.0, 0.6));
        Approach {
            looks_in_at: Some(looks_in_at).filter(|_| hesitates),
            opens_at: begins_at - dice.span(8.0..120.0),
            begins_at,
            dice,
        }
    }

    /// Somebody looks around who will register another time.
    pub(super) fn look_in(&mut self, who: Who, at: Instant) {
        let mut dice = self.seed.dice(Purpose::SignUp, who, 1);
        let anonymous = self.anonymous(who, at);
        self.look_around(&mut dice, &anonymous, at);
    }

    /// Somebody opens the app and signs up.
    pub(super) fn approach(&mut self, who: Who) {
        let Approach {
            opens_at,
            begins_at,
            mut dice,
            ..
        } = self.plan_approach(who);
        let person = &self.member(who).person;
        let (user_id, registered_at) = (Some(person.id), person.registered_at);
        let anonymous = self.anonymous(who, registered_at);
        let signed_up = Origin { user_id, ..anonymous };
        let method = dice.weighted(&METHODS);
        let welcomed_at = opens_at + dice.span(1.0..7.0);
        let asked_at = begins_at + dice.span(0.2..1.0);
        let completed_at = registered_at + dice.span(0.0..0.8);
        for (origin, at, kind) in [
            (&anonymous, opens_at, EventKind::AppOpen),
            (&anonymous, welcomed_at, EventKind::ScreenView { screen: "welcome" }),
            (&anonymous, begins_at, EventKind::RegistrationStart { method }),
            (&anonymous, asked_at, EventKind::ScreenView { screen: "registration" }),
            (&signed_up, completed_at, EventKind::RegistrationComplete { method }),
        ] {
            self.report_event(&mut dice, origin, at, kind);
        }
    }

    /// An account is created; the first session begins within seconds, mostly.
    pub(super) fn register(&mut self, who: Who) {
        self.registered = who + 1;
        let mut dice = self.seed.dice(Purpose::SignUp, who, 2);
        let person = &self.member(who).person;
        let registered_at = person.registered_at;
        let interest = days(dice.exponential(person.temperament.interest_days));
        self.member_mut(who).interested_until = registered_at + interest;
        if dice.chance(DETERRED) {
            self.schedule_by_rhythm(who, registered_at, &mut dice);
        } else {
            let first = registered_at + dice.span(1.0..20.0);
            self.plan_session(who, first);
        }
    }

    /// Where a person's events come from before there is an account.
    fn anonymous(&self, who: Who, at: Instant) -> Origin {
        let person = &self.member(who).person;
        let device = person.devices[0];
        Origin {
            user_id: None,
            session_id: None,
            device,
            version: person.version(device, self.start(), at),
            country: person.country.map(|country| country.code),
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
