//! Swipes and matches.
//!
//! What two people think of each other is decided by their pair alone, and so is which of them is shown the other
//! first. The other one then answers the like, or does not. So a pair is asked once in each direction, a match is
//! always the second like and happens once, and nobody has to remember whom they have seen.

use super::chance::{Purpose, days};
use super::member::ReceivedLike;
use super::person::{Gender, Who};
use super::sitting::Sitting;
use super::world::World;
use crate::rows::{EventKind, Match, Swipe};

/// Likes that wait for an answer, per person; older ones are forgotten.
const LIKES_KEPT: usize = 32;
/// Chance that a person with unanswered likes is shown one of those.
const SHOWS_LIKES: f64 = 0.6;
/// People who were not seen for so long are shown half as often.
const RECENT_DAYS: f64 = 10.0;
/// How many places of the deck are tried before the app says that there is nobody new.
const TRIES: u32 = 60;
/// Share of likes that are super likes.
const SUPER: f64 = 0.05;
/// Chance that a swipe leads to another at once.
const SWIPES_ON: f64 = 0.55;
const MOST_SWIPES: u32 = 12;

/// What is fixed about a pair.
struct Pair {
    /// Whether the one with the smaller index is shown the other first.
    smaller_first: bool,
    /// How sceptical each is of the other, the one with the smaller index first; in `[0, 1)`.
    scepticism: [f64; 2],
}

impl World {
    /// A run of swipes.
    pub(super) fn swipe_some(&mut self, sitting: &mut Sitting) {
        for _ in 0..sitting.dice.times(SWIPES_ON, MOST_SWIPES) {
            if !self.swipe(sitting) || !sitting.pass(1.5..9.0) {
                return;
            }
        }
    }

    /// One swipe, on somebody who liked this person or on the next one of the deck; false when there is nobody.
    fn swipe(&mut self, sitting: &mut Sitting) -> bool {
        let who = sitting.who;
        let answered = self.take_like(sitting);
        let Some(target) = answered.or_else(|| self.deal(sitting)) else {
            return false;
        };
        let likes = self.likes(who, target);
        let super_like = likes && sitting.dice.chance(SUPER);
        let target_id = self.member(target).person.id;
        self.write(Swipe {
            id: sitting.dice.id_at(sitting.now),
            user_id: sitting.user_id,
            target_user_id: target_id,
            action: match (likes, super_like) {
                (false, _) => "pass",
                (true, false) => "like",
                (true, true) => "super_like",
            },
            created_at: sitting.now,
        });
        if !likes {
            self.report(sitting, EventKind::SwipeLeft { target: target_id });
            return true;
        }
        let swipe = EventKind::SwipeRight {
            target: target_id,
            super_like,
        };
        self.report(sitting, swipe);
        if answered.is_some() {
            self.match_up(sitting, target);
        } else {
            let received = &mut self.member_mut(target).likes;
            if received.len() == LIKES_KEPT {
                received.pop_front();
            }
            received.push_back(ReceivedLike {
                from: who,
                at: sitting.now,
            });
        }
        true
    }

    /// Looks somebody up, most often on the way to a swipe.
    pub(super) fn view_profile(&mut self, sitting: &mut Sitting) {
        let target = match self.member(sitting.who).likes.back() {
            Some(like) if like.at < sitting.now => like.from,
            _ => sitting.dice.between(0..=self.registered - 1),
        };
        if target == sitting.who {
            return;
        }
        let target_id = self.member(target).person.id;
        self.report(sitting, EventKind::ProfileView { target: target_id });
        self.maybe_report(sitting, target);
    }

    /// A like that this person has received by now and has not answered; the newest one.
    fn take_like(&mut self, sitting: &mut Sitting) -> Option<Who> {
        if !sitting.dice.chance(SHOWS_LIKES) {
            return None;
        }
        let likes = &mut self.member_mut(sitting.who).likes;
        let newest = likes.iter().rposition(|like| like.at < sitting.now)?;
        let from = likes.remove(newest)?.from;
        self.member(from).is_active().then_some(from)
    }

    /// The next person of the deck.
    fn deal(&mut self, sitting: &mut Sitting) -> Option<Who> {
        let who = sitting.who;
        for _ in 0..TRIES {
            let next = self.turn_card(who, sitting.dice.chance(0.5))?;
            if self.would_show(who, next, sitting) {
                return Some(next);
            }
        }
        None
    }

    /// Turns over the next card: a newcomer or somebody who was there before. A deck that is through starts again.
    fn turn_card(&mut self, who: Who, prefers_newer: bool) -> Option<Who> {
        let registered = self.registered;
        let deck = &mut self.member_mut(who).deck;
        if !deck.dealt || (deck.newer >= registered && deck.older == 0) {
            deck.shown_below = if deck.dealt { deck.newer } else { 0 };
            (deck.dealt, deck.newer, deck.older) = (true, who + 1, who);
        }
        if deck.newer < registered && (prefers_newer || deck.older == 0) {
            deck.newer += 1;
            Some(deck.newer - 1)
        } else {
            deck.older = deck.older.checked_sub(1)?;
            Some(deck.older)
        }
    }

    fn would_show(&self, who: Who, other: Who, sitting: &mut Sitting) -> bool {
        let (member, candidate) = (self.member(who), self.member(other));
        let recent = candidate.seen_within(days(RECENT_DAYS), sitting.now);
        candidate.is_active()
            && member.person.may_meet(&candidate.person)
            && (recent || sitting.dice.chance(0.5))
            && self.pair(who, other).smaller_first == (who < other)
            && (other >= member.deck.shown_below || !self.likes(who, other))
    }

    /// Whether `who` likes `other`, once asked. The same whenever it is asked.
    fn likes(&self, who: Who, other: Who) -> bool {
        let scepticism = self.pair(who, other).scepticism[usize::from(who > other)];
        let readiness = match self.member(who).person.gender {
            Some(Gender::Male) => 0.46,
            _ => 0.30,
        };
        scepticism < (readiness * self.member(other).person.charm).min(0.95)
    }

    fn pair(&self, one: Who, other: Who) -> Pair {
        let mut dice = self.seed.dice(Purpose::Pair, one.min(other), one.max(other));
        Pair {
            smaller_first: dice.chance(0.5),
            scepticism: [dice.unit(), dice.unit()],
        }
    }

    /// The second like of a pair: both see that they match, and may start to talk.
    fn match_up(&mut self, sitting: &mut Sitting, other: Who) {
        let other_id = self.member(other).person.id;
        self.write(Match {
            id: sitting.dice.id_at(sitting.now),
            user_a_id: sitting.user_id.min(other_id),
            user_b_id: sitting.user_id.max(other_id),
            created_at: sitting.now,
        });
        let action = if sitting.dice.chance(0.8) {
            "viewed"
        } else {
            "dismissed"
        };
        self.report(
            sitting,
            EventKind::MatchAction {
                action,
                target: other_id,
            },
        );
        self.begin_to_talk(sitting, other);
    }
}
