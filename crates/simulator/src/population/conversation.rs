//! Conversations: after a match both sides write, in their own sessions, until each has had enough.

use super::member::Talk;
use super::person::Who;
use super::sitting::Sitting;
use super::world::World;
use crate::rows::{EventKind, Message};

/// Share of matches that come to words at all.
const TALKS: f64 = 0.65;
/// Chance that a side writes at one more occasion, and the most occasions that a side has.
const WRITES_ON: f64 = 0.72;
const MOST_OCCASIONS: u32 = 40;
/// Chance of one more message at an occasion.
const ONE_MORE: f64 = 0.55;
const MOST_MESSAGES: u32 = 10;
/// Conversations that a side keeps up with; an older one is dropped for a new one.
const TALKS_KEPT: usize = 16;

const KINDS: [(&str, f64); 4] = [("text", 0.90), ("gif", 0.045), ("image", 0.035), ("voice", 0.02)];

const PHRASES: [&str; 12] = [
    "Hi! How is your week going?",
    "That photo by the lake is lovely.",
    "Haha, exactly.",
    "Coffee on Saturday?",
    "What are you listening to these days?",
    "I would love to.",
    "Not sure yet, I will tell you tomorrow.",
    "Have you been there before?",
    "Good morning!",
    "My dog has opinions about that.",
    "Sounds good to me.",
    "Tell me more!",
];

impl World {
    /// Opens a conversation between the two of a new match, unless neither finds a word.
    pub(super) fn begin_to_talk(&mut self, sitting: &mut Sitting, other: Who) {
        if !sitting.dice.chance(TALKS) {
            return;
        }
        let conversation = sitting.dice.id_at(sitting.now);
        for (side, partner) in [(sitting.who, other), (other, sitting.who)] {
            let talks = &mut self.member_mut(side).talks;
            if talks.len() == TALKS_KEPT {
                talks.pop_front();
            }
            talks.push_back(Talk {
                partner,
                conversation,
                since: sitting.now,
                occasions: sitting.dice.times(WRITES_ON, MOST_OCCASIONS),
            });
        }
    }

    /// Writes a few messages in one of the conversations; without any, looks for somebody to talk to.
    pub(super) fn chat(&mut self, sitting: &mut Sitting) {
        let Some(talk) = self.next_words(sitting) else {
            self.swipe_some(sitting);
            return;
        };
        let recipient_id = self.member(talk.partner).person.id;
        for _ in 0..sitting.dice.times(ONE_MORE, MOST_MESSAGES) {
            let kind = sitting.dice.weighted(&KINDS);
            let content = if kind == "text" {
                Some(*sitting.dice.pick(&PHRASES))
            } else {
                None
            };
            self.write(Message {
                id: sitting.dice.id_at(sitting.now),
                conversation_id: talk.conversation,
                sender_id: sitting.user_id,
                recipient_id,
                kind,
                content,
                created_at: sitting.now,
            });
            let conversation = talk.conversation;
            self.report(sitting, EventKind::MessageSend { conversation, kind });
            if !sitting.pass(4.0..35.0) {
                return;
            }
        }
        self.maybe_report(sitting, talk.partner);
    }

    /// Takes an occasion from one of the conversations that are open by now.
    fn next_words(&mut self, sitting: &mut Sitting) -> Option<Talk> {
        let count = self.member(sitting.who).talks.len();
        if count == 0 {
            return None;
        }
        let at = sitting.dice.between(0..=count as u32 - 1) as usize;
        let talk = self.member_mut(sitting.who).talks.remove(at)?;
        let open = self.member(talk.partner).is_active();
        let begun = talk.since < sitting.now;
        let words = (open && begun).then_some(Talk {
            occasions: talk.occasions - 1,
            ..talk
        });
        let left = words.as_ref().map_or(talk.occasions, |talk| talk.occasions);
        if open && left > 0 {
            self.member_mut(sitting.who).talks.insert(
                at,
                Talk {
                    occasions: left,
                    ..talk
                },
            );
        }
        words
    }
}
