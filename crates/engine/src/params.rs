//! Values for the placeholders of a query.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::common::ScalarValue;

/// The value of one placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A UTC day, a DATE.
    Day(NaiveDate),
    /// An instant, a TIMESTAMP in UTC to the microsecond; `None` is null.
    Instant(Option<DateTime<Utc>>),
    /// A text.
    Text(String),
    /// Texts, a list of TEXT. A plan knows what `array_has` compares with it, and reads no more than that.
    Texts(Vec<String>),
    /// A whole number, a BIGINT.
    Integer(i64),
}

impl Value {
    /// The name of its type, as `arrow_cast` takes it.
    pub(crate) const fn arrow_type(&self) -> &'static str {
        match self {
            Self::Day(_) => "Date32",
            Self::Instant(_) => r#"Timestamp(Microsecond, Some("UTC"))"#,
            Self::Text(_) => "Utf8",
            Self::Texts(_) => "List(Utf8)",
            Self::Integer(_) => "Int64",
        }
    }
}

impl From<&Value> for ScalarValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Day(day) => Self::Date32(Some(Date32Type::from_naive_date(*day))),
            Value::Instant(instant) => {
                Self::TimestampMicrosecond(instant.map(|instant| instant.timestamp_micros()), Some("UTC".into()))
            }
            Value::Text(text) => Self::Utf8(Some(text.clone())),
            Value::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| Self::from(text.as_str())).collect();
                Self::List(Self::new_list_nullable(&texts, &DataType::Utf8))
            }
            Value::Integer(number) => Self::Int64(Some(*number)),
        }
    }
}

/// Values by placeholder, without the `$`. A query takes those that its header names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// Adds a value, in place of an earlier one of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// These values and others, which stand in place of those of the same names.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The value of a placeholder.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}
