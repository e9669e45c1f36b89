//! Bits by a number, so that many groups of a group are looked at in one row for each:
//!
//! - `bits_by(key, first, second)`, an aggregate: the keys of a group, each with all bits of its `first` and of its
//!   `second`, as a list of entries in the order of their keys. A row without a key counts nothing, and a null has no bits.
//!   `bits_by(entries)` brings such lists together.
//! - `bits_cube(entries)`: the entries, where a key is two numbers of 32 bits, and what each of the two has with any of
//!   the other, and any with any, where any is 0.

mod by;
mod cube;
mod entries;

#[cfg(test)]
mod tests;

pub(super) use by::BitsBy;
pub(super) use cube::BitsCube;
