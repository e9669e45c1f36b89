//! The funnel cases, through the function `funnel` in SQL: those that ask for nothing but steps, a window and an order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use futures::TryStreamExt;
use kindred_engine::{Engine, EngineOptions, Rows};
use kindred_lake::Lake;
use serde::Deserialize;
use serde_json::Value;

use super::expected::{Expected, Period};

/// What the function does not know, and the cases that ask for it.
const UNSUPPORTED: [(&str, &[&str]); 2] = [
    (
        "an event between two steps that ends the attempt",
        &[
            "posthog-funnel-000",
            "posthog-funnel-001",
            "posthog-funnel-002",
            "posthog-funnel-003",
            "posthog-funnel-004",
            "posthog-funnel-005",
            "posthog-funnel-006",
            "posthog-funnel-007",
            "posthog-funnel-016",
            "posthog-funnel-017",
            "posthog-funnel-018",
        ],
    ),
    (
        "steps in any order",
        &[
            "posthog-funnel_by_entry_period-055",
            "posthog-funnel_time_to_convert-067",
        ],
    ),
];

#[derive(Deserialize)]
struct Case {
    id: String,
    kind: String,
    settings: Settings,
    events: Vec<Event>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Settings {
    order: String,
    steps: Vec<Step>,
    window_seconds: i64,
    date_from: Option<DateTime<Utc>>,
    date_to: Option<DateTime<Utc>>,
    #[serde(default)]
    exclusions: Vec<Value>,
    interval: Option<String>,
    #[serde(default)]
    from_step: usize,
    #[serde(default)]
    to_step: usize,
}

#[derive(Deserialize)]
struct Step {
    any_of: Vec<String>,
}

#[derive(Deserialize)]
struct Event {
    user: String,
    event: String,
    at: DateTime<Utc>,
}

/// How far a person came, from entries of one period.
pub(super) struct Walk {
    pub(super) person: String,
    pub(super) period: NaiveDate,
    pub(super) reached: usize,
    /// Seconds from each step to the next: mean and median over the person's attempts.
    pub(super) seconds: Vec<Option<(f64, f64)>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_funnel_answers_what_peers_assert() {
    let file: Value = serde_json::from_str(include_str!("../fixtures/peer_cases.json")).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let cases = cases.filter(|case| case["kind"].as_str().unwrap().starts_with("funnel"));
    let cases: Vec<Case> = cases
        .map(|case| serde_json::from_value(case.clone()).unwrap())
        .collect();
    let (supported, other): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.is_supported());

    let other: BTreeSet<_> = other.iter().map(|case| case.id.as_str()).collect();
    let named = UNSUPPORTED.iter().flat_map(|(_, ids)| ids.iter().copied());
    assert_eq!(other, named.collect(), "the list of what is not supported is not true");

