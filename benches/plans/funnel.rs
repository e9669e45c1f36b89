//! A funnel of five steps over all events, as a run answers it, against joins of each step with the next.
//!
//! A person enters once, and how far they came is settled when their window has passed: a run follows the entry dates
//! whose window is open, and the rows of the others stand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use kindred_benches::figures::{Figure, Limit};
use kindred_benches::rounds::rounds;
use kindred_engine::{Params, Rows, Value};
use kindred_lake::{Dataset, FileStamp, Snapshot, StagedPartition, split_by_partition};
use kindred_model::DayWindow;
use uuid::Uuid;

use crate::compare::expect_same;
use crate::lake::recast;
use crate::peer::{Peer, statement};
use crate::subject::{Subject, all_days, last_days};

const TIMES_AT_LEAST: f64 = 5.0;

/// Events, one a step. The peer's statement names them too.
const STEPS: [&str; 5] = ["app_open", "profile_view", "swipe", "message_send", "subscription_view"];

const WINDOW_DAYS: u64 = 14;
const SECONDS_PER_DAY: i64 = 86_400;

/// Entry dates that one plan follows, as in a job.
const DAYS_PER_PLAN: u64 = 31;

const PEOPLE: &str = "funnel_people";

/// Measures how many times faster its rows are there.
pub(crate) async fn measure(subject: &Subject, peer: &mut Peer) -> anyhow::Result<Figure> {
    let sql = statement("funnel/conversion_funnels", &parameters(subject.of_days(all_days())))?;
    let theirs = peer.rows(&sql)?.0;
    let (anew, of_anew) = answer(subject, all_days()).await?;
    expect_same("the funnel, all dates anew", &anew.batches, &theirs)?;

    let open = open_days();
    let settled = DayWindow::new(all_days().from(), open.from()).context("more days than a window has")?;
    let (mut rows, _) = answer(subject, settled).await?;
    rows.batches.extend(answer(subject, open).await?.0.batches);
    expect_same("the funnel", &rows.batches, &theirs)?;
    let round = rounds(
        "funnel",
        1,
        async || peer.time(&sql),
        async || Ok(answer(subject, open).await?.1),
    )
    .await?;
    let (ours, theirs) = (round.product.as_secs_f64(), round.floor.as_secs_f64());
    Ok(Figure {
        what: format!("rate of a funnel of {} steps, as a run answers it", STEPS.len()),
        against: "self-joins over all events, DuckDB, which has no rows of settled dates at hand".to_owned(),
        value: round.rate(),
        unit: "times".to_owned(),
        limit: Limit::AtLeast(TIMES_AT_LEAST),
        seen: format!(
            "{ours:.2} s against {theirs:.2} s; all dates followed anew: {:.2} s",
            of_anew.as_secs_f64()
        ),
    })
}

/// The entry dates that what happened on the lake's last day may take further.
pub(crate) fn open_days() -> DayWindow {
    last_days(WINDOW_DAYS + 1)
}

/// The rows of these entry dates, by way of the people who entered on them.
async fn answer(subject: &Subject, window: DayWindow) -> anyhow::Result<(Rows, Duration)> {
    let (run, began) = (Uuid::new_v4(), Instant::now());
    let people = follow(subject, window, run).await?;
    let (snapshot, dataset) = (Snapshot::of(&people), Dataset::state(PEOPLE));
    let files = snapshot.files(&dataset);
    subject
        .session()
        .register_partitions(PEOPLE, &dataset, files, &schema())?;
    // As of the lake's end, whatever dates are asked for: which of them are settled hangs on it.
    let as_of = Value::Instant(Some(all_days().end()));
    let params = parameters(subject.of_days(window).with("as_of", as_of));
    let (rows, _) = subject.answer("funnel/conversion_funnels", &params).await?;
    let took = began.elapsed();
    subject.lake().discard(run).await?;
    Ok((rows, took))
}

/// Files of the people who entered on these dates, as a run writes them.
async fn follow(subject: &Subject, window: DayWindow, run: Uuid) -> anyhow::Result<Vec<StagedPartition>> {
    let dataset = Dataset::state(PEOPLE);
    let sort = &["funnel_name", "person"];
    let lake = subject.lake();
    let mut stage = lake.stage(dataset.clone(), schema(), sort, run, FileStamp::default());
    for window in window.chunks(DAYS_PER_PLAN) {
        let params = parameters(subject.of_days(window));
        let (rows, _) = subject.answer("funnel/funnel_people", &params).await?;
        for batch in &rows.batches {
            for (partition, part) in split_by_partition(&dataset, batch, "date")? {
                stage.write(partition, recast(&part, &schema())?).await?;
            }
        }
    }
    Ok(stage.finish().await?)
}

/// The columns of its files.
fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("funnel_name", DataType::Utf8, false),
        Field::new("person", DataType::Int64, false),
        Field::new("reached", DataType::Int32, false),
        Field::new("seconds", DataType::new_list(DataType::Float64, true), true),
    ]))
}

/// Those that say which funnel it is, beside others.
pub(crate) fn parameters(params: Params) -> Params {
    let text = |text: &str| Value::Text(text.to_owned());
    params
        .with("funnel_name", text("shop_window"))
        .with("facts", text(""))
        .with("entry_kinds", Value::Texts(vec![format!("event:{}", STEPS[0])]))
        .with("step_count", Value::Integer(5))
        .with("followed_steps", Value::Integer(!1))
        .with(
            "window_seconds",
            Value::Integer(WINDOW_DAYS.cast_signed() * SECONDS_PER_DAY),
        )
        .with("entry", text("first"))
        .with("order", text("ordered"))
}

/// The table of the funnel's steps.
pub(crate) fn steps() -> anyhow::Result<Rows> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("step_order", DataType::Int64, false),
        Field::new("funnel_step", DataType::Utf8, false),
        Field::new("kind", DataType::Utf8, false),
    ]));
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(Int64Array::from_iter_values((1..).take(STEPS.len()))),
            Arc::new(StringArray::from_iter_values(STEPS)),
            Arc::new(StringArray::from_iter_values(STEPS.map(|step| format!("event:{step}")))),
        ],
    )?;
    Ok(Rows {
        schema,
        batches: vec![batch],
    })
}
