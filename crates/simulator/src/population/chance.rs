//! Random numbers by occasion: who rolls the dice, and for what, decides what they show.
//!
//! Every occasion (the n-th session of a person, what two people think of each other) has a stream of its own, so that
//! no occasion depends on how many numbers another one used. ChaCha is used because its output is fixed for ever.

use chrono::TimeDelta;
use kindred_model::Instant;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use std::ops::{Range, RangeInclusive};
use uuid::{Builder, Uuid};

/// What the dice are rolled for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Who a person is. Of one index.
    Person,
    /// What only the person's profile says. Of one index.
    PrivateLife,
    /// A person's way to the sign-up. Of one index.
    SignUp,
    /// A visitor who never registers. Of one index.
    Visitor,
    /// How many come in a season. Of its number.
    Season,
    /// A session: of a person and a running number.
    Session,
    /// An attempt to charge: of a person and a running number.
    Bill,
    /// Moderation of a person: of a person and a running number.
    Judgement,
    /// What two people think of each other: of two persons, the smaller index first.
    Pair,
}

/// Bits of an index in the name of a stream; two indexes and the purpose make up 64.
const INDEX_BITS: u32 = 29;

/// Where all randomness of a history comes from.
pub(super) struct Seed([u8; 32]);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        Self(blake3::derive_key("kindred-simulator history v1", &seed.to_le_bytes()))
    }

    /// The dice for an occasion, always showing the same from their first roll on.
    pub(super) fn dice(&self, purpose: Purpose, first: u32, second: u32) -> Dice {
        debug_assert!(
            first >> INDEX_BITS == 0 && second >> INDEX_BITS == 0,
            "streams would overlap"
        );
        let mut rng = ChaCha8Rng::from_seed(self.0);
        let stream = ((purpose as u64) << (2 * INDEX_BITS)) | (u64::from(first) << INDEX_BITS) | u64::from(second);
        rng.set_stream(stream);
        Dice(rng)
    }
}

/// The random numbers of one occasion.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// A number in `[0, 1)`.
    pub(super) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Whether something of this probability happens.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number of the range, all equally likely.
    pub(super) fn between(&mut self, range: RangeInclusive<u32>) -> u32 {
        self.0.random_range(range)
    }

    /// One of the items, all equally likely.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.0.random_range(0..items.len())]
    }

    /// One of the items, by their weights, which need not add up to anything.
    pub(super) fn weighted<T: Copy>(&mut self, items: &[(T, f64)]) -> T {
        let total: f64 = items.iter().map(|(_, weight)| weight).sum();
        let mut left = self.unit() * total;
        for (item, weight) in items {
            left -= weight;
            if left < 0.0 {
                return *item;
            }
        }
        items.last().expect("a choice among nothing").0
    }

    /// A waiting time without memory: many short ones, few long ones.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        let unit: f64 = Exp1.sample(&mut self.0);
        mean * unit
    }

    /// A duration as people's are: half below the median, now and then several times of it.
    pub(super) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.0);
        median * (spread * normal).exp()
    }

    /// How often something is done that is done once more each time with probability `again`; at least once.
    pub(super) fn times(&mut self, again: f64, most: u32) -> u32 {
        let mut count = 1;
        while count < most && self.chance(again) {
            count += 1;
        }
        count
    }

    /// A time span within the range of seconds.
    pub(super) fn span(&mut self, of: Range<f64>) -> TimeDelta {
        seconds(self.0.random_range(of))
    }

    /// An id without order.
    pub(super) fn id(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// An id that sorts by time (version 7): rows then reach their primary keys in order, and those stay compact.
    pub(super) fn id_at(&mut self, at: Instant) -> Uuid {
        let mut bytes = [0; 10];
        self.0.fill_bytes(&mut bytes);
        let millis = u64::try_from(at.timestamp_millis()).expect("histories begin after 1970");
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// A time span, to the millisecond that apps report.
pub(super) fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1_000.0) as i64)
}

/// A time span of a fraction of days.
pub(super) fn days(days: f64) -> TimeDelta {
    seconds(days * 86_400.0)
}
