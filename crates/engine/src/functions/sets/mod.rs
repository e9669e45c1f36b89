//! Sets of small numbers as bits, so that many windows are looked at in one pass over each user's set:
//!
//! - `set_of(n)`, an aggregate: the set of a group's numbers, 0 to 65,535, as `Binary`; number n is bit n % 8 of byte
//!   n / 8. Nulls are in no set; any other number is an error.
//! - `set_spread(set, n)`: the set of the numbers that lie 0 to n - 1 above one of the set's.
//! - `set_has(set, n)`: whether the set has a number; one that no set can have is in none.
//! - `set_counts(set)`, an aggregate: how many of a group's sets hold each number, as a list of `Int64` whose first
//!   element counts 0, up to the last number that any holds. An integer stands for the set of its own bits.

mod counts;
mod grid;
mod has;
mod of;
mod spread;

#[cfg(test)]
mod tests;

pub(super) use counts::SetCounts;
pub(super) use has::SetHas;
pub(super) use of::SetOf;
pub(super) use spread::SetSpread;
