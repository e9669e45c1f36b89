//! PostgreSQL's binary COPY format, for the column types that the source tables have.
//!
//! A stream is a fixed header, then per row the number of fields and per field a length and its bytes, then a trailer.

use bytes::{BufMut, BytesMut};
use chrono::NaiveDate;
use kindred_model::Instant;
use uuid::Uuid;

/// Signature, flags and header extension, as the manual's chapter on COPY gives them.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The field count that no row has.
const TRAILER: i16 = -1;
const NULL: i32 = -1;
/// Element type of `text[]`, from `pg_type`.
const TEXT_OID: i32 = 25;
/// PostgreSQL counts from the year 2000.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a date");
/// The same in microseconds since the Unix epoch.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Starts a COPY stream.
pub(crate) fn begin(out: &mut BytesMut) {
    out.put_slice(HEADER);
}

/// Ends a COPY stream.
pub(crate) fn end(out: &mut BytesMut) {
    out.put_i16(TRAILER);
}

/// A value that knows its column's binary form.
pub(crate) trait Field {
    /// Appends the value's bytes, without their length.
    fn write(&self, out: &mut BytesMut);

    /// Whether the value is SQL's null, which has a length and no bytes.
    fn is_null(&self) -> bool {
        false
    }
}

/// Appends one field: its length, then its bytes.
pub(super) fn put(field: &impl Field, out: &mut BytesMut) {
    if field.is_null() {
        out.put_i32(NULL);
        return;
    }
    let length_at = out.len();
    out.put_i32(0);
    field.write(out);
    let length = i32::try_from(out.len() - length_at - 4).expect("a simulated value is a few hundred bytes long");
    out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
}

impl<T: Field> Field for Option<T> {
    fn write(&self, out: &mut BytesMut) {
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn is_null(&self) -> bool {
        self.as_ref().is_none_or(Field::is_null)
    }
}

impl Field for Uuid {
    fn write(&self, out: &mut BytesMut) {
        out.put_slice(self.as_bytes());
    }
}

impl Field for &str {
    fn write(&self, out: &mut BytesMut) {
        out.put_slice(self.as_bytes());
    }
}

impl Field for String {
    fn write(&self, out: &mut BytesMut) {
        out.put_slice(self.as_bytes());
    }
}

impl Field for bool {
    fn write(&self, out: &mut BytesMut) {
        out.put_u8(u8::from(*self));
    }
}

impl Field for i32 {
    fn write(&self, out: &mut BytesMut) {
        out.put_i32(*self);
    }
}

/// `timestamptz`: microseconds.
impl Field for Instant {
    fn write(&self, out: &mut BytesMut) {
        out.put_i64(self.timestamp_micros() - EPOCH_MICROS);
    }
}

impl Field for NaiveDate {
    fn write(&self, out: &mut BytesMut) {
        let days = self.signed_duration_since(EPOCH).num_days();
        out.put_i32(i32::try_from(days).expect("a date of birth is within centuries of 2000"));
    }
}

/// `text[]` of one dimension, without nulls.
impl Field for Vec<&str> {
    fn write(&self, out: &mut BytesMut) {
        let dimensions = i32::from(!self.is_empty());
        out.put_i32(dimensions);
        out.put_i32(0); // no nulls
        out.put_i32(TEXT_OID);
        if dimensions == 1 {
            out.put_i32(i32::try_from(self.len()).expect("a person has a few interests"));
            out.put_i32(1); // the first index
        }
        for item in self {
            put(item, out);
        }
    }
}

/// An amount of money, in hundredths: `numeric` with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cents(pub(crate) u32);

impl Field for Cents {
    /// Base-10000 digits, the first with the weight of its power; zeros at either end are left out.
    fn write(&self, out: &mut BytesMut) {
        let (units, hundredths) = (self.0 / 100, self.0 % 100);
        let digits = [units / 10_000, units % 10_000, hundredths * 100];
        let first = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
        let last = digits.iter().rposition(|digit| *digit != 0).map_or(first, |at| at + 1);
        let weight = if first < digits.len() { 1 - first as i16 } else { 0 };
        out.put_i16((last - first) as i16);
        out.put_i16(weight);
        out.put_i16(0); // positive
        out.put_i16(2); // digits shown after the point
        for digit in &digits[first..last] {
            out.put_i16(*digit as i16);
        }
    }
}

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits, weight, sign, scale; then the digits.
    #[test]
    fn amounts_are_numeric_in_the_servers_own_form() {
        let cases: [(u32, &[i16]); 5] = [
            (0, &[0, 0, 0, 2]),
            (5, &[1, -1, 0, 2, 500]),
            (1_999, &[2, 0, 0, 2, 19, 9_900]),
            (3_000_000, &[1, 1, 0, 2, 3]),
            (12_000_050, &[3, 1, 0, 2, 12, 0, 5_000]),
        ];
        for (cents, expected) in cases {
            let mut out = BytesMut::new();
            Cents(cents).write(&mut out);
            let words: Vec<_> = out
                .chunks(2)
                .map(|word| i16::from_be_bytes([word[0], word[1]]))
                .collect();
            assert_eq!(words, expected, "{}", Cents(cents));
        }
    }
}
