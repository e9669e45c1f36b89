//! Who was in a session lately.

use std::collections::VecDeque;

use kindred_model::Instant;

use super::person::Who;

/// Sessions that partners are looked for in: the latest ones.
const KEPT: usize = 256;

/// The latest sessions, oldest first.
#[derive(Default)]
pub(super) struct Online(VecDeque<Presence>);

/// Somebody's session.
#[derive(Clone, Copy)]
pub(super) struct Presence {
    pub(super) who: Who,
    pub(super) from: Instant,
    pub(super) to: Instant,
}

impl Online {
    pub(super) fn enter(&mut self, presence: Presence) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(presence);
    }

    /// The latest ones first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Presence> {
        self.0.iter().rev()
    }
}
