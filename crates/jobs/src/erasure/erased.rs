//! Whose data is not taken in: rows without the persons who were erased.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use kindred_extract::USER_ID_ENDING;
use kindred_warehouse::{Warehouse, WarehouseError};
use serde_json::Value;

/// The columns of events that say whose they are.
const USER: &str = "user_key";
const DEVICE: &str = "anonymous_key";
const PROPERTIES: &str = "properties";

/// The keys of everybody who was erased, and of their devices.
#[derive(Debug, Clone, Default)]
pub(crate) struct Erased(Arc<HashSet<i64>>);

/// Rows without the erased.
#[derive(Debug)]
pub(crate) struct Left {
    /// Those that may stay.
    pub(crate) rows: RecordBatch,
    /// Which of the rows they are.
    pub(crate) stay: BooleanArray,
    /// How many of them were changed, since they mention somebody.
    pub(crate) changed: usize,
    /// How many of them named a device.
    pub(crate) shared: usize,
}

impl Left {
    fn all(rows: &RecordBatch) -> Self {
        Self {
            rows: rows.clone(),
            stay: vec![true; rows.num_rows()].into(),
            changed: 0,
            shared: 0,
        }
    }

    /// How many rows are gone.
    pub(crate) fn gone(&self) -> usize {
        self.stay.len() - self.rows.num_rows()
    }
}

impl FromIterator<i64> for Erased {
    fn from_iter<Keys: IntoIterator<Item = i64>>(keys: Keys) -> Self {
        Self(Arc::new(keys.into_iter().collect()))
    }
}

impl Erased {
    pub(crate) async fn load(warehouse: &Warehouse) -> Result<Self, WarehouseError> {
        Ok(warehouse.erased_keys().await?.into_iter().collect())
    }

    fn holds(&self, key: Option<i64>) -> bool {
        key.is_some_and(|key| self.0.contains(&key))
    }

    /// Rows that belong to every user whose key stands in one of the columns: gone when one of them is erased.
    pub(crate) fn leave_out(&self, rows: &RecordBatch, columns: &[&str]) -> Result<Left, ArrowError> {
        if self.0.is_empty() {
            return Ok(Left::all(rows));
        }
        let keys: Vec<_> = columns.iter().map(|name| keys(rows, name)).collect::<Result<_, _>>()?;
        let stays = |row| !keys.iter().any(|keys| self.holds(value(keys, row)));
        let stay: BooleanArray = (0..rows.num_rows()).map(|row| Some(stays(row))).collect();
        Ok(Left {
            rows: filter_record_batch(rows, &stay)?,
            stay,
            changed: 0,
            shared: 0,
        })
    }

    /// Events, and what is counted of each identity: gone when their user is erased, or when they have none and their device
    /// is. Others that name an erased device or, in their properties, an erased user stay, and name nobody there.
    pub(crate) fn leave_out_of_events(&self, rows: &RecordBatch) -> Result<Left, ArrowError> {
        if self.0.is_empty() {
            return Ok(Left::all(rows));
        }
        let (users, devices) = (keys(rows, USER)?, keys(rows, DEVICE)?);
        let stays = |row| !self.holds(value(users, row).or_else(|| value(devices, row)));
        let stay: BooleanArray = (0..rows.num_rows()).map(|row| Some(stays(row))).collect();
        let rows = filter_record_batch(rows, &stay)?;
        let mut changed = vec![false; rows.num_rows()];
        let devices = self.without_devices(keys(&rows, DEVICE)?, &mut changed);
        let shared = changed.iter().filter(|changed| **changed).count();
        let mut columns = rows.columns().to_vec();
        columns[rows.schema().index_of(DEVICE)?] = devices;
        if let Ok(properties) = rows.schema().index_of(PROPERTIES) {
            let texts = rows.column(properties).as_string_opt::<i32>();
            let texts = texts.ok_or_else(|| misfit(PROPERTIES))?;
            columns[properties] = self.without_mentions(texts, &mut changed);
        }
        Ok(Left {
            rows: RecordBatch::try_new(rows.schema(), columns)?,
            stay,
            changed: changed.into_iter().filter(|changed| *changed).count(),
            shared,
        })
    }

    fn without_devices(&self, devices: &Int64Array, changed: &mut [bool]) -> ArrayRef {
        let left = devices.iter().zip(changed).map(|(key, changed)| {
            *changed |= self.holds(key);
            key.filter(|_| !self.holds(key))
        });
        Arc::new(left.collect::<Int64Array>())
    }

    fn without_mentions(&self, texts: &StringArray, changed: &mut [bool]) -> ArrayRef {
        let left = texts.iter().zip(changed).map(|(text, changed)| {
            let text = text?;
            let Some(left) = self.without_mention(text) else {
                return Some(text.to_owned());
            };
            *changed = true;
            Some(left)
        });
        Arc::new(left.collect::<StringArray>())
    }

