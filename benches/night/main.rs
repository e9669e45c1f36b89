//! A whole night, from the sources' rows to the warehouse's, against two others that compute the same tables: plain SQL
//! in PostgreSQL over the sources, with indexes in place, and a script of Polars and ConnectorX.
//!
//! `bench-night [USERS [ROUNDS]]` simulates so many people over 90 days (100,000), fills a warehouse and a lake up to
//! the evening before the last day, and then computes that day: `kindred run daily` in a process of its own, on copies
//! of warehouse and lake, and each of the others. What they answer is compared, cell by cell, before anything is timed.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]

mod answers;
mod dates;
mod evening;
mod plain;
mod product;
mod script;

use std::env;

use anyhow::{Context, bail};
use kindred_benches::figures::{Figure, Limit, publish};
use kindred_benches::rounds::{Round, rounds};
use kindred_benches::steps;

use evening::Evening;
use product::Night;

const USERS: u32 = 100_000;
const ROUNDS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (users, count) = match &arguments[..] {
        [] => (USERS, ROUNDS),
        [users] => (users.parse().context("the number of users")?, ROUNDS),
        [users, count] => (
            users.parse().context("the number of users")?,
            count.parse().context("the number of rounds")?,
        ),
        _ => bail!("usage: bench-night [USERS [ROUNDS]]"),
    };
    Box::pin(compare(users, count)).await
}

async fn compare(users: u32, count: usize) -> anyhow::Result<()> {
    let evening = Evening::prepare(users).await?;
    let night = Night::begin(&evening).await?;
    let took = night.run()?;
    let steps = steps::of_last_run(night.warehouse.pool()).await?;
    println!("a night: {:.2} s; {}", took.as_secs_f64(), steps::told(&steps));
    println!("plain SQL: {:.2} s", plain::run(&evening).await?.as_secs_f64());
    answers::check(&evening, &night, plain::SCHEMA, "plain SQL").await?;
    println!("Polars and ConnectorX: {:.2} s", script::run(&evening)?.as_secs_f64());
    script::load(&evening).await?;
    answers::check(&evening, &night, script::SCHEMA, "the script").await?;
    drop(night);

    let product = async || Night::begin(&evening).await?.run();
    let sql = rounds(
        "the night against plain SQL",
        count,
        async || plain::run(&evening).await,
        product,
    );
    let sql = sql.await?;
    let polars = rounds(
        "the night against Polars",
        count,
        async || script::run(&evening),
        product,
    );
    let polars = polars.await?;
    publish(
        "night",
        &[
            figure(users, "plain SQL in PostgreSQL, indexes in place", sql, 5.0),
            figure(users, "Polars + ConnectorX, after its imports", polars, 2.0),
        ],
    )
}

fn figure(users: u32, against: &str, round: Round, least: f64) -> Figure {
    Figure {
        what: format!(
            "the daily run, sources to warehouse, {users} users × {} days",
            evening::DAYS
        ),
        against: against.to_owned(),
        value: round.rate(),
        unit: "times".to_owned(),
        limit: Limit::AtLeast(least),
        seen: format!(
            "{:.2} s against {:.2} s, {} tables each",
            round.product.as_secs_f64(),
            round.floor.as_secs_f64(),
            answers::TABLES.len()
        ),
    }
}
