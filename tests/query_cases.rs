//! Runs every case under `tests/queries/`: tables in, the answer of one query out, all as CSV in one file.
//!
//! `tests/queries/kpi/daily_sessions/negative_duration.case` is a case of `queries/kpi/daily_sessions.sql`:
//!
//! ```text
//! What the case shows, in a sentence.
//! [params]
//! from=2026-01-01
//! [user_sessions]
//! date:date,user_key:int,started_at:ts
//! 2026-01-01,1,2026-01-01T10:00:00Z
//! [expected]
//! date,total_sessions
//! 2026-01-01,1
//! ```
//!
//! Types are `int`, `double`, `text`, `bool`, `date`, `ts`, `money`, `mrr` (money with six decimals), `id`, and
//! `doubles` (a list with blanks between); an empty field is null. Tables with a `date` are written as Parquet
//! partitions and read back, but for the answers of other queries (`daily_…`). A column of [expected] written as
//! `granularity=weekly` keeps the rows with that value only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Schema, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use kindred_engine::{Params, Query, QueryLibrary, Rows, Value};
use kindred_warehouse::{SUMMARY_TABLES, USER_BEHAVIOR_EVENTS};

mod bench;
mod hours;
mod memory;
mod plans;
mod shares;
mod starts;
mod work;

use bench::{Bench, in_lake};

