//! Sessions: when somebody comes, what they do, how it ends, and when they come again.

use std::collections::VecDeque;
use std::ops::Range;

use chrono::TimeDelta;
use kindred_model::Instant;

use super::chance::{Dice, Purpose, days, seconds};
use super::events::Origin;
use super::member::Standing;
use super::online::Presence;
use super::person::{Who, country_of};
use super::rhythm;
use super::sitting::Sitting;
use super::world::{Happening, World};
use crate::rows::{EventKind, SessionTelemetry, UserSession};

/// Half of the sessions are shorter; the mean is about one and a half times it, an evening now and then much more.
const MEDIAN_SECONDS: f64 = 250.0;
const SPREAD: f64 = 0.95;
const LONGEST_SECONDS: f64 = 4.0 * 3_600.0;
/// Seconds between one thing done and the next.
const PAUSE: Range<f64> = 25.0..165.0;
/// The server closes a session that it has not heard from for so long.
const TIMEOUT: TimeDelta = TimeDelta::minutes(15);
/// Chance that a session soon leads to another: somebody has answered.
const COMES_BACK_SOON: f64 = 0.42;
/// Median hours until then.
const SOON_HOURS: f64 = 1.5;
/// Sessions a day of somebody who has lost interest.
const LAPSED_A_DAY: f64 = 0.008;
/// Chance that such a session revives the interest, and for how many days on average.
const REVIVES: f64 = 0.3;
const REVIVED_DAYS: f64 = 6.0;
/// Chance that somebody without interest deletes the account when they look in, and that anybody else does.
const DELETES_LAPSED: f64 = 0.06;
const DELETES: f64 = 0.000_4;
/// Chance to use the other device, and to be abroad.
const OTHER_DEVICE: f64 = 0.1;
const ABROAD: f64 = 0.02;

/// Something done in a session.
#[derive(Clone, Copy)]
enum Act {
    LookAround,
    Swipe,
    Chat,
    ViewProfile,
    Search,
    Tap,
    UseFeature,
    MeetLive,
    Shop,
}

/// What people do, by how often.
const ACTS: [(Act, f64); 9] = [
    (Act::LookAround, 16.0),
    (Act::Swipe, 28.0),
    (Act::Chat, 27.0),
    (Act::ViewProfile, 7.0),
    (Act::Search, 3.0),
    (Act::Tap, 6.0),
    (Act::UseFeature, 3.0),
    (Act::MeetLive, 6.0),
    (Act::Shop, 3.0),
];

const SCREENS: [&str; 6] = ["discover", "matches", "profile", "settings", "likes", "events"];
const BUTTONS: [(&str, &str); 5] = [
    ("filter", "discover"),
    ("rewind", "discover"),
    ("share_profile", "profile"),
    ("notifications", "settings"),
    ("see_who_likes_you", "likes"),
];
const FEATURES: [&str; 5] = ["edit_profile", "boost", "passport", "photo_verification", "icebreaker"];

/// How a session ends. Some are never closed: the app died, and the server was not told.
#[derive(Clone, Copy)]
enum Exit {
    Background,
    Timeout,
    Logout,
    Crash,
    Unnoticed,
}

const EXITS: [(Exit, f64); 5] = [
    (Exit::Background, 0.58),
    (Exit::Timeout, 0.23),
    (Exit::Logout, 0.14),
    (Exit::Crash, 0.03),
    (Exit::Unnoticed, 0.02),
];

impl World {
    /// Lives through a session, from the opening of the app to the telemetry, and plans the next one.
    pub(super) fn session(&mut self, who: Who, at: Instant) {
        let member = self.member(who);
        if !member.is_active() || member.next_session_at != at {
            return;
        }
        let mut sitting = self.sit_down(who, at);
        self.report(&mut sitting, EventKind::AppOpen);
        while sitting.pass(PAUSE) {
            self.act(&mut sitting);
        }
        self.get_up(sitting);
    }

    fn sit_down(&mut self, who: Who, at: Instant) -> Sitting {
        let member = self.member_mut(who);
        let number = member.sessions;
        member.sessions += 1;
        let mut dice = self.seed.dice(Purpose::Session, who, number);
        let person = &self.member(who).person;
        let device = person.devices[usize::from(dice.chance(OTHER_DEVICE))];
        let country = if dice.chance(ABROAD) {
            country_of(&mut dice)
        } else {
            person.country
        };
        let length = dice.log_normal(MEDIAN_SECONDS, SPREAD).min(LONGEST_SECONDS);
        let id = dice.id_at(at);
        Sitting {
            who,
            user_id: person.id,
            id,
            origin: Origin {
                user_id: Some(person.id),
                session_id: Some(id),
                device,
                version: person.version(device, self.start(), at),
                country: country.map(|country| country.code),
            },
            dice,
            started_at: at,
            now: at,
            leaves_at: at + seconds(length),
            screens: 0,
            actions: 0,
        }
    }

