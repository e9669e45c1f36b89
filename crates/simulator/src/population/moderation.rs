//! Reports, and what moderation does about them.
//!
//! Whatever is done to a person takes effect at the end of the session that they are in, so that nobody acts after it.

use chrono::TimeDelta;
use kindred_model::Instant;

use super::chance::{Purpose, seconds};
use super::member::Standing;
use super::person::Who;
use super::sitting::Sitting;
use super::verdict::Verdict;
use super::world::{Happening, World};
use crate::rows::{ModerationAction, Report};

/// Chance that somebody is reported after a talk, an encounter or a look at the profile: for those who give reason to,
/// and for everybody else.
const REPORTED_WITH_REASON: f64 = 0.18;
const REPORTED: f64 = 0.000_8;
/// Chance that a report is upheld.
const UPHELD_WITH_REASON: f64 = 0.75;
const UPHELD: f64 = 0.08;
/// Median hours until a report is resolved; some take days.
const RESOLVED_HOURS: f64 = 10.0;
/// Chance that the filters find an upheld case before a person does.
const AUTOMATED: f64 = 0.3;
/// Chance that what a report calls grave leads to a ban at once.
const BANNED_AT_ONCE: f64 = 0.3;

const CATEGORIES: [(Category, f64); 5] = [
    (Category::Harassment, 0.34),
    (Category::Spam, 0.26),
    (Category::FakeProfile, 0.20),
    (Category::Other, 0.15),
    (Category::Underage, 0.05),
];

/// Lengths of suspensions in days; the last is a review without a date.
const SUSPENSION_DAYS: [(i64, f64); 3] = [(3, 0.35), (14, 0.35), (3_650, 0.3)];

#[derive(Clone, Copy)]
enum Category {
    Spam,
    Harassment,
    FakeProfile,
    Underage,
    Other,
}

impl Category {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Harassment => "harassment",
            Self::FakeProfile => "fake_profile",
            Self::Underage => "underage",
            Self::Other => "other",
        }
    }

    const fn is_grave(self) -> bool {
        matches!(self, Self::Underage | Self::FakeProfile)
    }
}

impl World {
    /// Somebody who was just met is reported, or (most often) not.
    pub(super) fn maybe_report(&mut self, sitting: &mut Sitting, met: Who) {
        let reported = &self.member(met).person;
        let (reported_at_all, upheld) = if reported.troublesome {
            (REPORTED_WITH_REASON, UPHELD_WITH_REASON)
        } else {
            (REPORTED, UPHELD)
        };
        if !sitting.dice.chance(reported_at_all) || !sitting.goes_on() {
            return;
        }
        let dice = &mut sitting.dice;
        let created_at = sitting.now;
        let category = dice.weighted(&CATEGORIES);
        let decided_at = created_at + seconds(dice.log_normal(RESOLVED_HOURS * 3_600.0, 1.2));
        let report = Report {
            id: dice.id_at(created_at),
            reporter_id: sitting.user_id,
            reported_user_id: reported.id,
            category: category.as_str(),
            created_at,
            resolved_at: Some(decided_at),
            updated_at: decided_at,
        };
        self.write(report);
        let dice = &mut sitting.dice;
        if dice.chance(upheld) {
            let verdict = Verdict {
                grave: category.is_grave() && dice.chance(BANNED_AT_ONCE),
                automated: dice.chance(AUTOMATED),
            };
            self.schedule(decided_at, Happening::Judge(met, verdict));
        }
    }

    /// Acts on an upheld report, once the person is in no session: a warning first, then a suspension, then a ban.
    pub(super) fn judge(&mut self, who: Who, at: Instant, verdict: Verdict) {
        let member = self.member_mut(who);
        if !member.is_active() {
            return;
        }
        if member.busy_until > at {
            let over_at = member.busy_until;
            self.schedule(over_at, Happening::Judge(who, verdict));
            return;
        }
        let number = member.judgements;
        member.judgements += 1;
        member.strikes = if verdict.grave {
            u8::MAX
        } else {
            member.strikes.saturating_add(1)
        };
        let strikes = member.strikes;
        let mut dice = self.seed.dice(Purpose::Judgement, who, number);
        let action = match strikes {
            1 if dice.chance(0.4) => "remove_content",
            1 => "warn",
            2 => "suspend",
            _ => "ban",
        };
        let user_id = self.member(who).person.id;
        self.write(ModerationAction {
            id: dice.id_at(at),
            user_id,
            action,
            automated: verdict.automated,
            created_at: at,
        });
        match action {
            "suspend" => {
                let member = self.member_mut(who);
                member.standing = Standing::Suspended;
                member.changed_at = at;
                let over_at = at + TimeDelta::days(dice.weighted(&SUSPENSION_DAYS));
                self.schedule(over_at, Happening::Readmit(who));
            }
            "ban" => self.exclude(who, at, Standing::Banned),
            _ => {}
        }
    }

    /// A suspension is over: the person may come again.
    pub(super) fn readmit(&mut self, who: Who, at: Instant) {
        let member = self.member_mut(who);
        member.standing = Standing::Active;
        member.changed_at = at;
        let number = member.judgements;
        member.judgements += 1;
        let mut dice = self.seed.dice(Purpose::Judgement, who, number);
        self.schedule_by_rhythm(who, at, &mut dice);
    }
}
