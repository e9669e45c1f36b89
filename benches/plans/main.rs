//! The plans of `queries/` against DuckDB: over the same Parquet files, on as many threads, with the same answers.
//!
//! `bench-plans [SCALE]` makes a lake of 90 days once, which at scale 1 has 20 million sessions, 20 million messages
//! and 50 million events, and keeps it as `bench/plans-lake-SCALE` below the target folder. Then it measures, each
//! against its peer: the plans that read much, the actives of rolling windows, and a funnel. `bench-plans SCALE NAME`
//! measures one plan alone, or `actives`, or `funnel`, and publishes nothing; `bench-plans SCALE NAME explain` prints
//! what a plan of ours does instead, and how long five runs of it took.
//!
//! An answer of a peer that differs from ours ends the benchmark.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]

mod actives;
mod compare;
mod explain;
mod funnel;
mod lake;
mod peer;
mod plans;
mod subject;

use std::env;

use anyhow::{Context, bail, ensure};
use kindred_benches::figures::publish;

use peer::Peer;
use subject::Subject;

/// As the product's binary has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The cores that both may use.
const THREADS: usize = 2;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (scale, only, is_explained) = match &arguments[..] {
        [] => ("1", None, false),
        [scale] => (scale.as_str(), None, false),
        [scale, name] => (scale.as_str(), Some(name.as_str()), false),
        [scale, name, word] if word == "explain" => (scale.as_str(), Some(name.as_str()), true),
        _ => bail!("usage: bench-plans [SCALE [NAME [explain]]]"),
    };
    let is_scale = scale.parse().is_ok_and(|scale: f64| scale > 0.0 && scale <= 1.0);
    ensure!(is_scale, "{scale} is no scale: above 0, 1 at most");

    let folder = lake::kept(scale).await.context("the lake cannot be made")?;
    let subject = Subject::open(&folder).await?;
    let mut peer = Peer::start(&folder)?;
    if let Some(name) = only {
        return alone(name, is_explained, &subject, &mut peer).await;
    }
    let mut figures = plans::measure(&subject, &mut peer).await?;
    figures.push(actives::measure(&subject, &mut peer).await?);
    figures.push(funnel::measure(&subject, &mut peer).await?);
    for figure in &mut figures {
        figure.what.push_str(&format!(", scale {scale}"));
    }
    publish("plans", &figures)
}

/// Measures one thing, for whoever works on it.
async fn alone(name: &str, is_explained: bool, subject: &Subject, peer: &mut Peer) -> anyhow::Result<()> {
    let figure = match name {
        _ if is_explained => {
            let parameters = plans::parameters(name, subject);
            println!("{}", subject.explained(name, &parameters).await?);
            for _ in 0..5 {
                let (_, took) = subject.answer(name, &parameters).await?;
                println!("{:.3} s", took.as_secs_f64());
            }
            return Ok(());
        }
        "actives" => actives::measure(subject, peer).await?,
        "funnel" => funnel::measure(subject, peer).await?,
        _ => return plans::alone(name, subject, peer).await,
    };
    println!("{}", figure.row());
    Ok(())
}