    /// The properties without the erased; none when they mention none of them.
    fn without_mention(&self, text: &str) -> Option<String> {
        if !text.contains(USER_ID_ENDING) {
            return None;
        }
        let mut properties: Value = serde_json::from_str(text).ok()?;
        self.forget(&mut properties).then(|| properties.to_string())
    }

    /// Puts null in the place of the erased in an event's properties. Whether there were any.
    pub(crate) fn forget(&self, properties: &mut Value) -> bool {
        self.forget_within(properties, false)
    }

    /// `is_user`: whether the value stands under a name that says it is of a user.
    fn forget_within(&self, value: &mut Value, is_user: bool) -> bool {
        match value {
            Value::Object(members) => members.iter_mut().fold(false, |found, (name, value)| {
                self.forget_within(value, name.ends_with(USER_ID_ENDING)) | found
            }),
            Value::Array(values) => values
                .iter_mut()
                .fold(false, |found, value| self.forget_within(value, is_user) | found),
            Value::Number(number) if is_user && self.holds(number.as_i64()) => {
                *value = Value::Null;
                true
            }
            _ => false,
        }
    }
}

fn keys<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a Int64Array, ArrowError> {
    let column = rows
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.ok_or_else(|| misfit(name))
}

fn value(keys: &Int64Array, row: usize) -> Option<i64> {
    keys.is_valid(row).then(|| keys.value(row))
}

fn misfit(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("there is no column {name} of the contract's type"))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    /// Events by user, device and properties.
    fn events(rows: &[(Option<i64>, Option<i64>, &str)]) -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new(USER, DataType::Int64, true),
            Field::new(DEVICE, DataType::Int64, true),
            Field::new(PROPERTIES, DataType::Utf8, false),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.2)).collect::<StringArray>()),
        ];
        RecordBatch::try_new(Arc::new(schema), columns).unwrap()
    }

    /// User 1 with device 101.
    fn erased() -> Erased {
        [1, 101].into_iter().collect()
    }

    #[test]
    fn events_of_the_erased_and_of_their_devices_go_and_those_of_others_stay_without_the_device() {
        let all = events(&[
            (Some(1), None, "{}"),
            (Some(1), Some(102), "{}"),
            (None, Some(101), "{}"),
            (Some(2), Some(101), "{}"),
            (None, Some(102), "{}"),
        ]);
        let left = erased().leave_out_of_events(&all).unwrap();
        assert_eq!(left.rows, events(&[(Some(2), None, "{}"), (None, Some(102), "{}")]));
        assert_eq!((left.gone(), left.changed, left.shared), (3, 1, 1));
    }

    #[test]
    fn a_mention_is_nobody_wherever_it_stands_and_other_numbers_stay() {
        let told = r#"{"by_user_id":1,"peer_user_id":[1,2],"plan":{"of_user_id":1,"price":1},"price":1}"#;
        let left = erased().leave_out_of_events(&events(&[(Some(2), None, told)])).unwrap();
        let expected = r#"{"by_user_id":null,"peer_user_id":[null,2],"plan":{"of_user_id":null,"price":1},"price":1}"#;
        assert_eq!(left.rows, events(&[(Some(2), None, expected)]));
        assert_eq!((left.gone(), left.changed, left.shared), (0, 1, 0));
    }

    #[test]
    fn events_without_a_mention_are_kept_to_the_byte() {
        let told = [r#"{"user_id": 2 }"#, r#"{"user_id":"#, r#"{"a" : 1.50}"#].map(|text| (Some(2), None, text));
        let left = erased().leave_out_of_events(&events(&told)).unwrap();
        assert_eq!((left.rows, left.changed), (events(&told), 0));
    }

    #[test]
    fn a_row_of_two_goes_with_either_of_them() {
        let pairs = |rows: &[(i64, i64)]| {
            let schema = ["user_a", "user_b"].map(|name| Field::new(name, DataType::Int64, false));
            let (left, right): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(left)), Arc::new(Int64Array::from(right))];
            RecordBatch::try_new(Arc::new(Schema::new(schema.to_vec())), columns).unwrap()
        };
        let left = erased()
            .leave_out(&pairs(&[(1, 2), (2, 1), (2, 3)]), &["user_a", "user_b"])
            .unwrap();
        assert_eq!((left.gone(), &left.rows), (2, &pairs(&[(2, 3)])));
        let error = erased().leave_out(&pairs(&[]), &["user_key"]).unwrap_err();
        assert!(error.to_string().contains("user_key"), "{error}");
    }
}
