//! Live encounters: people join a queue, and two who are there at the same time meet by video, voice or text.

use std::collections::VecDeque;
use std::ops::Range;

use chrono::TimeDelta;
use kindred_model::Instant;

use super::activity::Sitting;
use super::chance::{Dice, seconds};
use super::events::EventKind;
use super::{Who, World};
use crate::load::{Interaction, QueueEntry};

/// Sessions that partners are looked for in: the latest ones.
const ONLINE_KEPT: usize = 256;
/// Mean seconds until a partner is found, and how long people wait who find none.
const WAIT_SECONDS: f64 = 35.0;
const PATIENCE_SECONDS: Range<f64> = 25.0..240.0;
/// Half of the encounters are shorter.
const MEDIAN_SECONDS: f64 = 200.0;
const SPREAD: f64 = 0.9;
/// A partner must have this much time left.
const AT_LEAST: TimeDelta = TimeDelta::seconds(20);

const KINDS: [(&str, f64); 3] = [("video", 0.5), ("text", 0.32), ("voice", 0.18)];
const END_REASONS: [(&str, f64); 4] = [
    ("completed", 0.55),
    ("left", 0.3),
    ("connection_lost", 0.1),
    ("skipped", 0.05),
];

/// Who was in a session lately.
#[derive(Default)]
pub(super) struct Online(VecDeque<Presence>);

#[derive(Clone, Copy)]
struct Presence {
    who: Who,
    from: Instant,
    /// Until when the server has heard of the session.
    heard_until: Instant,
    /// When the person leaves: the same, but for sessions under way when the history ends.
    to: Instant,
}

impl Online {
    pub(super) fn enter(&mut self, who: Who, from: Instant, heard_until: Instant, to: Instant) {
        if self.0.len() == ONLINE_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Presence {
            who,
            from,
            heard_until,
            to,
        });
    }
}

impl World {
    /// Waits for a partner and meets one, or gives up.
    pub(super) fn meet_live(&mut self, sitting: &mut Sitting) {
        self.report(
            sitting,
            EventKind::FeatureUse {
                feature: "live_meeting",
            },
        );
        let joined_at = sitting.now;
        let wait = seconds(sitting.dice.exponential(WAIT_SECONDS).clamp(1.0, 300.0));
        let Some(partner) = self.find_partner(sitting, joined_at + wait) else {
            let left_at = joined_at + sitting.dice.span(PATIENCE_SECONDS);
            self.write_queue_entry(&mut sitting.dice, sitting.who, joined_at, left_at, "gave_up");
            sitting.hear_at(left_at);
            sitting.now = left_at;
            sitting.leaves_at = sitting.leaves_at.max(left_at);
            return;
        };
        let started_at = joined_at + wait;
        self.write_queue_entry(&mut sitting.dice, sitting.who, joined_at, started_at, "matched");
        let partner_wait = seconds(sitting.dice.exponential(WAIT_SECONDS));
        let partner_joined_at = partner.from.max(started_at - partner_wait).min(started_at);
        self.write_queue_entry(&mut sitting.dice, partner.who, partner_joined_at, started_at, "matched");

        let length = seconds(sitting.dice.log_normal(MEDIAN_SECONDS, SPREAD));
        let ended_at = (started_at + length).min(partner.to);
        self.write_interaction(sitting, partner.who, started_at, ended_at);
        self.member_mut(sitting.who).engaged_until = ended_at;
        self.member_mut(partner.who).engaged_until = ended_at;
        sitting.hear_at(started_at);
        sitting.hear_at(ended_at);
        sitting.now = ended_at;
        sitting.leaves_at = sitting.leaves_at.max(ended_at);
        if ended_at < self.until {
            self.maybe_report(sitting, partner.who);
        }
    }

    /// Somebody else who is in a session at the instant, not engaged, and not about to leave.
    fn find_partner(&self, sitting: &Sitting, at: Instant) -> Option<Presence> {
        let me = self.member(sitting.who);
        if me.engaged_until > sitting.now {
            return None;
        }
        let free = |presence: &&Presence| {
            let other = self.member(presence.who);
            presence.who != sitting.who
                && (presence.from < at && at < presence.heard_until && at + AT_LEAST < presence.to)
                && (other.is_active() && other.engaged_until < at)
                && me.person.may_meet(&other.person)
        };
        self.online.0.iter().rev().find(free).copied()
    }

    /// A row of the waiting queue, open when the history ends during the wait.
    fn write_queue_entry(
        &mut self,
        dice: &mut Dice,
        who: Who,
        joined_at: Instant,
        left_at: Instant,
        outcome: &'static str,
    ) {
        if joined_at >= self.until {
            return;
        }
        let left_at = Some(left_at).filter(|left| *left < self.until);
        self.sink.write(&QueueEntry {
            id: dice.id_at(joined_at),
            user_id: self.member(who).person.id,
            joined_at,
            left_at,
            outcome: left_at.map(|_| outcome),
            updated_at: left_at.unwrap_or(joined_at),
        });
    }

    /// An encounter, running when the history ends during it.
    fn write_interaction(&mut self, sitting: &mut Sitting, partner: Who, started_at: Instant, ended_at: Instant) {
        if started_at >= self.until {
            return;
        }
        let ended_at = Some(ended_at).filter(|ended| *ended < self.until);
        let end_reason = sitting.dice.weighted(&END_REASONS);
        self.sink.write(&Interaction {
            id: sitting.dice.id_at(started_at),
            kind: sitting.dice.weighted(&KINDS),
            initiator_id: sitting.user_id,
            partner_id: self.member(partner).person.id,
            started_at,
            ended_at,
            end_reason: ended_at.map(|_| end_reason),
            updated_at: ended_at.unwrap_or(started_at),
        });
    }
}
