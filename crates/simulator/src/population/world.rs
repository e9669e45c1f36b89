//! The state of the simulated world: its people, an agenda of what happens next to whom, and the rows that come of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use kindred_model::Instant;

use super::chance::Seed;
use super::member::Member;
use super::online::Online;
use super::person::Who;
use super::verdict::Verdict;
use crate::Population;
use crate::rows::Row;

/// What the agenda holds. The order among simultaneous ones is that of this declaration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// The history is over, or the season of this number before: those are drawn who come in the next one.
    Season(u32),
    /// Somebody looks at the app who will not register.
    Visit(u32),
    /// Somebody looks at the app who will register some other time.
    LookIn(Who),
    /// Somebody comes to register.
    Approach(Who),
    Register(Who),
    /// An account is deleted.
    Leave(Who),
    Judge(Who, Verdict),
    /// A suspension is over.
    Readmit(Who),
    EditProfile(Who),
    /// A trial, a paid period or a grace period is over.
    Bill(Who),
    Session(Who),
}

/// Everything that the people's doing depends on.
pub(crate) struct World {
    pub(super) population: Population,
    pub(super) seed: Seed,
    pub(super) members: Vec<Member>,
    /// How many of the members have registered by now.
    pub(super) registered: u32,
    /// How many visitors were drawn by now.
    pub(super) visitors: u32,
    pub(super) online: Online,
    agenda: BinaryHeap<Reverse<(Instant, Happening)>>,
    rows: Vec<Row>,
}

impl World {
    pub(super) fn empty(population: Population) -> Self {
        Self {
            seed: Seed::new(population.seed),
            population,
            members: Vec::new(),
            registered: 0,
            visitors: 0,
            online: Online::default(),
            agenda: BinaryHeap::new(),
            rows: Vec::new(),
        }
    }

    /// The first instant of the history.
    pub(super) fn start(&self) -> Instant {
        self.population.start()
    }

    /// Puts something on the agenda.
    pub(super) fn schedule(&mut self, at: Instant, happening: Happening) {
        self.agenda.push(Reverse((at, happening)));
    }

    /// Takes what is next off the agenda, if that is before `until`.
    pub(super) fn next_before(&mut self, until: Instant) -> Option<(Instant, Happening)> {
        let Reverse(next) = self.agenda.peek().copied()?;
        if next.0 >= until {
            return None;
        }
        self.agenda.pop();
        Some(next)
    }

    /// Tells of a row, once, with all that will happen to it.
    pub(super) fn write(&mut self, row: impl Into<Row>) {
        self.rows.push(row.into());
    }

    /// The rows told of since the last call.
    pub(crate) fn take_rows(&mut self) -> std::vec::Drain<'_, Row> {
        self.rows.drain(..)
    }

    pub(super) fn member(&self, who: Who) -> &Member {
        &self.members[who as usize]
    }

    pub(super) fn member_mut(&mut self, who: Who) -> &mut Member {
        &mut self.members[who as usize]
    }
}
