//! The answer of a check, as verdicts.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use kindred_engine::Rows;
use kindred_warehouse::{AlertType, CheckKey, Outcome, Severity, Verdict};
use serde_json::Value;

/// Reads the rows of a check: `check`, `alert_type`, `table_name`, `column_name`, `dimension`, `bucket`, `verdict`
/// (passed, violated or insufficient_history), `severity`, `message`, `threshold` and `actual`. Says what is wrong with a
/// row that is none.
pub(super) fn read(rows: &Rows) -> Result<Vec<Verdict>, String> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for batch in &rows.batches {
        let columns = Columns::of(batch)?;
        for row in 0..batch.num_rows() {
            verdicts.push(columns.verdict(row)?);
        }
    }
    Ok(verdicts)
}

struct Columns {
    texts: [StringArray; 9],
    threshold: Float64Array,
    actual: Float64Array,
}

const TEXTS: [&str; 9] = [
    "check",
    "alert_type",
    "table_name",
    "column_name",
    "dimension",
    "bucket",
    "verdict",
    "severity",
    "message",
];

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        let column = |name: &str, wanted: &DataType| -> Result<ArrayRef, String> {
            let found = batch
                .column_by_name(name)
                .ok_or_else(|| format!("there is no column {name}"))?;
            cast(found, wanted).map_err(|error| format!("{name}: {error}"))
        };
        let mut texts = Vec::with_capacity(TEXTS.len());
        for name in TEXTS {
            texts.push(column(name, &DataType::Utf8)?.as_string::<i32>().clone());
        }
        let number = |name| column(name, &DataType::Float64).map(|found| found.as_primitive::<Float64Type>().clone());
        Ok(Self {
            texts: texts.try_into().expect("as many as there are names"),
            threshold: number("threshold")?,
            actual: number("actual")?,
        })
    }

    fn verdict(&self, row: usize) -> Result<Verdict, String> {
        let [
            check,
            alert_type,
            table,
            column,
            dimension,
            bucket,
            verdict,
            severity,
            message,
        ] = self
            .texts
            .each_ref()
            .map(|texts| texts.is_valid(row).then(|| texts.value(row).to_owned()));
        let named = |name: &str, value: Option<String>| value.ok_or_else(|| format!("{name} is null"));
        let number = |numbers: &Float64Array| numbers.is_valid(row).then(|| numbers.value(row));
        let alert_type = named("alert_type", alert_type)?;
        let outcome = match named("verdict", verdict)?.as_str() {
            "passed" => Outcome::Passed,
            "insufficient_history" => Outcome::Insufficient,
            "violated" => Outcome::Violated {
                severity: named("severity", severity)?.parse::<Severity>()?,
                message: named("message", message)?,
                threshold: number(&self.threshold),
                actual: number(&self.actual),
                details: Value::Null,
            },
            other => return Err(format!("`{other}` is no verdict")),
        };
        Ok(Verdict {
            key: CheckKey {
                alert_type: AlertType::named(&alert_type)
                    .ok_or_else(|| format!("`{alert_type}` is no type of alert"))?,
                table: named("table_name", table)?,
                column,
                check: named("check", check)?,
                dimension,
            },
            bucket: named("bucket", bucket)?,
            outcome,
        })
    }
}
