//! The behaviour model: a world of people, and an agenda of what happens next to whom.
//!
//! The agenda is worked off in order of time, for as long as anybody asks. A session is lived through at once when it
//! begins, so that what people do in sessions that overlap is known to each other only from one session to the next;
//! whatever refers to somebody else's doing checks its instant. Rows may tell of the time to come, never of the time
//! before what they come of. State is kept per person and is bounded for each.

mod accounts;
mod activity;
mod billing;
mod chance;
mod conversation;
mod dating;
mod encounter;
mod events;
mod member;
mod moderation;
mod online;
mod person;
mod plan;
mod rhythm;
mod season;
mod sign_up;
mod sitting;
mod subscription;
mod verdict;
mod world;

use kindred_model::Instant;

use crate::Population;
pub use plan::{Offer, offers};
use world::Happening;
pub(crate) use world::World;

impl World {
    /// The world at the first instant of a population's history.
    pub(crate) fn new(population: Population) -> Self {
        let mut world = Self::empty(population);
        world.draw_history();
        world
    }

    /// Lives through what is next on the agenda, if that is before `until`: when it was.
    pub(crate) fn step(&mut self, until: Instant) -> Option<Instant> {
        let (at, happening) = self.next_before(until)?;
        match happening {
            Happening::Season(number) => self.draw_season(number, at),
            Happening::Visit(visitor) => self.visit(visitor, at),
            Happening::LookIn(who) => self.look_in(who, at),
            Happening::Approach(who) => self.approach(who),
            Happening::Register(who) => self.register(who),
            Happening::Leave(who) => self.leave(who, at),
            Happening::Judge(who, verdict) => self.judge(who, at, verdict),
            Happening::Readmit(who) => self.readmit(who, at),
            Happening::EditProfile(who) => self.member_mut(who).profile_changed_at = at,
            Happening::Bill(who) => self.bill(who, at),
            Happening::Session(who) => self.session(who, at),
        }
        Some(at)
    }
}
