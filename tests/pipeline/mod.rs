//! The daily job over time: run again, run late, run on changed, broken or absent sources, and interrupted.

mod backfills;
mod bad_input;
mod changes;
mod erasure;
mod interruptions;
mod kept_events;
mod nulls;
mod privacy;
mod quality;
mod requests;
mod reruns;
mod sixty_days;
mod sources;
mod ticks;

use chrono::TimeDelta;
use kindred_simulator::Population;
use kindred_testkit::{Template, at};

use crate::support::World;
use crate::support::world::simulated;

/// The days that a prepared world has computed: today, the last one, is partial.
const FROM: &str = "2026-02-01";
const YESTERDAY: &str = "2026-03-14";
const TOMORROW: &str = "2026-03-16";

fn population() -> Population {
    Population {
        users: 40,
        days: 50,
        seed: 5,
        until: at("2026-03-15T10:30:00Z"),
    }
}

async fn history() -> Template {
    simulated(population()).await
}

/// A world that has computed nothing yet.
async fn empty_world() -> World {
    World::new(&history().await, population().until).await
}

/// A world that has computed its history; `prepare` changes the sources before.
async fn world_with(prepare: &str) -> World {
    let world = empty_world().await;
    world.change(prepare).await;
    world
        .backfill(FROM, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)));
    world.assert_sound().await;
    world
}

async fn world() -> World {
    world_with("").await
}

impl World {
    /// What a clean backfill of the same sources gives, now.
    async fn clean(&self, from: &str, to: &str) -> World {
        let clean = self.afresh().await;
        clean
            .backfill(from, to)
            .await
            .unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)));
        clean
    }

    /// Moves the clock on.
    fn wait(&self, minutes: i64) {
        let clock = &self.platform.clock;
        clock.set(clock.now() + TimeDelta::minutes(minutes));
    }
}
