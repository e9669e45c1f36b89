//! A simulated platform that goes on after its history: what happens is written as it happens, by small transactions.
//!
//! The model lives through the history again, which writes nothing, and then on. So nothing but the record of how far
//! it is told needs to be kept, and whoever follows again after a pause tells what happened meanwhile. A row that was
//! told before is replaced by what has become of it: ids come from the seed.

mod feed;
mod life;

use std::convert::Infallible;
use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{Clock, Instant};
use tokio::task::spawn_blocking;

use crate::database::Database;
use crate::platform::Targets;
use crate::{SimulatorError, record};
use feed::Feed;
use life::Life;

/// How often what happened is written.
const EVERY: Duration = Duration::from_secs(3);

/// Readers look back 10 minutes for what changed. What is told later than this counts as changed when it is told.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// Told at once, at most: rows are held in memory.
const PIECE: TimeDelta = TimeDelta::days(1);

/// Goes on with the platform whose history [`crate::simulate()`] wrote, in real time, until `stop`.
///
/// What happened since the history ended, or since it was last followed, is written first.
///
/// # Errors
/// When the databases have no history of this model, or one cannot be reached or refuses what it is given. Following may
/// be tried again.
pub async fn follow(targets: &Targets, clock: &Clock, stop: impl Future<Output = ()>) -> Result<(), SimulatorError> {
    tokio::select! {
        failed = tell_on(targets, clock) => failed.map(|never| match never {}),
        () = stop => Ok(()),
    }
}

async fn tell_on(targets: &Targets, clock: &Clock) -> Result<Infallible, SimulatorError> {
    let mut follower = Follower::open(targets).await?;
    loop {
        follower = follower.advance(clock.now()).await?;
        tokio::time::sleep(EVERY).await;
    }
}

/// A platform, told up to an instant.
pub struct Follower {
    life: Life,
    /// The one that keeps the record is the last: where it is written, the others are.
    feeds: Vec<Feed>,
}

impl Follower {
    /// Connects, and lives to where the databases are.
    ///
    /// # Errors
    /// When the databases have no history of this model, or one cannot be reached.
    pub async fn open(targets: &Targets) -> Result<Self, SimulatorError> {
        let mut databases = Vec::new();
        for (source, url) in targets.each() {
            databases.push(Database::connect(source, url).await?);
        }
        databases.sort_by_key(|database| database.source() == record::KEPT_IN);
        let keeper = databases.last_mut().expect("three databases are not optional");
        let kept = record::read(keeper.connection()).await;
        let kept = kept.map_err(|error| keeper.failure(error))?;
        let (population, told_until) = kept.ok_or(SimulatorError::NoHistory)?;
        let mut feeds = Vec::new();
        for database in databases {
            feeds.push(Feed::new(database).await?);
        }
        // By and by, so that whoever drops this does not wait for long.
        let mut life = Life::new(population);
        while life.told_until() < told_until {
            let until = told_until.min(life.told_until() + PIECE);
            (life, _) = live(life, move |life| life.skip(until)).await;
        }
        Ok(Self { life, feeds })
    }

    /// Until when everything is written.
    #[must_use]
    pub const fn told_until(&self) -> Instant {
        self.life.told_until()
    }

    /// Writes what happened before `now` and is not told yet.
    ///
    /// # Errors
    /// When a database cannot be reached or refuses what it is given. Another follower can be opened then.
    pub async fn advance(self, now: Instant) -> Result<Self, SimulatorError> {
        let Self { mut life, mut feeds } = self;
        let is_late = now - life.told_until() > LATE;
        while life.told_until() < now {
            let until = now.min(life.told_until() + PIECE);
            let rows;
            (life, rows) = live(life, move |life| life.tell(until)).await;
            let noted_at = is_late.then_some(now);
            for feed in &mut feeds {
                feed.write(&rows, noted_at, until).await?;
            }
        }
        Ok(Self { life, feeds })
    }
}

/// Lives on a thread where that holds nobody up.
async fn live<T: Send + 'static>(mut life: Life, on: impl FnOnce(&mut Life) -> T + Send + 'static) -> (Life, T) {
    let lived = spawn_blocking(move || {
        let told = on(&mut life);
        (life, told)
    });
    lived
        .await
        .unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}
