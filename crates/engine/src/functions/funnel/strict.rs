//! Attempts whose steps follow each other with nothing between.

use super::walk::{Deepest, Entry, Moment, Shape};

/// Walks every attempt over sorted moments, of which the first begins one.
pub(super) fn walk(shape: &Shape, moments: &[Moment], deepest: &mut Deepest) {
    let begins = match shape.entry {
        Entry::First => 1,
        Entry::Any => moments.len(),
    };
    let mut instants = Vec::with_capacity(shape.steps);
    for begin in (0..begins).filter(|&begin| moments[begin].fills(0)) {
        let end = moments[begin].at.saturating_add(shape.window);
        let next = moments[begin..].iter().take(shape.steps).enumerate();
        let filled = next.take_while(|(step, moment)| moment.fills(*step) && moment.at <= end);
        instants.clear();
        instants.extend(filled.map(|(_, moment)| moment.at));
        deepest.attempt(&instants, 1);
    }
}
