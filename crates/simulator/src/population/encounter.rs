//! Live encounters: people join a queue, and two who are there at the same time meet by video, voice or text.

use std::ops::Range;

use chrono::TimeDelta;
use kindred_model::Instant;

use super::chance::{Dice, seconds};
use super::online::Presence;
use super::person::Who;
use super::sitting::Sitting;
use super::world::World;
use crate::rows::{EventKind, Interaction, QueueEntry};

/// Mean seconds until a partner is found, and how long people wait who find none.
const WAIT_SECONDS: f64 = 35.0;
const PATIENCE_SECONDS: Range<f64> = 25.0..240.0;
/// Share of those who give up by leaving the app, so that the server waits on for them.
const UNNOTICED: f64 = 0.01;
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
            let noticed = !sitting.dice.chance(UNNOTICED);
            let left = Some((left_at, "gave_up")).filter(|_| noticed);
            self.write_queue_entry(&mut sitting.dice, sitting.who, joined_at, left);
            sitting.stay_until(left_at);
            return;
        };
        let started_at = joined_at + wait;
        let matched = Some((started_at, "matched"));
        self.write_queue_entry(&mut sitting.dice, sitting.who, joined_at, matched);
        let partner_wait = seconds(sitting.dice.exponential(WAIT_SECONDS));
        // Not before this session: what happened by then is told.
        let earliest = partner.from.max(sitting.started_at);
        let partner_joined_at = earliest.max(started_at - partner_wait).min(started_at);
        self.write_queue_entry(&mut sitting.dice, partner.who, partner_joined_at, matched);

        let length = seconds(sitting.dice.log_normal(MEDIAN_SECONDS, SPREAD));
        let ended_at = (started_at + length).min(partner.to);
        self.write_interaction(sitting, partner.who, started_at, ended_at);
        self.member_mut(sitting.who).engaged_until = ended_at;
        self.member_mut(partner.who).engaged_until = ended_at;
        sitting.stay_until(ended_at);
        self.maybe_report(sitting, partner.who);
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
                && (presence.from < at && at + AT_LEAST < presence.to)
                && (other.is_active() && other.engaged_until < at)
                && me.person.may_meet(&other.person)
        };
        self.online.latest().find(free).copied()
    }

    /// A row of the waiting queue, with how it was left, if the server was told.
    fn write_queue_entry(
        &mut self,
        dice: &mut Dice,
        who: Who,
        joined_at: Instant,
        left: Option<(Instant, &'static str)>,
    ) {
        let left_at = left.map(|(at, _)| at);
        self.write(QueueEntry {
            id: dice.id_at(joined_at),
            user_id: self.member(who).person.id,
            joined_at,
            left_at,
            outcome: left.map(|(_, outcome)| outcome),
            updated_at: left_at.unwrap_or(joined_at),
        });
    }

    fn write_interaction(&mut self, sitting: &mut Sitting, partner: Who, started_at: Instant, ended_at: Instant) {
        let end_reason = sitting.dice.weighted(&END_REASONS);
        self.write(Interaction {
            id: sitting.dice.id_at(started_at),
            kind: sitting.dice.weighted(&KINDS),
            initiator_id: sitting.user_id,
            partner_id: self.member(partner).person.id,
            started_at,
            ended_at: Some(ended_at),
            end_reason: Some(end_reason),
            updated_at: ended_at,
        });
    }
}
