//! Stands in for the crate of this name, by `[patch.crates-io]` in the workspace's Cargo.toml, with the part of it that
//! `parquet` and `arrow-ipc` use.
//!
//! `parquet` makes a compressor and a decompressor for every column of every row group that it reads, and each asks the
//! processor for its features when it is made. On a virtual machine the host answers that, a dozen microseconds for each
//! of the two: nearly a fifth of a daily run over a year of small files. Here a context is made when the first bytes
//! come, and those that decompress are used again.

pub mod bulk;

use std::ops::RangeInclusive;

pub use zstd_safe;

/// The levels that there are: less, and faster, the lower.
#[must_use]
pub fn compression_level_range() -> RangeInclusive<zstd_safe::CompressionLevel> {
    zstd_safe::min_c_level()..=zstd_safe::max_c_level()
}
