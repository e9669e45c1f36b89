//! Takes rows in any order of tables and hands them to the databases' loaders in chunks, each a COPY of its own.
//!
//! One buffer a table and a short channel a database bound the memory, whatever the number of rows. A loader that gives
//! up closes its channel: rows are dropped from then on, and the model is told to stop.

use bytes::{Bytes, BytesMut};
use kindred_model::Source;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::rows::{self, Row, Table};

/// A chunk large enough to hide the round trip of its COPY statement (about 0.2 ms), small enough for every table to
/// fill one.
const CHUNK_BYTES: usize = 512 * 1024;
/// Chunks that wait for a slower database before the model waits.
const CHUNKS_AHEAD: usize = 4;

/// A COPY stream of whole rows of one table.
pub(super) struct Chunk {
    pub(super) table: Table,
    pub(super) rows: u64,
    pub(super) bytes: Bytes,
}

/// The model's end of the way into the databases.
pub(super) struct Sink {
    buffers: Vec<Buffer>,
    lanes: Vec<(Source, Sender<Chunk>)>,
    stopped: bool,
}

#[derive(Default)]
struct Buffer {
    rows: u64,
    bytes: BytesMut,
}

impl Sink {
    /// A sink without databases: rows of those not connected are dropped.
    pub(super) fn new() -> Self {
        Self {
            buffers: Table::ALL.iter().map(|_| Buffer::default()).collect(),
            lanes: Vec::new(),
            stopped: false,
        }
    }

    /// Connects a database: its rows come out of the receiver.
    pub(super) fn connect(&mut self, source: Source) -> Receiver<Chunk> {
        let (sender, receiver) = channel(CHUNKS_AHEAD);
        self.lanes.push((source, sender));
        receiver
    }

    /// Whether a loader has given up, so that going on is useless.
    pub(super) const fn stopped(&self) -> bool {
        self.stopped
    }

    /// Takes a row, if there is one. Blocks while the row's database is more than a few chunks behind.
    pub(super) fn write(&mut self, row: Option<Row>) {
        let Some(row) = row else { return };
        let table = row.table();
        let buffer = &mut self.buffers[table as usize];
        if buffer.rows == 0 {
            rows::begin(&mut buffer.bytes);
        }
        row.encode(&mut buffer.bytes);
        buffer.rows += 1;
        if buffer.bytes.len() >= CHUNK_BYTES {
            self.flush(table);
        }
    }

    /// Sends on what a table has buffered, ahead of rows that refer to it.
    pub(super) fn flush(&mut self, table: Table) {
        let Buffer { rows, mut bytes } = std::mem::take(&mut self.buffers[table as usize]);
        let lane = self.lanes.iter().find(|(source, _)| *source == table.source());
        let Some((_, lane)) = lane.filter(|_| rows > 0) else {
            return;
        };
        rows::end(&mut bytes);
        let chunk = Chunk {
            table,
            rows,
            bytes: bytes.freeze(),
        };
        self.stopped |= lane.blocking_send(chunk).is_err();
    }

    /// Sends on everything and closes the channels.
    pub(super) fn finish(mut self) {
        for table in Table::ALL {
            self.flush(*table);
        }
    }
}
