//! How the cost of a run grows: with the rows of its day, with the history before it, with the hour that it is for.
//!
//! `bench-growth [--volume ROWS] [--days DAYS] [PART…]` fills sources of so many rows a day (2,000; for the memory, 100
//! times as many), every day like the next, and lets the release binary run on them, at the end of a history of DAYS
//! (400) for one. The parts are `days`, `memory`, `hours` and `demo`; all of them by default.

mod calendar;
mod days;
mod demo;
mod hours;
mod memory;
mod platform;
mod process;
mod sources;
mod touched;

use std::env;

use anyhow::{Context, bail, ensure};
use calendar::Calendar;
use kindred_benches::figures::{Figure, publish};

/// Rows a day, of all facts together.
const VOLUME: u64 = 2_000;
/// Days of the long history.
const DAYS: u64 = 400;
/// Times as many rows have the days whose memory is measured, the smaller ones.
const LARGE: u64 = 100;
const USERS: u64 = 5_000;
const PARTS: [&str; 4] = ["days", "memory", "hours", "demo"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (mut volume, mut days, mut parts) = (VOLUME, DAYS, Vec::new());
    let mut arguments = env::args().skip(1);
    while let Some(word) = arguments.next() {
        let mut number = || arguments.next()?.parse().ok();
        match word.as_str() {
            "--volume" => volume = number().context("--volume ROWS")?,
            "--days" => days = number().context("--days DAYS")?,
            part if PARTS.contains(&part) => parts.push(part.to_owned()),
            _ => bail!("usage: bench-growth [--volume ROWS] [--days DAYS] [days] [memory] [hours] [demo]"),
        }
    }
    if parts.is_empty() {
        parts = PARTS.map(str::to_owned).to_vec();
    }
    let calendar = Calendar::now().await?;
    let mut failures = Vec::new();
    for part in &parts {
        let measured = match part.as_str() {
            "days" => days::measure(&calendar, days, USERS, volume)
                .await
                .map(|figure| vec![figure]),
            "memory" => memory::measure(&calendar, USERS, volume * LARGE).await.map(Vec::from),
            "hours" => hours::measure(&calendar, volume).await.map(Vec::from),
            _ => demo::measure().map(|figure| vec![figure]),
        };
        // Minutes of the other parts are not lost with one that the machine was not quiet enough for.
        let figures = measured.unwrap_or_else(|error| {
            let why = format!("{error:#}");
            failures.push(format!("{part}: {why}"));
            vec![Figure::not_measured(part, why)]
        });
        publish(&format!("growth-{part}"), &figures)?;
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