    fn act(&mut self, sitting: &mut Sitting) {
        match sitting.dice.weighted(&ACTS) {
            Act::LookAround => {
                let screen = sitting.dice.pick(&SCREENS);
                self.report(sitting, EventKind::ScreenView { screen });
            }
            Act::Swipe => self.swipe_some(sitting),
            Act::Chat => self.chat(sitting),
            Act::ViewProfile => self.view_profile(sitting),
            Act::Search => {
                let min_age = sitting.dice.between(18..=40);
                let search = EventKind::Search {
                    min_age,
                    max_age: min_age + sitting.dice.between(3..=25),
                    distance_km: sitting.dice.between(1..=20) * 5,
                };
                self.report(sitting, search);
            }
            Act::Tap => {
                let &(button, screen) = sitting.dice.pick(&BUTTONS);
                self.report(sitting, EventKind::ButtonClick { button, screen });
            }
            Act::UseFeature => {
                let feature = *sitting.dice.pick(&FEATURES);
                self.report(sitting, EventKind::FeatureUse { feature });
                if feature == "edit_profile" {
                    self.schedule(sitting.now, Happening::EditProfile(sitting.who));
                }
            }
            Act::MeetLive => self.meet_live(sitting),
            Act::Shop => self.shop(sitting),
        }
    }

    /// Reports an event of the session at its present instant, and counts it for the telemetry.
    pub(super) fn report(&mut self, sitting: &mut Sitting, kind: EventKind) {
        match kind {
            EventKind::AppOpen => {}
            EventKind::ScreenView { .. } | EventKind::ProfileView { .. } | EventKind::SubscriptionView { .. } => {
                sitting.screens += 1;
            }
            _ => sitting.actions += 1,
        }
        self.report_event(&mut sitting.dice, &sitting.origin, sitting.now, kind);
    }

    /// Writes the session, and plans the next one.
    fn get_up(&mut self, mut sitting: Sitting) {
        let left_at = sitting.leaves_at;
        let (exit, ended_at) = match sitting.dice.weighted(&EXITS) {
            Exit::Background => (Some("background"), Some(left_at)),
            Exit::Timeout => (Some("timeout"), Some(left_at + TIMEOUT)),
            Exit::Logout => (Some("logout"), Some(left_at)),
            Exit::Crash => (Some("crash"), Some(left_at)),
            Exit::Unnoticed => (None, None),
        };
        self.write(UserSession {
            id: sitting.id,
            user_id: sitting.user_id,
            platform: sitting.origin.device.platform,
            app_version: sitting.origin.version,
            country: sitting.origin.country,
            started_at: sitting.started_at,
            last_seen_at: left_at,
            ended_at,
            exit_reason: exit,
            updated_at: ended_at.unwrap_or(left_at),
        });
        // An app that dies reports nothing any more.
        if !matches!(exit, Some("crash") | None) {
            self.write(SessionTelemetry {
                session_id: sitting.id,
                user_id: sitting.user_id,
                started_at: sitting.started_at,
                screens_viewed: sitting.screens,
                actions_taken: sitting.actions,
                updated_at: left_at,
            });
        }
        self.online.enter(Presence {
            who: sitting.who,
            from: sitting.started_at,
            to: left_at,
        });
        let over_at = ended_at.unwrap_or(left_at);
        self.member_mut(sitting.who).busy_until = over_at;
        self.leave_or_return(sitting, over_at);
    }

    /// After a session: the account is deleted, or the next session is planned.
    fn leave_or_return(&mut self, sitting: Sitting, over_at: Instant) {
        let Sitting { who, mut dice, .. } = sitting;
        let member = self.member_mut(who);
        let lapsed = member.interested_until < over_at;
        if dice.chance(if lapsed { DELETES_LAPSED } else { DELETES }) {
            self.schedule(over_at, Happening::Leave(who));
            return;
        }
        if lapsed && dice.chance(REVIVES) {
            member.interested_until = over_at + days(dice.exponential(REVIVED_DAYS));
        }
        if !lapsed && dice.chance(COMES_BACK_SOON) {
            let next = over_at + seconds(dice.log_normal(SOON_HOURS * 3_600.0, 0.8));
            self.plan_session(who, next);
        } else {
            self.schedule_by_rhythm(who, over_at, &mut dice);
        }
    }

    /// Plans the next session by the person's interest, the hour and the weekday.
    pub(super) fn schedule_by_rhythm(&mut self, who: Who, after: Instant, dice: &mut Dice) {
        let member = self.member(who);
        let a_day = |at| {
            if at < member.interested_until {
                member.person.temperament.sessions_a_day
            } else {
                LAPSED_A_DAY
            }
        };
        let next = rhythm::next_occasion(dice, after, member.person.offset(), a_day);
        self.plan_session(who, next);
    }

    /// Plans the next session, in place of any other.
    pub(super) fn plan_session(&mut self, who: Who, at: Instant) {
        self.member_mut(who).next_session_at = at;
        self.schedule(at, Happening::Session(who));
    }

    /// An account is deleted, unless moderation has already closed it.
    pub(super) fn leave(&mut self, who: Who, at: Instant) {
        if self.member(who).is_active() {
            self.exclude(who, at, Standing::Deleted);
        }
    }

    /// Takes an account out of use for good; its subscription ends with it.
    pub(super) fn exclude(&mut self, who: Who, at: Instant, standing: Standing) {
        let member = self.member_mut(who);
        member.standing = standing;
        member.changed_at = at;
        member.talks = VecDeque::new();
        member.likes = VecDeque::new();
        if let Some(subscription) = member.subscription.take() {
            self.end_subscription(who, subscription, at, true);
        }
    }
}