struct Case {
    file: PathBuf,
    params: Params,
    tables: BTreeMap<String, RecordBatch>,
    expected: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_answers_its_cases() {
    let mut failures = String::new();
    for query in library().iter() {
        let cases = cases_of(query);
        if cases.is_empty() {
            writeln!(
                failures,
                "queries/{}.sql has no case below tests/queries/\n",
                query.name
            )
            .unwrap();
        }
        for case in cases {
            let answer = Bench::new(&case).await.session.query(query, &case.params).await;
            let given = answer.map_or_else(
                |error| vec![format!("error: {}", chain(&error))],
                |rows| csv(&rows, &case.expected[0]),
            );
            if given != case.expected {
                let (file, given, expected) = (case.file.display(), given.join("\n"), case.expected.join("\n"));
                writeln!(failures, "{file}\nexpected:\n{expected}\ngiven:\n{given}\n").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_of_a_table_answers_its_columns_in_their_order() {
    let provenance = ["run_id", "computed_at"];
    let library = library();
    for table in SUMMARY_TABLES.iter().chain([&&USER_BEHAVIOR_EVENTS]) {
        let query = library.iter().find(|query| query.table() == table.name);
        let query = query.unwrap_or_else(|| panic!("no query answers the table {}", table.name));
        let case = cases_of(query).swap_remove(0);
        let answer = Bench::new(&case)
            .await
            .session
            .query(query, &case.params)
            .await
            .unwrap();
        let columns = table.columns.iter().map(|column| column.name);
        let columns: Vec<_> = columns.filter(|name| !provenance.contains(name)).collect();
        let given: Vec<_> = answer.schema.fields().iter().map(|field| field.name()).collect();
        assert_eq!(given, columns, "{}", query.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_of_events_are_named_by_a_day_and_an_hour_as_the_job_reads_them() {
    let library = library();
    for name in ["events/displaced_events", "events/hours_of_copies"] {
        let query = library.get(name).unwrap();
        for case in cases_of(query) {
            let answer = Bench::new(&case).await.session.query(query, &case.params).await;
            for batch in answer.unwrap().batches {
                assert_eq!(batch.column(0).data_type(), &DataType::Date32);
                assert_eq!(batch.column(1).data_type(), &DataType::Int32);
            }
        }
    }
}

#[test]
fn every_case_belongs_to_a_query() {
    let library = library();
    let areas = std::fs::read_dir(folder()).unwrap().map(|area| area.unwrap().path());
    for query_folder in areas
        .flat_map(|area| std::fs::read_dir(area).unwrap())
        .map(|entry| entry.unwrap().path())
    {
        let name = query_folder.strip_prefix(folder()).unwrap().to_str().unwrap();
        assert!(
            library.get(name).is_ok(),
            "{} holds cases of no query",
            query_folder.display()
        );
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("queries")
}

/// The queries as their files are now, so that an edited one is tested without building the engine again.
fn library() -> QueryLibrary {
    QueryLibrary::with_overrides(&folder().join("../../queries")).unwrap()
}

fn cases_of(query: &Query) -> Vec<Case> {
    let Ok(entries) = std::fs::read_dir(folder().join(&query.name)) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "case"));
    files.sort();
    files.iter().map(|file| read_case(file)).collect()
}

fn read_case(file: &Path) -> Case {
    let text = std::fs::read_to_string(file).unwrap();
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => sections.push((name.to_owned(), Vec::new())),
            None => match sections.last_mut() {
                Some((_, lines)) => lines.push(line.to_owned()),
                None => assert!(line.ends_with('.'), "{}: begins with a sentence", file.display()),
            },
        }
    }
    let mut case = Case {
        file: file.to_owned(),
        params: Params::default(),
        tables: BTreeMap::new(),
        expected: Vec::new(),
    };
    for (name, lines) in sections {
        match name.as_str() {
            "params" => {
                for line in lines {
                    let (name, value) = line.split_once('=').unwrap();
                    case.params = std::mem::take(&mut case.params).with(name, param(value));
                }
            }
            "expected" => case.expected = lines,
            _ => {
                let table = table(&lines).unwrap_or_else(|error| panic!("{} [{name}]: {error}", file.display()));
                case.tables.insert(name, table);
            }
        }
    }
    assert!(!case.expected.is_empty(), "{}: has no [expected]", file.display());
    case
}

/// A parameter by the look of its value: nothing, a day, an instant, a number, texts in brackets, or else a text.
fn param(value: &str) -> Value {
    if value.is_empty() {
        Value::Instant(None)
    } else if let Ok(day) = value.parse() {
        Value::Day(day)
    } else if let Ok(instant) = value.parse() {
        Value::Instant(Some(instant))
    } else if let Ok(number) = value.parse() {
        Value::Integer(number)
    } else if let Some(texts) = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')) {
        Value::Texts(texts.split(", ").map(str::to_owned).collect())
    } else {
        Value::Text(value.to_owned())
    }
}

fn table(lines: &[String]) -> Result<RecordBatch, String> {
    let header: Vec<(&str, &str)> = lines[0]
        .split(',')
        .map(|column| column.split_once(':').ok_or("a column has no type"))
        .collect::<Result<_, _>>()?;
    let rows: Vec<Vec<&str>> = lines[1..]
        .iter()
        .map(|line| line.split(',').map(str::trim).collect())
        .collect();
    if let Some(row) = rows.iter().find(|row| row.len() != header.len()) {
        return Err(format!("{row:?} has {} fields of {}", row.len(), header.len()));
    }
    let mut columns = Vec::new();
    for (index, (name, kind)) in header.iter().enumerate() {
        let values = rows
            .iter()
            .map(|row| Some(row[index]).filter(|value| !value.is_empty()))
            .collect();
        let array = column(kind, values).map_err(|error| format!("{name}: {error}"))?;
        columns.push((Field::new(*name, array.data_type().clone(), true), array));
    }
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| error.to_string())
}

fn column(kind: &str, values: Vec<Option<&str>>) -> Result<ArrayRef, String> {
    fn parsed<T: std::str::FromStr>(values: Vec<Option<&str>>) -> Result<Vec<Option<T>>, String> {
        let parse = |value: &str| value.parse().map_err(|_| format!("`{value}` is malformed"));
        values.into_iter().map(|value| value.map(parse).transpose()).collect()
    }
    Ok(match kind {
        "int" => Arc::new(Int64Array::from(parsed(values)?)),
        "double" => Arc::new(Float64Array::from(parsed(values)?)),
        "bool" => Arc::new(BooleanArray::from(parsed(values)?)),
        "text" => Arc::new(StringArray::from(values)),
        "date" => {
            let days = parsed::<NaiveDate>(values)?;
            Arc::new(
                days.into_iter()
                    .map(|day| day.map(Date32Type::from_naive_date))
                    .collect::<Date32Array>(),
            )
        }
        "ts" => {
            let instants = parsed::<chrono::DateTime<chrono::Utc>>(values)?;
            let micros = instants
                .into_iter()
                .map(|instant| instant.map(|instant| instant.timestamp_micros()));
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        "money" => Arc::new(decimals(parsed(values)?, 12, 2)?),
        "mrr" => Arc::new(decimals(parsed(values)?, 20, 6)?),
        "id" => {
            let ids = parsed::<u128>(values)?.into_iter().map(|id| id.map(u128::to_be_bytes));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(ids, 16).map_err(|e| e.to_string())?)
        }
        "doubles" => {
            let numbers = |list: &str| list.split(' ').map(|number| number.parse().ok()).collect();
            let lists = values.into_iter().map(|list| list.map(numbers));
            Arc::new(ListArray::from_iter_primitive::<Float64Type, Vec<_>, _>(lists))
        }
        other => return Err(format!("`{other}` is no type")),
    })
}

fn decimals(values: Vec<Option<f64>>, precision: u8, scale: i8) -> Result<Decimal128Array, String> {
    let units = values
        .into_iter()
        .map(|value| value.map(|value| (value * 10_f64.powi(scale.into())).round() as i128));
    let decimals = units
        .collect::<Decimal128Array>()
        .with_precision_and_scale(precision, scale);
    decimals.map_err(|error| error.to_string())
}

/// The rows as CSV, in the query's order, with the columns that the case names; `column=value` keeps its rows only.
fn csv(rows: &Rows, header: &str) -> Vec<String> {
    let options = FormatOptions::default().with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%SZ"));
    let mut lines = vec![header.to_owned()];
    let columns: Vec<_> = header
        .split(',')
        .map(|name| name.split_once('=').unwrap_or((name, "")))
        .collect();
    for batch in &rows.batches {
        let formatters: Vec<_> = columns
            .iter()
            .map(|(name, _)| {
                let column = batch
                    .column_by_name(name)
                    .unwrap_or_else(|| panic!("the answer has no column {name}"));
                ArrayFormatter::try_new(column.as_ref(), &options).unwrap()
            })
            .collect();
        for row in 0..batch.num_rows() {
            let fields: Vec<_> = formatters
                .iter()
                .map(|formatter| formatter.value(row).to_string())
                .collect();
            if columns
                .iter()
                .zip(&fields)
                .all(|((_, kept), field)| kept.is_empty() || kept == field)
            {
                lines.push(fields.join(","));
            }
        }
    }
    lines
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap();
        cause = error.source();
    }
    text
}

/// Keeps the list of types in the module's header true.
#[test]
fn types_of_the_case_format_are_those_of_the_facts() {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let kinds = [
        ("int", DataType::Int64),
        ("ts", timestamp),
        ("money", DataType::Decimal128(12, 2)),
    ];
    for (kind, data_type) in kinds {
        assert_eq!(column(kind, vec![None]).unwrap().data_type(), &data_type);
    }
}
