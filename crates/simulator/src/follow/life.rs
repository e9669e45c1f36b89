//! A life, told step by step.

use kindred_model::{Instant, Interval};

use crate::Population;
use crate::population::World;
use crate::rows::Row;

/// A world, how far it is told, and the rows to which something will still happen.
pub(super) struct Life {
    world: World,
    told_until: Instant,
    unsettled: Vec<Row>,
}

impl Life {
    /// A population at the start of its history.
    pub(super) fn new(population: Population) -> Self {
        Self {
            world: World::new(population),
            told_until: population.start(),
            unsettled: Vec::new(),
        }
    }

    pub(super) const fn told_until(&self) -> Instant {
        self.told_until
    }

    /// Lives on to an instant by which everything was told before.
    pub(super) fn skip(&mut self, until: Instant) {
        self.live(until);
        self.unsettled.retain(|row| !row.is_settled(until));
        self.told_until = until;
    }

    /// Lives on to an instant: the rows that are new or different by then, as they are then. Accounts come before what
    /// refers to them.
    pub(super) fn tell(&mut self, until: Instant) -> Vec<Row> {
        let Ok(span) = Interval::new(self.told_until, until) else {
            return Vec::new();
        };
        self.live(until);
        let mut told: Vec<Row> = self.world.accounts(span).collect();
        told.extend(self.unsettled.iter().filter(|row| row.changes_in(span)).cloned());
        self.unsettled.retain(|row| !row.is_settled(until));
        self.told_until = until;
        told.into_iter().filter_map(|row| row.cut_at(until)).collect()
    }

    fn live(&mut self, until: Instant) {
        while self.world.step(until).is_some() {
            self.unsettled.extend(self.world.take_rows());
        }
    }
}
