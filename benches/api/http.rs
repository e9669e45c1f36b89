//! HTTP/1.1 over a kept connection, with no more work than it takes to find an answer's end: who asks must not be slower
//! than who answers.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What ends an answer's head.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A request without a body, as it is written.
pub(crate) fn get(path: &str) -> Vec<u8> {
    get_as(path, "*/*")
}

/// A request for an answer in this form.
pub(crate) fn get_as(path: &str, accept: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n").into_bytes()
}

/// An answer, in the buffer of its connection.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            let searched = self.buffer.len().saturating_sub(END_OF_HEAD.len() - 1);
            self.read().await?;
            let unseen = &self.buffer[searched..];
            if let Some(at) = unseen.windows(END_OF_HEAD.len()).position(|bytes| bytes == END_OF_HEAD) {
                break searched + at;
            }
        };
        let length = header(&self.buffer[..head], "content-length").context("an answer without a length")?;
        let end = head + END_OF_HEAD.len() + length.parse::<usize>()?;
        while self.buffer.len() < end {
            self.read().await?;
        }
        ensure!(self.buffer.len() == end, "more than one answer to one request");
        let (head, body) = self.buffer.split_at(head);
        let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        Ok(Answer {
            status: status.context("an answer without a status")?.parse()?,
            head,
            body: &body[END_OF_HEAD.len()..],
        })
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}

/// The value of a header; the server writes their names in lower case.
fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"))?;
    std::str::from_utf8(value.trim_ascii()).ok()
}
