//! From rows to databases: encoding, chunks, and one transaction a database.

mod binary;
mod database;
mod rows;
mod sink;

use futures::future::try_join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc::Receiver;

use crate::simulate::{Summary, TableRows, Targets};
use crate::{Population, SimulatorError};
use database::Database;
use sink::Chunk;

pub(crate) use binary::{Cents, Field};
pub(crate) use rows::{
    BehaviorEvent, Interaction, Match, Message, ModerationAction, Payment, QueueEntry, Report, SessionTelemetry,
    Subscription, Swipe, Table, User, UserProfile, UserSession,
};
pub(crate) use sink::Sink;

/// One database, the rows on their way to it, and its line on the terminal.
struct Lane {
    database: Database,
    chunks: Receiver<Chunk>,
    bar: ProgressBar,
}

/// Runs the model on a thread of its own and fills every target from it.
///
/// All databases are committed at the end, one right after the other: an error before that leaves each as it was.
pub(crate) async fn fill(
    population: Population,
    targets: &Targets,
    progress: &MultiProgress,
) -> Result<Summary, SimulatorError> {
    let mut databases = Vec::new();
    for (source, url) in targets.each() {
        databases.push(Database::open(source, url).await?);
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
        crate::population::live(population, sink, |day| days.set_position(day));
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
        database.commit().await?;
    }
    Ok(Summary { tables })
}

impl Lane {
    async fn run(mut self) -> Result<(Database, Vec<u64>), SimulatorError> {
        let rows = self.database.fill(self.chunks, &self.bar).await?;
        self.database.index(&self.bar).await?;
        self.bar.finish();
        Ok((self.database, rows))
    }
}

fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are well formed")
}
