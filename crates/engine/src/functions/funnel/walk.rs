//! The way of one person through the steps of a funnel.
//!
//! An **attempt** begins with a moment of step 1. *Ordered*: each next step is filled at its first instant that is not
//! before the instant of the step before it, by a moment that fills no other step; other moments may lie between.
//! *Strict*: it is filled by the very next moment. No step counts after the attempt's begin plus the window. A person
//! is worth the deepest of the attempts: of those that begin at the first instant of step 1 (entry `first`), or of all.
//!
//! Moments of one instant have no order. An ordered attempt fills as many steps with them as can be filled; a strict
//! one takes them in the order of the steps that they may fill, those of none last.

use super::{ordered, strict};

/// A moment of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Microseconds since 1970.
    pub(super) at: i64,
    /// The steps that it may fill; bit 0 is step 1.
    pub(super) steps: u32,
}

impl Moment {
    /// Whether it may fill a step, counted from 0.
    pub(super) const fn fills(self, step: usize) -> bool {
        self.steps >> step & 1 == 1
    }
}

/// Which moments of step 1 begin an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Those of its first instant.
    First,
    /// All.
    Any,
}

/// What may lie between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Other moments.
    Ordered,
    /// Nothing.
    Strict,
}

/// A funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// How many steps it has, 1 to 32.
    pub(super) steps: usize,
    /// Microseconds from step 1 within which every other step must lie; the last one counts.
    pub(super) window: i64,
    pub(super) entry: Entry,
    pub(super) order: Order,
}

/// How far a person came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reached {
    /// The begin of the first of the deepest attempts, in microseconds.
    pub(super) entered_at: i64,
    /// The seconds from each step to the next up to the deepest: mean and median over the deepest attempts.
    pub(super) seconds: Vec<Seconds>,
}

impl Reached {
    /// The deepest step, at least 1.
    pub(super) fn steps(&self) -> usize {
        self.seconds.len() + 1
    }
}

/// Seconds from a step to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seconds {
    pub(super) mean: f64,
    pub(super) median: f64,
}

impl Shape {
    /// How far the moments lead; `None` without one of step 1. Leaves them sorted.
    pub(super) fn walk(&self, moments: &mut [Moment]) -> Option<Reached> {
        moments.sort_unstable_by_key(|moment| (moment.at, moment.steps.trailing_zeros(), moment.steps));
        let first = moments.iter().position(|moment| moment.fills(0))?;
        let moments = &moments[first..];
        let mut deepest = Deepest::default();
        match self.order {
            Order::Ordered => ordered::walk(self, moments, &mut deepest),
            Order::Strict => strict::walk(self, moments, &mut deepest),
        }
        Some(deepest.reached())
    }
}

/// The deepest attempts so far.
#[derive(Debug, Default)]
pub(super) struct Deepest {
    entered_at: i64,
    /// Microseconds from each step to the next, of each attempt.
    spans: Vec<Vec<i64>>,
    depth: usize,
}

impl Deepest {
    /// Takes `times` equal attempts in, by the instants of the steps that they filled.
    pub(super) fn attempt(&mut self, instants: &[i64], times: usize) {
        if instants.len() < self.depth {
            return;
        }
        if instants.len() > self.depth {
            self.depth = instants.len();
            self.entered_at = instants[0];
            self.spans.clear();
            self.spans.resize(instants.len() - 1, Vec::new());
        }
        for (spans, pair) in self.spans.iter_mut().zip(instants.windows(2)) {
            spans.extend(std::iter::repeat_n(pair[1] - pair[0], times));
        }
    }

    fn reached(mut self) -> Reached {
        Reached {
            entered_at: self.entered_at,
            seconds: self.spans.iter_mut().map(|spans| Seconds::of(spans)).collect(),
        }
    }
}

impl Seconds {
    #[expect(clippy::cast_precision_loss, reason = "seconds are answered as doubles")]
    fn of(micros: &mut [i64]) -> Self {
        let count = micros.len();
        let sum: i128 = micros.iter().copied().map(i128::from).sum();
        let (below, upper, _) = micros.select_nth_unstable(count / 2);
        let upper = *upper;
        let lower = if count % 2 == 1 {
            upper
        } else {
            below.iter().copied().max().unwrap_or(upper)
        };
        Self {
            mean: sum as f64 / count as f64 / 1e6,
            median: (i128::from(lower) + i128::from(upper)) as f64 / 2e6,
        }
    }
}