    let mut wrong = Vec::new();
    for case in &supported {
        let differences = case.differences(&case.walks().await);
        wrong.extend(differences.into_iter().map(|line| format!("{}: {line}", case.id)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(supported.len(), 57);
}

impl Case {
    fn is_supported(&self) -> bool {
        self.settings.exclusions.is_empty() && ["ordered", "strict"].contains(&self.settings.order.as_str())
    }

    /// What is not as expected.
    fn differences(&self, walks: &[Walk]) -> Vec<String> {
        let Settings { from_step, to_step, .. } = self.settings;
        let expected = &self.expected;
        match self.kind.as_str() {
            "funnel" => expected.counts(walks),
            "funnel_by_entry_period" => {
                expected.periods(walks, from_step, to_step, |period| self.settings.period(period))
            }
            "funnel_time_to_convert" => expected.times(walks, from_step..to_step),
            other => vec![format!("{other} is no kind of case")],
        }
    }

    /// How far each person came from each period in which they have a first step; other cases have one period.
    async fn walks(&self) -> Vec<Walk> {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap(), []).unwrap();
        let engine = Engine::new(EngineOptions {
            memory_limit: 64 << 20,
            spill_folder: folder.path().join("spill"),
            deadline: Duration::from_secs(60),
            target_partitions: 2,
        });
        let session = engine.unwrap().session(&lake, lake.snapshot([]).await.unwrap());
        session.register_rows("moments", &self.moments()).unwrap();
        let Settings {
            order,
            window_seconds,
            steps,
            interval,
            ..
        } = &self.settings;
        let count = steps.len();
        let period = match interval {
            Some(interval) => format!("cast(date_trunc('{interval}', at) as date)"),
            None => "date '1970-01-01'".to_owned(),
        };
        // Begun in the period: later moments of the first step begin no attempt of it, but may be between others.
        let sql = format!(
            "with moments as (select *, {period} as period from moments),
            entries as (select distinct person, period from moments where steps & 1 = 1),
            walks as (
                select e.person, e.period, funnel(
                    m.at, case when m.period = e.period then m.steps else m.steps & -2 end,
                    {count}, {window_seconds}, 'any', '{order}'
                ) as walk
                from entries e join moments m on m.person = e.person and m.period >= e.period
                group by e.person, e.period
            )
            select person, period, walk['reached'], walk['avg_seconds'], walk['median_seconds'] from walks"
        );
        let rows: Vec<_> = session.sql(&sql).await.unwrap().try_collect().await.unwrap();
        rows.iter().flat_map(read).collect()
    }

    /// The events within the dates of the case, with the steps that each may fill.
    fn moments(&self) -> Rows {
        let Settings { date_from, date_to, .. } = &self.settings;
        let counts =
            |event: &&Event| date_from.is_none_or(|from| event.at >= from) && date_to.is_none_or(|to| event.at <= to);
        let events: Vec<_> = self.events.iter().filter(counts).collect();
        let steps = |event: &Event| {
            let steps = self.settings.steps.iter().enumerate();
            let fills = steps.filter(|(_, step)| step.any_of.contains(&event.event));
            fills.fold(0, |mask, (index, _)| mask | 1 << index)
        };
        let at = events.iter().map(|event| event.at.timestamp_micros());
        let columns: Vec<(_, ArrayRef)> = vec![
            (
                "person",
                Arc::new(StringArray::from_iter_values(events.iter().map(|event| &event.user))),
            ),
            (
                "at",
                Arc::new(TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC")),
            ),
            (
                "steps",
                Arc::new(Int64Array::from_iter_values(events.iter().map(|event| steps(event)))),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        Rows {
            schema: batch.schema(),
            batches: vec![batch],
        }
    }
}

impl Settings {
    /// The first day of a period, counted from the one of `date_from`.
    fn period(&self, period: &Period) -> NaiveDate {
        let first = self.date_from.unwrap().date_naive();
        match self.interval.as_deref() {
            Some("day") => first + Days::new(period.index.into()),
            Some("month") => first.with_day(1).unwrap() + Months::new(period.index),
            other => panic!("{other:?} is no interval"),
        }
    }
}

fn read(rows: &RecordBatch) -> Vec<Walk> {
    let seconds = |column: usize, row: usize| -> Vec<Option<f64>> {
        let list = rows.column(column).as_list::<i32>().value(row);
        list.as_primitive::<Float64Type>().iter().collect()
    };
    let walk = |row| Walk {
        person: rows.column(0).as_string::<i32>().value(row).to_owned(),
        period: rows.column(1).as_primitive::<Date32Type>().value_as_date(row).unwrap(),
        reached: rows
            .column(2)
            .as_primitive::<Int64Type>()
            .value(row)
            .try_into()
            .unwrap(),
        seconds: std::iter::zip(seconds(3, row), seconds(4, row))
            .map(|(mean, median)| mean.zip(median))
            .collect(),
    };
    (0..rows.num_rows()).map(walk).collect()
}
