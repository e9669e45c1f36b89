//! Attempts whose steps come in order, with anything between.
//!
//! Where a step is filled next depends on the instant of the step before alone, so that each step of an attempt is a
//! search among the instants of that step: a person's moments cost their number times its logarithm, however many of
//! them begin an attempt.

use std::iter::repeat_n;

use super::walk::{Deepest, Entry, Moment, Shape};

/// Walks every attempt over sorted moments, of which the first begins one.
pub(super) fn walk(shape: &Shape, moments: &[Moment], deepest: &mut Deepest) {
    let mut instants = Instants::new(shape.steps, moments);
    let begins = match shape.entry {
        Entry::First => 1,
        Entry::Any => instants.of_step[0].len(),
    };
    for nth in 0..begins {
        let begin = instants.of_step[0][nth];
        let together = instants.moments[begin];
        let mut before = 0;
        // Equal moments begin equal attempts.
        for equal in together.chunk_by(|left, right| left.steps == right.steps) {
            if equal[0].fills(0) {
                let end = equal[0].at.saturating_add(shape.window);
                deepest.attempt(&instants.attempt(begin, before, end), equal.len());
            }
            before += equal.len();
        }
    }
}

/// The moments of a person by instant.
struct Instants<'a> {
    steps: usize,
    moments: Vec<&'a [Moment]>,
    /// For each step, the instants with a moment that may fill it.
    of_step: Vec<Vec<usize>>,
    /// For each step, the instant at which an attempt filled it last, and how many steps that instant fills from it
    /// on: later attempts mostly meet the same.
    filled: Vec<Option<(usize, usize)>>,
}

impl<'a> Instants<'a> {
    fn new(steps: usize, moments: &'a [Moment]) -> Self {
        let moments: Vec<_> = moments.chunk_by(|left, right| left.at == right.at).collect();
        let mut of_step = vec![Vec::new(); steps];
        for (index, together) in moments.iter().enumerate() {
            let any = together.iter().fold(0, |any, moment| any | moment.steps);
            let any = Moment { at: 0, steps: any };
            for step in (0..steps).filter(|&step| any.fills(step)) {
                of_step[step].push(index);
            }
        }
        Self {
            steps,
            moments,
            of_step,
            filled: vec![None; steps],
        }
    }

    /// The instants of the steps that are filled by the attempt which begins with moment `entry` of instant `begin`.
    fn attempt(&mut self, begin: usize, entry: usize, end: i64) -> Vec<i64> {
        let mut place = begin;
        let mut at = self.moments[begin][entry].at;
        let mut count = 1 + fill(self.moments[begin], Some(entry), 1..self.steps);
        let mut instants = Vec::with_capacity(self.steps);
        loop {
            instants.extend(repeat_n(at, count));
            let step = instants.len();
            let Some(next) = self.next(step, place) else { break };
            place = next;
            at = self.moments[place][0].at;
            if at > end {
                break;
            }
            count = self.filled_at(place, step);
        }
        instants
    }

    /// The first instant after `place` with a moment for this step.
    fn next(&self, step: usize, place: usize) -> Option<usize> {
        let places = self.of_step.get(step)?;
        places.get(places.partition_point(|&other| other <= place)).copied()
    }

    /// How many steps an instant fills from this one on.
    fn filled_at(&mut self, place: usize, step: usize) -> usize {
        match self.filled[step] {
            Some((known, count)) if known == place => count,
            _ => {
                let count = fill(self.moments[place], None, step..self.steps);
                self.filled[step] = Some((place, count));
                count
            }
        }
    }
}

/// How many of these steps, one after the other, the moments of one instant fill, without the moment `taken`.
fn fill(together: &[Moment], taken: Option<usize>, steps: std::ops::Range<usize>) -> usize {
    if together.len() == 1 {
        return usize::from(taken.is_none() && !steps.is_empty() && together[0].fills(steps.start));
    }
    let mut fills: Vec<Option<usize>> = vec![None; together.len()];
    steps
        .take_while(|&step| {
            let mut tried = vec![false; together.len()];
            if let Some(taken) = taken {
                tried[taken] = true;
            }
            assign(step, together, &mut fills, &mut tried)
        })
        .count()
}

/// Finds a moment for a step, letting those that have one already move to another where that helps (an augmenting path
/// of a bipartite matching).
fn assign(step: usize, together: &[Moment], fills: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for index in 0..together.len() {
        if tried[index] || !together[index].fills(step) {
            continue;
        }
        tried[index] = true;
        if fills[index].is_none_or(|other| assign(other, together, fills, tried)) {
            fills[index] = Some(step);
            return true;
        }
    }
    false
}
