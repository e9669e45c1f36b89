//! Whole buffers at once.

mod pool;

use std::fmt;
use std::io::{Error, Result};
use std::marker::PhantomData;

use zstd_safe::{CCtx, CParameter, ErrorCode, WriteBuf};

use pool::Pooled;

/// Compresses buffers, each into a frame of its own.
pub struct Compressor<'a> {
    level: i32,
    context: Option<CCtx<'a>>,
}

impl Compressor<'static> {
    /// For this level.
    ///
    /// # Errors
    /// Never: a level that there is not is brought to the nearest one.
    pub const fn new(level: i32) -> Result<Self> {
        Ok(Self { level, context: None })
    }
}

impl Compressor<'_> {
    /// The frame of `source`.
    ///
    /// # Errors
    /// When there is no memory for the context.
    pub fn compress(&mut self, source: &[u8]) -> Result<Vec<u8>> {
        let mut target = Vec::with_capacity(zstd_safe::compress_bound(source.len()));
        self.compress_to_buffer(source, &mut target)?;
        Ok(target)
    }

    /// Writes the frame of `source` to where `target` is to be written. Returns its length in bytes.
    ///
    /// # Errors
    /// When it does not fit, or there is no memory for the context.
    pub fn compress_to_buffer<T: WriteBuf + ?Sized>(&mut self, source: &[u8], target: &mut T) -> Result<usize> {
        let context = match &mut self.context {
            Some(context) => context,
            none => {
                let mut context = CCtx::try_create().ok_or_else(no_memory)?;
                let level = CParameter::CompressionLevel(self.level);
                context.set_parameter(level).map_err(named)?;
                none.insert(context)
            }
        };
        context.compress2(target, source).map_err(named)
    }
}

impl fmt::Debug for Compressor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// Decompresses frames.
#[derive(Default)]
pub struct Decompressor<'a> {
    context: Option<Pooled>,
    dictionary: PhantomData<&'a ()>,
}

impl Decompressor<'static> {
    /// Without a dictionary.
    ///
    /// # Errors
    /// Never: the context is asked for when there is something to decompress.
    pub fn new() -> Result<Self> {
        Ok(Self::default())
    }
}

impl Decompressor<'_> {
    /// What the frames in `source` hold, `capacity` bytes at most.
    ///
    /// # Errors
    /// As those of [`Self::decompress_to_buffer`].
    pub fn decompress(&mut self, source: &[u8], capacity: usize) -> Result<Vec<u8>> {
        let mut target = Vec::with_capacity(capacity);
        self.decompress_to_buffer(source, &mut target)?;
        Ok(target)
    }

    /// Writes what the frames in `source` hold to where `target` is to be written. Returns its length in bytes.
    ///
    /// # Errors
    /// When `source` holds no whole frames, what they hold does not fit, or there is no memory for the context.
    pub fn decompress_to_buffer<T: WriteBuf + ?Sized>(&mut self, source: &[u8], target: &mut T) -> Result<usize> {
        let context = match &mut self.context {
            Some(context) => context,
            none => none.insert(Pooled::take().ok_or_else(no_memory)?),
        };
        context.decompress(target, source).map_err(named)
    }
}

impl fmt::Debug for Decompressor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").finish_non_exhaustive()
    }
}

fn named(code: ErrorCode) -> Error {
    Error::other(zstd_safe::get_error_name(code))
}

fn no_memory() -> Error {
    Error::other("there is no memory for a zstd context")
}

#[cfg(test)]
mod tests;
