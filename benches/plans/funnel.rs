//! A funnel of five steps over all events: followed as the product follows it, against joins of each step with the
//! next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use kindred_benches::figures::{Figure, Limit};
use kindred_benches::rounds::rounds;
use kindred_engine::{Params, Rows, Value};

use crate::compare::expect_same;
use crate::peer::{Peer, statement};
use crate::subject::{Subject, all_days};

const TIMES_AT_LEAST: f64 = 5.0;

/// Events, one a step. The peer's statement names them too.
const STEPS: [&str; 5] = ["app_open", "profile_view", "swipe", "message_send", "subscription_view"];

const WINDOW_SECONDS: i64 = 14 * 86_400;

/// Entry dates that one plan follows, as in a job.
const DAYS_PER_PLAN: u64 = 31;

/// Measures how many times faster its rows are there.
pub(crate) async fn measure(subject: &Subject, peer: &mut Peer) -> anyhow::Result<Figure> {
    let params = parameters(subject.of_days(all_days()));
    let sql = statement("funnel/conversion_funnels", &params)?;
    let (ours, _) = follow(subject, &params).await?;
    expect_same("the funnel", &ours.batches, &peer.rows(&sql)?.0)?;

    let round = rounds(
        "funnel",
        1,
        async || peer.time(&sql),
        async || Ok(follow(subject, &params).await?.1),
    )
    .await?;
    let (ours, theirs) = (round.product.as_secs_f64(), round.floor.as_secs_f64());
    Ok(Figure {
        what: format!("rate of a funnel of {} steps", STEPS.len()),
        against: "self-joins over events, DuckDB, which has no first moments at hand".to_owned(),
        value: round.rate(),
        unit: "times".to_owned(),
        limit: Limit::AtLeast(TIMES_AT_LEAST),
        seen: format!("{ours:.2} s against {theirs:.2} s"),
    })
}

/// People first, some entry dates at a time, then the rows of all dates.
async fn follow(subject: &Subject, params: &Params) -> anyhow::Result<(Rows, Duration)> {
    let began = Instant::now();
    let mut people: Option<Rows> = None;
    for window in all_days().chunks(DAYS_PER_PLAN) {
        let params = params.clone().and(parameters(subject.of_days(window)));
        let (rows, _) = subject.answer("funnel/funnel_people", &params).await?;
        match &mut people {
            Some(people) => people.batches.extend(rows.batches),
            None => people = Some(rows),
        }
    }
    if let Some(people) = &people {
        subject.session().register_rows("funnel_people", people)?;
    }
    let (rows, _) = subject.answer("funnel/conversion_funnels", params).await?;
    Ok((rows, began.elapsed()))
}

/// Those that say which funnel it is, beside others.
pub(crate) fn parameters(params: Params) -> Params {
    let text = |text: &str| Value::Text(text.to_owned());
    params
        .with("funnel_name", text("shop_window"))
        .with("facts", text(""))
        .with("step_count", Value::Integer(5))
        .with("window_seconds", Value::Integer(WINDOW_SECONDS))
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
