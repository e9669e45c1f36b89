//! The lines of a text that arrives in pieces, plain or gzipped, in bounded memory.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::GzipDecoder;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};

/// Bytes that a line may have; the rest of a longer one is read past, and not held.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// What a gzip file begins with, and no JSON does.
const GZIP: u8 = 0x1f;

/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes that are unpacked at a time.
const UNPACKED: u64 = 64 << 10;

/// A text, read line by line.
pub(super) struct Lines {
    text: Pin<Box<dyn AsyncBufRead + Send>>,
    /// Of the next line, in the unpacked text.
    offset: u64,
    /// The line that is being read, as far as it is held.
    line: Vec<u8>,
}

/// A line that is not blank, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Where it begins in the unpacked text.
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) hash: LineHash<'a>,
    /// None when it is longer than may be.
    pub(super) bytes: Option<&'a [u8]>,
    /// Whether a line's end follows; the last line of a text that broke off has none.
    pub(super) is_ended: bool,
}

/// A line's hash, which is only worked out when it is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineHash<'a> {
    Of(&'a [u8]),
    Known(blake3::Hash),
}

impl LineHash<'_> {
    pub(super) fn hex(&self) -> String {
        match self {
            Self::Of(bytes) => blake3::hash(bytes).to_hex().to_string(),
            Self::Known(hash) => hash.to_hex().to_string(),
        }
    }
}

impl Lines {
    /// The lines of a text. Its first byte says whether it is gzipped: names and headers are often wrong about that.
    ///
    /// # Errors
    /// When its first piece cannot be read.
    pub(super) async fn of(mut text: impl AsyncBufRead + Send + Unpin + 'static) -> io::Result<Self> {
        let is_gzip = text.fill_buf().await?.first() == Some(&GZIP);
        let text: Pin<Box<dyn AsyncBufRead + Send>> = if is_gzip {
            let mut unpacked = GzipDecoder::new(text);
            // Log shippers append member to member.
            unpacked.multiple_members(true);
            Box::pin(BufReader::with_capacity(UNPACKED as usize, unpacked))
        } else {
            Box::pin(text)
        };
        Ok(Self {
            text,
            offset: 0,
            line: Vec::new(),
        })
    }

    /// The next line that is not blank; none at the end.
    ///
    /// # Errors
    /// The text cannot be read on. What is left of it begins at [`Lines::unread`].
    pub(super) async fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            let offset = self.offset;
            let Some(read) = self.read_line().await? else {
                return Ok(None);
            };
            let mark = if offset == 0 && self.line.starts_with(BYTE_ORDER_MARK) {
                BYTE_ORDER_MARK.len()
            } else {
                0
            };
            let is_held = read.long.is_none();
            if is_held && self.line[mark..].trim_ascii().is_empty() {
                continue;
            }
            let bytes = &self.line[mark..];
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            return Ok(Some(Line {
                offset: offset + mark as u64,
                length: if is_held { bytes.len() as u64 } else { read.length },
                hash: read.long.map_or(LineHash::Of(bytes), LineHash::Known),
                bytes: is_held.then_some(bytes),
                is_ended: read.is_ended,
            }));
        }
    }

    /// Where the line begins that could not be read to its end, and what of it is held.
    pub(super) fn unread(&self) -> (u64, &[u8]) {
        (self.offset, &self.line)
    }

    /// Reads up to the next line feed into `self.line`, or past it when that is far; none at the end.
    async fn read_line(&mut self) -> io::Result<Option<ReadLine>> {
        self.line.clear();
        let held = LONGEST_LINE as u64 + 1;
        let mut length = (&mut self.text).take(held).read_until(b'\n', &mut self.line).await? as u64;
        if length == 0 {
            return Ok(None);
        }
        let mut is_ended = self.line.pop_if(|last| *last == b'\n').is_some();
        let mut long = None;
        if self.line.len() > LONGEST_LINE {
            let mut hash = blake3::Hasher::new();
            hash.update(&self.line);
            while !is_ended {
                self.line.clear();
                let piece = (&mut self.text)
                    .take(UNPACKED)
                    .read_until(b'\n', &mut self.line)
                    .await? as u64;
                if piece == 0 {
                    break;
                }
                length += piece;
                is_ended = self.line.pop_if(|last| *last == b'\n').is_some();
                hash.update(&self.line);
            }
            long = Some(hash.finalize());
        }
        self.offset += length;
        Ok(Some(ReadLine {
            length: length - u64::from(is_ended),
            long,
            is_ended,
        }))
    }
}

struct ReadLine {
    length: u64,
    /// The hash of a line that is too long to be held.
    long: Option<blake3::Hash>,
    is_ended: bool,
}

#[cfg(test)]
mod tests;
