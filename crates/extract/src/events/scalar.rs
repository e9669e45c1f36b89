//! A JSON value where a column of an event stands: collectors write ids as numbers, times as texts, and worse.
//!
//! Reading one never fails for its type, so that whoever wants it can say what is wrong in words that do not quote it.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDateTime};
use kindred_model::Instant;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Why an event cannot be taken. Never quotes it.
pub(super) type Reason = String;

/// Numbers from here on count milliseconds since 1970, those below seconds: as seconds it is the year 5138, as
/// milliseconds 1973.
const FIRST_MILLIS: f64 = 1e11;

/// A value of a column.
#[derive(Debug, Default)]
pub(super) enum Scalar<'a> {
    /// Null, or not there.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Whole(i128),
    Fraction(f64),
    /// A boolean, a list or an object.
    Other,
}

impl<'a> Scalar<'a> {
    /// An id: a text or a whole number. A blank one is none.
    pub(super) fn id(self, column: &str) -> Result<Option<Cow<'a, str>>, Reason> {
        match self {
            // A fraction has lost the digits that tell one long id from the next.
            Self::Fraction(_) => Err(format!(
                "{column} is a number with a fraction, or of more than 19 digits"
            )),
            other => other.text(column),
        }
    }

    /// A text, or a number as one. A blank one is none.
    pub(super) fn text(self, column: &str) -> Result<Option<Cow<'a, str>>, Reason> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
            Self::Whole(number) => Ok(Some(number.to_string().into())),
            Self::Fraction(number) => Ok(Some(number.to_string().into())),
            Self::Other => Err(format!("{column} is neither a text nor a number")),
        }
    }

    /// An instant: RFC 3339, or as PostgreSQL prints it, without an offset in UTC; or seconds or milliseconds since 1970.
    pub(super) fn instant(self, column: &str) -> Result<Option<Instant>, Reason> {
        let instant = match self {
            Self::Absent => return Ok(None),
            Self::Text(text) if text.trim().is_empty() => return Ok(None),
            Self::Text(text) => from_text(text.trim()),
            Self::Whole(number) => from_epoch(number as f64),
            Self::Fraction(number) => from_epoch(number),
            Self::Other => None,
        };
        instant.map(Some).ok_or_else(|| format!("{column} is no instant"))
    }
}

fn from_text(text: &str) -> Option<Instant> {
    let text = text.replacen(' ', "T", 1);
    let zoned = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .map(|at| at.to_utc());
    let at = zoned.or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()));
    DateTime::from_timestamp_micros(at.ok()?.timestamp_micros())
}

/// Exact to the microsecond for the years of this kind of clock.
fn from_epoch(number: f64) -> Option<Instant> {
    let micros = if number.abs() >= FIRST_MILLIS {
        number * 1e3
    } else {
        number * 1e6
    };
    // Beyond this no date can be told; the comparison also refuses what is no number.
    (micros.abs() < 1e18).then(|| DateTime::from_timestamp_micros(micros.round() as i64))?
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Absent)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Fraction(number))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar<'de>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Scalar<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn instants_are_read_as_collectors_databases_and_clocks_write_them() {
        for json in [
            r#""2026-03-01T12:00:00.25Z""#,
            r#""2026-03-01T13:00:00.250+01:00""#,
            r#""2026-03-01 12:00:00.25+00""#,
            r#""2026-03-01 07:00:00.25-0500""#,
            r#"" 2026-03-01T12:00:00.250000999 ""#,
            r#""2026-03-01 12:00:00.25""#,
            "1772366400250",
            "1772366400.25",
        ] {
            let at = scalar(json).instant("event_time").unwrap().unwrap();
            assert_eq!(at.to_rfc3339(), "2026-03-01T12:00:00.250+00:00", "{json}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused_without_being_quoted() {
        for json in [
            r#""yesterday""#,
            r#""2026-02-30T00:00:00Z""#,
            r#""2026-03-01""#,
            "true",
            "[1]",
            r#"{"a":1}"#,
            "1e300",
            "9223372036854775807",
        ] {
            let reason = scalar(json).instant("event_time").unwrap_err();
            assert_eq!(reason, "event_time is no instant", "{json}");
        }
    }

    #[test]
    fn an_id_is_a_text_or_a_whole_number_and_a_blank_one_is_none() {
        let id = |json| scalar(json).id("user_id").map(|id| id.map(Cow::into_owned));
        assert_eq!(id("42").unwrap().unwrap(), "42");
        assert_eq!(id("18446744073709551615").unwrap().unwrap(), "18446744073709551615");
        assert_eq!(id(r#""é""#).unwrap().unwrap(), "é");
        assert_eq!(id(r#"" ""#).unwrap(), None);
        assert_eq!(id("null").unwrap(), None);
        for json in ["18446744073709551616", "1.5", "false", "[]", "{}"] {
            assert!(id(json).unwrap_err().starts_with("user_id is "), "{json}");
        }
    }
}
