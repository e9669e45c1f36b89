//! Histories written into real databases, and what must hold of them.
//!
//! All four sources go into one database here, so that what must hold between them can be asked in plain SQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod determinism;
mod follow;
mod promises;
mod refusals;
mod schema;
mod shape;

use indicatif::{MultiProgress, ProgressDrawTarget};
use kindred_simulator::{Population, SimulatorError, Summary, Targets};
use kindred_testkit::{TestDatabase, at};
use sqlx::AssertSqlSafe;

/// A history that ends on a Friday evening in Europe.
fn population(users: u32, days: u32) -> Population {
    Population {
        users,
        days,
        seed: 2,
        until: at("2026-11-20T20:15:00Z"),
    }
}

/// Every source in one database.
fn everything_in(database: &TestDatabase) -> Targets {
    Targets {
        users: database.url(),
        interactions: database.url(),
        communications: database.url(),
        moderation: Some(database.url()),
    }
}

async fn simulate(population: &Population, targets: &Targets) -> Result<Summary, SimulatorError> {
    let hidden = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    kindred_simulator::simulate(population, targets, &hidden).await
}

/// A number that a statement answers.
async fn count(database: &TestDatabase, sql: &str) -> i64 {
    let answer = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(database.pool()).await;
    answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
