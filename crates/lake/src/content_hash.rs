//! Tells whether two files hold the same rows, in whatever order and however compressed.

use std::fmt;

use arrow::row::Rows;

/// The sum of the hashes of a file's rows, so that neither order nor row groups matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContentHash {
    sum: u128,
    rows: u64,
}

impl ContentHash {
    /// Adds rows. They must be encoded alike for hashes to be comparable: the same columns in the same order.
    pub(crate) fn add(&mut self, rows: &Rows) {
        for row in rows {
            let hash = blake3::hash(row.as_ref());
            let (half, _) = hash
                .as_bytes()
                .split_first_chunk::<16>()
                .expect("a BLAKE3 hash has 32 bytes");
            self.sum = self.sum.wrapping_add(u128::from_le_bytes(*half));
            self.rows += 1;
        }
    }

    /// Counts rows that nobody will compare.
    pub(crate) const fn count(&mut self, rows: u64) {
        self.rows += rows;
    }

    /// How many rows were added.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}-{}", self.sum, self.rows)
    }
}
