//! Each plan against its peer: how much longer or shorter it takes.

use std::time::Duration;

use anyhow::{Context, ensure};
use kindred_benches::figures::{Figure, Limit};
use kindred_benches::rounds::{NotQuiet, Round, rounds};
use kindred_engine::Params;

use crate::compare::expect_same;
use crate::funnel;
use crate::lake::DAYS;
use crate::peer::{Peer, statement};
use crate::subject::{Subject, last_days};

const MEAN_AT_MOST: f64 = 0.9;
const WORST_AT_MOST: f64 = 1.3;

/// Rounds of a plan that count.
const ROUNDS: usize = 3;

/// What is measured of both takes at least about so long, else a plan is run several times for it.
const LONG_ENOUGH: Duration = Duration::from_millis(400);
const RUNS_AT_MOST: u32 = 8;

/// The plans that read sessions, messages and events, or the state that is made of them, and over how many of the
/// last days: those of a quarter's backfill where a plan answers a row a day, of a week or a day where it answers a
/// row an event.
const PLANS: &[(&str, u64)] = &[
    ("kpi/daily_sessions", 90),
    ("kpi/daily_messages", 90),
    ("kpi/daily_active_users", 90),
    ("kpi/daily_retention", 90),
    ("kpi/lifecycle_daily", 90),
    ("kpi/segment_kpi_daily", 30),
    ("kpi/active_user_buckets", 30),
    ("retention/retention_cohorts", 90),
    ("sessions/session_exits_daily", 90),
    ("sessions/session_windows", 1),
    ("sessions/hourly_metrics", 7),
    ("sessions/session_analytics", 1),
    ("state/active_days", 7),
    ("state/event_counts", 7),
    ("behavior/behavior_rollups", 1),
    ("behavior/user_behavior_events", 1),
];

/// Measures all of them.
pub(crate) async fn measure(subject: &Subject, peer: &mut Peer) -> anyhow::Result<Vec<Figure>> {
    let (mut measured, mut missing) = (Vec::new(), Vec::new());
    for (query, days) in PLANS {
        match one(query, *days, ROUNDS, subject, peer).await {
            Ok(round) => measured.push((*query, round)),
            // Minutes of the other plans are not lost with it.
            Err(error) if error.is::<NotQuiet>() => {
                println!("{error}");
                missing.push(Figure::not_measured(query, error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    println!("\n{:<34} {:>9} {:>9} {:>6}", "plan", "ours s", "DuckDB s", "ratio");
    for (query, round) in &measured {
        let (ours, theirs) = (round.product.as_secs_f64(), round.floor.as_secs_f64());
        println!("{query:<34} {ours:>9.3} {theirs:>9.3} {:>6.2}", round.time());
    }
    ensure!(
        !measured.is_empty(),
        "no plan was measured: the machine is not quiet enough"
    );
    let mut figures = figures(&measured);
    figures.extend(missing);
    Ok(figures)
}

/// Measures one of them, for whoever works on it.
pub(crate) async fn alone(name: &str, subject: &Subject, peer: &mut Peer) -> anyhow::Result<()> {
    let (query, days) = PLANS.iter().find(|(query, _)| *query == name).context("no such plan")?;
    one(query, *days, 1, subject, peer).await.map(drop)
}

/// The parameters of a query: a plan's, the open dates of the funnel, or those of all days.
pub(crate) fn parameters(name: &str, subject: &Subject) -> Params {
    let days = PLANS.iter().find(|(query, _)| *query == name);
    match name {
        "funnel/funnel_people" => funnel::parameters(subject.of_days(funnel::open_days())),
        _ => subject.of_days(last_days(days.map_or(DAYS, |(_, days)| *days))),
    }
}

/// Compares the answers, which also warms the cache of both, then measures.
async fn one(query: &str, days: u64, count: usize, subject: &Subject, peer: &mut Peer) -> anyhow::Result<Round> {
    let params = subject.of_days(last_days(days));
    let sql = statement(query, &params)?;
    let (ours, _) = subject.answer(query, &params).await?;
    expect_same(query, &ours.batches, &peer.rows(&sql)?.0)?;
    drop(ours);
    let runs = runs_of(peer.time(&sql)?);
    let round = rounds(
        query,
        count,
        async || (0..runs).map(|_| peer.time(&sql)).sum(),
        async || {
            let mut took = Duration::ZERO;
            for _ in 0..runs {
                took += subject.answer(query, &params).await?.1;
            }
            Ok(took)
        },
    )
    .await?;
    Ok(Round {
        floor: round.floor / runs,
        product: round.product / runs,
    })
}

/// How many runs of a plan are long enough.
fn runs_of(once: Duration) -> u32 {
    (1..RUNS_AT_MOST)
        .find(|runs| once * *runs >= LONG_ENOUGH)
        .unwrap_or(RUNS_AT_MOST)
}

fn figures(measured: &[(&str, Round)]) -> Vec<Figure> {
    let mut sorted: Vec<_> = measured.iter().map(|(query, round)| (round.time(), *query)).collect();
    sorted.sort_by(|one, other| other.0.total_cmp(&one.0));
    let listed: Vec<_> = sorted
        .iter()
        .map(|(time, query)| format!("{query} {time:.2}"))
        .collect();
    let figure = |what: &str, value, most| Figure {
        what: what.to_owned(),
        against: "DuckDB on the same Parquet, 2 threads".to_owned(),
        value,
        unit: "times".to_owned(),
        limit: Limit::AtMost(most),
        seen: listed.join(", "),
    };
    let worst = sorted.first().map_or(0.0, |(time, _)| *time);
    vec![
        figure("time of a plan, geometric mean", geometric_mean(&sorted), MEAN_AT_MOST),
        Figure {
            seen: listed.first().cloned().unwrap_or_default(),
            ..figure("time of a plan, worst", worst, WORST_AT_MOST)
        },
    ]
}

#[allow(clippy::cast_precision_loss, reason = "few plans")]
fn geometric_mean(times: &[(f64, &str)]) -> f64 {
    let logarithms: f64 = times.iter().map(|(time, _)| time.ln()).sum();
    (logarithms / times.len() as f64).exp()
}
