//! The rows of a binary COPY as PostgreSQL sends them: a message each, the first behind a header, a trailer behind the
//! last.
//!
//! Values are taken in the order in which they lie in a row, which is the order in which ConnectorX asks for them.
//! tokio-postgres' own reader finds where each begins before the first is taken, in a list that it makes anew for every
//! row, and asks of each whether its type fits: a quarter of a read's time, by perf. Here the types are settled once for
//! all rows, by whoever described the query.

use std::error::Error;

use bytes::{Buf, Bytes};
use tokio_postgres::types::{FromSql, Type};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Where a row has its number of values, the trailer has this.
const TRAILER: i16 = -1;

/// Where a value has its length, a null has this.
const NULL: i32 = -1;

/// What arrived is no binary COPY of these columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no rows of a binary COPY arrived, but {0}")]
pub(super) struct Malformed(String);

/// Why a value was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ValueError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The column of that index holds what its Rust type cannot.
    #[error("column {column}: {reason}")]
    Unreadable {
        column: usize,
        reason: Box<dyn Error + Sync + Send>,
    },
}

/// The rows that have arrived, and the place of the value that is next.
#[derive(Debug)]
pub(super) struct BinaryRows {
    columns: usize,
    rows: Vec<Bytes>,
    row: usize,
    column: usize,
    /// Where in the row the next value's length stands.
    at: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Header,
    Rows,
    Ended,
}

impl BinaryRows {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            row: 0,
            column: 0,
            at: 0,
            stage: Stage::Header,
        }
    }

    /// Rows of which values are left.
    pub(super) fn left(&self) -> usize {
        self.rows.len() - self.row
    }

    /// Whether the trailer has arrived: without it, rows are missing.
    pub(super) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Takes the messages that arrived next, when no values are left of those before.
    pub(super) fn take(&mut self, messages: Vec<Bytes>) -> Result<(), Malformed> {
        debug_assert_eq!(self.left(), 0, "rows would be lost");
        if self.has_ended() && !messages.is_empty() {
            return Err(Malformed("more behind its trailer".into()));
        }
        self.rows = messages;
        self.row = 0;
        if self.stage == Stage::Header
            && let Some(first) = self.rows.first_mut()
        {
            skip_header(first)?;
            self.stage = Stage::Rows;
        }
        if self.rows.last().is_some_and(|last| **last == TRAILER.to_be_bytes()) {
            self.rows.pop();
            self.stage = Stage::Ended;
        }
        Ok(())
    }

    /// The next value; of a null, what its type makes of one.
    ///
    /// # Panics
    /// When no rows are left.
    pub(super) fn next<'r, T: FromSql<'r>>(&'r mut self, of: &Type) -> Result<T, ValueError> {
        let (row, column) = (&self.rows[self.row], self.column);
        if column == 0 {
            self.at = begin(row, self.columns)?;
        }
        let (value, end) = value_at(row, self.at)?;
        self.at = end;
        self.column += 1;
        if self.column == self.columns {
            if end != row.len() {
                return Err(Malformed(format!("{} bytes behind a row's last value", row.len() - end)).into());
            }
            self.row += 1;
            self.column = 0;
        }
        T::from_sql_nullable(of, value).map_err(|reason| ValueError::Unreadable { column, reason })
    }
}

fn skip_header(message: &mut Bytes) -> Result<(), Malformed> {
    let cut = || Malformed("a header that breaks off".into());
    if !message.starts_with(SIGNATURE) {
        return Err(Malformed("something without its signature".into()));
    }
    message.advance(SIGNATURE.len());
    let flags = message.try_get_u32().map_err(|_| cut())?;
    // The upper half are those that nobody may pass over; there is one, for object ids, that no server sends any more.
    if flags >> 16 != 0 {
        return Err(Malformed(format!("a header of unknown flags, {flags:#x}")));
    }
    let extension = message.try_get_u32().map_err(|_| cut())? as usize;
    if message.len() < extension {
        return Err(cut());
    }
    message.advance(extension);
    Ok(())
}

/// Where a row's first value stands.
fn begin(row: &[u8], columns: usize) -> Result<usize, Malformed> {
    let values = row.first_chunk().map(|count| i16::from_be_bytes(*count));
    match values {
        Some(values) if usize::try_from(values) == Ok(columns) => Ok(size_of::<i16>()),
        Some(values) => Err(Malformed(format!("a row of {values} values and not {columns}"))),
        None => Err(cut()),
    }
}

/// The value whose length stands at `at`, if it is not null, and where the next one stands.
fn value_at(row: &[u8], at: usize) -> Result<(Option<&[u8]>, usize), Malformed> {
    let (length, rest) = row[at..].split_first_chunk().ok_or_else(cut)?;
    let length = i32::from_be_bytes(*length);
    let at = at + size_of::<i32>();
    if length == NULL {
        return Ok((None, at));
    }
    let length = usize::try_from(length).map_err(|_| Malformed(format!("a value of {length} bytes")))?;
    let value = rest.get(..length).ok_or_else(cut)?;
    Ok((Some(value), at + length))
}

