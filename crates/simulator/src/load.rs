//! A history in bulk: one transaction a database, filled by COPY while the model goes on.

mod lane;
mod sink;

use chrono::SubsecRound;
use futures::future::try_join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kindred_model::Interval;

use crate::platform::{Summary, TableRows, Targets};
use crate::population::World;
use crate::rows::Table;
use crate::{Population, SimulatorError};
use lane::Lane;
use sink::Sink;

/// Indexes of users and of their sessions share the 64 bits that name a stream of random numbers.
const MAX_USERS: u32 = 10_000_000;
/// Ten years.
const MAX_DAYS: u32 = 3_653;

/// Writes the history of a population into empty source databases, creating their tables where they are missing.
///
/// Memory is bounded by the number of users, not by that of rows. Each database is written in one transaction; all of
/// them are committed at the very end, and dropping the future before that leaves them as they
/// were. Progress is drawn where `progress` draws, and nowhere when that is hidden.
///
/// # Errors
/// When the population is out of bounds, a database cannot be reached, has rows already, or refuses what it is given.
/// No database has changed then, except when one fails in its very commit after others have committed.
pub async fn simulate(
    population: &Population,
    targets: &Targets,
    progress: &MultiProgress,
) -> Result<Summary, SimulatorError> {
    let Population { users, days, .. } = *population;
    if !(1..=MAX_USERS).contains(&users) || !(1..=MAX_DAYS).contains(&days) {
        return Err(SimulatorError::Population {
            users,
            days,
            max_users: MAX_USERS,
            max_days: MAX_DAYS,
        });
    }
    let population = Population {
        until: population.until.trunc_subsecs(6),
        ..*population
    };
    Box::pin(fill(population, targets, progress)).await
}

/// Runs the model on a thread of its own and fills every target from it.
///
/// All databases are committed at the end, one right after the other: an error before that leaves each as it was.
async fn fill(population: Population, targets: &Targets, progress: &MultiProgress) -> Result<Summary, SimulatorError> {
    let mut databases = Vec::new();
    for (source, url) in targets.each() {
        databases.push(lane::open(source, url, &population).await?);
    }

    let days = progress.add(
        ProgressBar::new(u64::from(population.days)).with_style(style("{prefix:>14} [{bar:30}] {pos}/{len} days")),
    );
    days.set_prefix("history");
    let mut sink = Sink::new();
    let lanes = databases.into_iter().map(|database| {
        let bar = progress.add(ProgressBar::no_length().with_style(style("{prefix:>14} {human_pos:>10} rows  {msg}")));
        bar.set_prefix(database.source().as_str());
        let chunks = sink.connect(database.source());
        Lane { database, chunks, bar }
    });
    let lanes: Vec<Lane> = lanes.collect();

    let model = tokio::task::spawn_blocking(move || {
        live(population, sink, |day| days.set_position(day));
        days.finish();
    });
    let filled = try_join_all(lanes.into_iter().map(Lane::run)).await?;
    // A model that panicked has closed the channels early: nothing may be committed then.
    model
        .await
        .unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));

    let mut tables = Vec::with_capacity(Table::ALL.len());
    for (database, rows) in &filled {
        tables.extend(Table::of(database.source()).map(|table| TableRows {
            database: database.source(),
            table: table.name(),
            rows: rows[table as usize],
        }));
    }
    // The users database last: where it has rows, the others have theirs.
    for (database, _) in filled.into_iter().rev() {
        database.commit_and_close().await?;
    }
    Ok(Summary { tables })
}

/// Lives through a history and writes it into the sink, as it stands at its end.
fn live(population: Population, mut sink: Sink, on_day: impl Fn(u64)) {
    let Population { until, .. } = population;
    let history = Interval::new(population.start(), until).expect("a history has a day at least");
    let mut world = World::new(population);
    let mut day = 0;
    while let Some(at) = world.step(until) {
        for row in world.take_rows() {
            sink.write(row.cut_at(until));
        }
        let today = (at - history.start()).num_days().unsigned_abs();
        if today > day {
            day = today;
            on_day(day);
        }
        if sink.stopped() {
            return;
        }
    }
    on_day(u64::from(population.days));
    let mut accounts = world.accounts(history).peekable();
    while let Some(row) = accounts.next() {
        let table = row.table();
        sink.write(row.cut_at(until));
        // Profiles refer to accounts.
        if accounts.peek().is_none_or(|next| next.table() != table) {
            sink.flush(table);
        }
    }
    sink.finish();
}

fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are well formed")
}
