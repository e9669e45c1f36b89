//! Rows split by their UTC day or hour.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{DatePart, cast, date_part, partition};
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use chrono::NaiveDate;

use crate::{Dataset, LakeError, Partition};

/// Splits a batch where the partition of `column`, a timestamp or a date, changes from one row to the next: its UTC day,
/// or its hour in a dataset that has hours. The parts share the batch's memory and keep its order, so that a partition
/// comes once when the rows are ordered by it.
///
/// # Errors
/// When the column is missing, of another type, or holds a null.
pub fn split_by_partition(
    dataset: &Dataset,
    batch: &RecordBatch,
    column: &str,
) -> Result<Vec<(Partition, RecordBatch)>, LakeError> {
    let no_day = || LakeError::NoDay {
        dataset: dataset.to_string(),
        column: column.to_owned(),
    };
    let arrange = |source| LakeError::Arrange {
        dataset: dataset.to_string(),
        source,
    };
    let values = batch.column_by_name(column).ok_or_else(no_day)?;
    if !matches!(values.data_type(), DataType::Timestamp(..) | DataType::Date32) || values.null_count() > 0 {
        return Err(no_day());
    }
    if batch.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let days = cast(values, &DataType::Date32).map_err(arrange)?;
    let mut keys = vec![days];
    if dataset.is_hourly() {
        keys.push(date_part(values, DatePart::Hour).map_err(arrange)?);
    }
    let ranges = partition(&keys).map_err(arrange)?.ranges();
    let parts = ranges.into_iter().map(|range| {
        let day = keys[0].as_primitive::<Date32Type>().value(range.start);
        let day = Date32Type::to_naive_date_opt(day).ok_or_else(no_day)?;
        let hour = keys
            .get(1)
            .map(|hours| hours.as_primitive::<Int32Type>().value(range.start));
        let hour = hour.map(u8::try_from).transpose().map_err(|_| no_day())?;
        Ok((Partition { day, hour }, batch.slice(range.start, range.len())))
    });
    parts.collect()
}

/// The same for a dataset of days.
///
/// # Errors
/// As for [`split_by_partition`].
pub fn split_by_day(
    dataset: &Dataset,
    batch: &RecordBatch,
    column: &str,
) -> Result<Vec<(NaiveDate, RecordBatch)>, LakeError> {
    let parts = split_by_partition(dataset, batch, column)?;
    Ok(parts
        .into_iter()
        .map(|(partition, rows)| (partition.day, rows))
        .collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::TimestampMicrosecondArray;

    use super::*;

    fn batch(instants: &[&str]) -> RecordBatch {
        let micros = instants.iter().map(|text| {
            text.parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
                .timestamp_micros()
        });
        let array = TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC");
        RecordBatch::try_from_iter([("at", Arc::new(array) as _)]).unwrap()
    }

    #[test]
    fn midnight_belongs_to_the_day_that_it_begins() {
        let batch = batch(&[
            "2026-01-01T23:59:59.999999Z",
            "2026-01-02T00:00:00Z",
            "2026-01-02T00:00:01Z",
        ]);
        let parts = split_by_day(&Dataset::facts("x"), &batch, "at").unwrap();
        let found: Vec<_> = parts
            .iter()
            .map(|(day, rows)| (day.to_string(), rows.num_rows()))
            .collect();
        assert_eq!(found, [("2026-01-01".to_owned(), 1), ("2026-01-02".to_owned(), 2)]);
    }

    #[test]
    fn a_dataset_of_hours_is_split_where_an_hour_begins() {
        let batch = batch(&["2026-01-01T06:59:59Z", "2026-01-01T07:00:00Z", "2026-01-02T07:00:00Z"]);
        let parts = split_by_partition(&Dataset::facts("x").by_hour(), &batch, "at").unwrap();
        let found: Vec<_> = parts.iter().map(|(partition, _)| partition.to_string()).collect();
        assert_eq!(
            found,
            [
                "date=2026-01-01/hour=06",
                "date=2026-01-01/hour=07",
                "date=2026-01-02/hour=07"
            ]
        );
    }

    #[test]
    fn instants_before_1970_fall_on_their_own_day() {
        let parts = split_by_day(&Dataset::facts("x"), &batch(&["1969-12-31T23:00:00Z"]), "at").unwrap();
        assert_eq!(parts[0].0.to_string(), "1969-12-31");
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = split_by_day(&Dataset::facts("x"), &batch(&[]), "created_at").unwrap_err();
        assert!(error.to_string().contains("created_at"), "{error}");
    }
}
