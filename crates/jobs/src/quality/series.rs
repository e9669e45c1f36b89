//! What was published, held against what was there before.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use chrono::{Datelike, Days, NaiveDate};
use kindred_engine::{Params, Rows, Value};
use kindred_lake::Dataset;
use kindred_model::{DayWindow, Fact, Interval, Job, day_start};
use kindred_warehouse::{DAILY_KPI_SUMMARIES, HOURLY_METRICS, REVENUE_METRICS, SummaryTable, Verdict};

use super::facts::judge;
use crate::Platform;
use crate::error::JobError;
use crate::steps::datasets::{self, summary_schema};

/// The longest history that a series needs: eight weeks, and some that may be missing.
const HISTORY_DAYS: u64 = 112;

/// Buckets that are older are not judged: nobody can act on them any more.
const JUDGED_DAYS: u64 = 7;

/// Judges what a run of the job has published in the closed buckets of what it was asked for.
pub(crate) async fn series(platform: &Platform, job: Job, asked: Interval) -> Result<Vec<Verdict>, JobError> {
    let now = platform.clock.now();
    let oldest = day_start(now.date_naive() - Days::new(JUDGED_DAYS));
    let (query, tables): (_, &[&SummaryTable]) = match job {
        Job::Daily => ("quality/daily_series", &[&DAILY_KPI_SUMMARIES, &REVENUE_METRICS]),
        Job::Hourly => ("quality/hourly_series", &[&HOURLY_METRICS]),
        Job::Weekly | Job::Sessions => return Ok(Vec::new()),
    };
    let (from, to) = (asked.start().max(oldest), asked.end().min(now));
    if from >= to {
        return Ok(Vec::new());
    }
    let kpi = |table: &&SummaryTable| Dataset::kpi(table.name);
    let snapshot = platform.lake.snapshot(tables.iter().map(kpi)).await?;
    let session = platform.engine.session(&platform.lake, snapshot);
    for table in tables {
        session.register_dataset(table.name, &kpi(table), &summary_schema(table))?;
    }
    // Only closed days are judged, and days that are partial are no values: today is left out by both.
    let params = match job {
        Job::Daily => Params::default()
            .with("from", Value::Day(from.date_naive()))
            .with("to", Value::Day(to.date_naive())),
        _ => Params::default()
            .with("from", Value::Instant(Some(from)))
            .with("to", Value::Instant(Some(to))),
    };
    let mut rows = session.query(platform.queries.get(query)?, &params).await?;
    session.register_rows("series", &rows)?;
    let mut verdicts = judge(platform, &session, "quality/series_scores", &Params::default()).await?;
    if job == Job::Daily
        && let Ok(days) = DayWindow::new(from.date_naive(), to.date_naive())
    {
        let since = days.from() - Days::new(HISTORY_DAYS);
        let facts: Vec<_> = Fact::ALL
            .iter()
            .map(|fact| datasets::facts(*fact).to_string())
            .collect();
        let counted = platform.warehouse.rows_by_day(&facts, since).await?;
        rows = fact_rows(&counted, since, days).map_err(|error| JobError::Shape {
            query: query.to_owned(),
            table: "data_quality_alerts",
            problem: error.to_string(),
        })?;
        session.register_rows("series", &rows)?;
        verdicts.extend(judge(platform, &session, "quality/series_scores", &Params::default()).await?);
    }
    Ok(verdicts)
}

/// How many rows each fact has on each day from `since` to the end of `days`, as the series of no column; of `counted`,
/// a dataset's rows on a day.
fn fact_rows(counted: &[(String, NaiveDate, i64)], since: NaiveDate, days: DayWindow) -> Result<Rows, ArrowError> {
    let mut counts: BTreeMap<String, BTreeMap<NaiveDate, i64>> = BTreeMap::new();
    for (dataset, day, rows) in counted {
        let fact = Fact::ALL
            .iter()
            .find(|fact| datasets::facts(**fact).to_string() == *dataset);
        if let Some(fact) = fact {
            counts.entry(fact.to_string()).or_default().insert(*day, *rows);
        }
    }
    let (mut tables, mut buckets, mut slots, mut values, mut tested) = (vec![], vec![], vec![], vec![], vec![]);
    for (fact, counts) in &counts {
        let Some((first, _)) = counts.first_key_value() else {
            continue;
        };
        for day in since.max(*first).iter_days().take_while(|day| *day < days.to()) {
            tables.push(fact.as_str());
            buckets.push(day.to_string());
            slots.push(day.weekday().num_days_from_sunday().cast_signed());
            values.push(counts.get(&day).copied().unwrap_or_default() as f64);
            tested.push(days.from() <= day);
        }
    }
    let absent = || new_null_array(&DataType::Utf8, tables.len());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("table_name", Arc::new(StringArray::from(tables.clone()))),
        ("column_name", absent()),
        ("dimension", absent()),
        ("bucket", Arc::new(StringArray::from(buckets))),
        ("slot", Arc::new(Int32Array::from(slots))),
        ("value", Arc::new(Float64Array::from(values))),
        ("is_count", Arc::new(BooleanArray::from(vec![true; tables.len()]))),
        ("is_tested", Arc::new(BooleanArray::from(tested))),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?;
    Ok(Rows {
        schema: batch.schema(),
        batches: vec![batch],
    })
}