fn cut() -> Malformed {
    Malformed("a row that breaks off".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header and messages as a server sends them, the header before the first message.
    fn sent(messages: &[&[u8]]) -> Vec<Bytes> {
        let header = [SIGNATURE, &[0; 8]].concat();
        let first = [&header[..], messages[0]].concat();
        let rest = messages[1..].iter().map(|message| message.to_vec());
        [first].into_iter().chain(rest).map(Bytes::from).collect()
    }

    fn row(values: &[Option<&[u8]>]) -> Vec<u8> {
        let mut row = i16::try_from(values.len()).unwrap().to_be_bytes().to_vec();
        for value in values {
            let length = value.map_or(NULL, |value| i32::try_from(value.len()).unwrap());
            row.extend(length.to_be_bytes());
            row.extend(value.unwrap_or_default());
        }
        row
    }

    const END: &[u8] = &TRAILER.to_be_bytes();

    fn refused(messages: Vec<Bytes>) -> String {
        let mut rows = BinaryRows::new(2);
        let taken = rows.take(messages).map_err(ValueError::from);
        let read = taken.and_then(|()| {
            while rows.left() > 0 {
                rows.next::<Option<&str>>(&Type::TEXT)?;
            }
            Ok(())
        });
        read.unwrap_err().to_string()
    }

    #[test]
    fn values_come_in_their_order_over_rows_and_messages() {
        let first = row(&[Some(&7_i32.to_be_bytes()), Some(b"seven")]);
        let second = row(&[None, Some(b"")]);
        let third = row(&[Some(&9_i32.to_be_bytes()), None]);
        let mut rows = BinaryRows::new(2);
        assert!(!rows.has_ended());
        rows.take(sent(&[&first, &second])).unwrap();
        assert_eq!(rows.left(), 2);
        assert_eq!(rows.next::<i32>(&Type::INT4).unwrap(), 7);
        assert_eq!(rows.next::<&str>(&Type::TEXT).unwrap(), "seven");
        assert_eq!(rows.left(), 1);
        assert_eq!(rows.next::<Option<i32>>(&Type::INT4).unwrap(), None);
        assert_eq!(rows.next::<Option<&str>>(&Type::TEXT).unwrap(), Some(""));
        assert_eq!((rows.left(), rows.has_ended()), (0, false));
        rows.take(vec![third.into(), END.into()]).unwrap();
        assert_eq!((rows.left(), rows.has_ended()), (1, true));
        assert_eq!(rows.next::<Option<i32>>(&Type::INT4).unwrap(), Some(9));
        assert_eq!(rows.next::<Option<&str>>(&Type::TEXT).unwrap(), None);
        assert_eq!(rows.left(), 0);
    }

    #[test]
    fn a_query_without_rows_is_a_header_and_a_trailer() {
        let mut rows = BinaryRows::new(2);
        rows.take(sent(&[END])).unwrap();
        assert_eq!((rows.left(), rows.has_ended()), (0, true));
    }

    #[test]
    fn nothing_comes_behind_the_trailer() {
        let mut rows = BinaryRows::new(2);
        rows.take(sent(&[END])).unwrap();
        rows.take(Vec::new()).unwrap();
        let error = rows.take(vec![row(&[None, None]).into()]).unwrap_err();
        assert!(error.to_string().contains("behind its trailer"), "{error}");
    }

    #[test]
    fn what_a_later_server_puts_into_the_header_is_passed_over() {
        let extension = [SIGNATURE, &[0, 0, 0, 1, 0, 0, 0, 3], b"new", &row(&[None, None])].concat();
        let mut rows = BinaryRows::new(2);
        rows.take(vec![extension.into()]).unwrap();
        assert_eq!(rows.next::<Option<i32>>(&Type::INT4).unwrap(), None);
    }

    #[test]
    fn a_value_that_its_type_cannot_hold_is_named_by_its_column() {
        let mut rows = BinaryRows::new(2);
        rows.take(sent(&[&row(&[None, Some(b"\xff")])])).unwrap();
        rows.next::<Option<i32>>(&Type::INT4).unwrap();
        let error = rows.next::<&str>(&Type::TEXT).unwrap_err();
        assert!(matches!(error, ValueError::Unreadable { column: 1, .. }), "{error}");
    }

    #[test]
    fn what_is_no_binary_copy_is_refused_and_never_read_over_its_end() {
        let whole = row(&[Some(b"one"), Some(b"two")]);
        for length in 0..whole.len() {
            let error = refused(sent(&[&whole[..length]]));
            assert!(error.contains("breaks off"), "{length} bytes: {error}");
        }
        let header = [SIGNATURE, &[0; 8]].concat();
        for length in SIGNATURE.len()..header.len() {
            let error = refused(vec![Bytes::copy_from_slice(&header[..length])]);
            assert!(error.contains("breaks off"), "{length} bytes: {error}");
        }
        let oids = [SIGNATURE, &[0, 1, 0, 0, 0, 0, 0, 0]].concat();
        let beyond = [&2_i16.to_be_bytes()[..], &i32::MAX.to_be_bytes(), b"few"].concat();
        let negative = [&2_i16.to_be_bytes()[..], &(-2_i32).to_be_bytes()].concat();
        for (messages, said) in [
            (vec![Bytes::from_static(b"id,name\n")], "without its signature"),
            (vec![oids.into()], "unknown flags, 0x10000"),
            (sent(&[&row(&[None; 3])]), "a row of 3 values and not 2"),
            (sent(&[END, &whole]), "a row of -1 values and not 2"),
            (sent(&[&[&whole[..], b"more"].concat()]), "4 bytes behind"),
            (sent(&[&beyond]), "breaks off"),
            (sent(&[&negative]), "a value of -2 bytes"),
        ] {
            let error = refused(messages);
            assert!(error.contains(said), "{error}");
        }
    }
}
