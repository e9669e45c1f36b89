//! Sixty days of a platform that lives, by the ticker's runs: the tables are those that a backfill of all days gives.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use kindred_jobs::{describe, execute};
use kindred_model::{Instant, Job};
use kindred_simulator::{Follower, Population, Targets};
use kindred_testkit::at;
use kindred_ticker::{Schedule, Ticker};
use kindred_warehouse::{SUMMARY_TABLES, USER_BEHAVIOR_EVENTS};
use tokio_util::sync::CancellationToken;

use crate::support::World;
use crate::support::world::simulated;

/// What was computed when the ticker took over, and the day after the last one.
const FROM: &str = "2026-01-08";
const INSTALLED: &str = "2026-01-16";
const END: &str = "2026-03-17";

/// Hours and sessions tick more rarely than by default (hourly, every quarter of an hour), since 7,200 runs would take an
/// hour and more. A run covers the pause before it, so that every hour and every session is still some run's.
const SCHEDULES: [(Job, &str); 4] = [
    (Job::Daily, "0 1 * * *"),
    (Job::Hourly, "5 */12 * * *"),
    (Job::Weekly, "0 2 * * 1"),
    (Job::Sessions, "45 9 * * *"),
];

/// No process runs between these: over five daily ticks, a weekly one, and every tick of the others.
const DOWN_SINCE: &str = "2026-02-12T09:20:00Z";
const DOWN_UNTIL: &str = "2026-02-17T15:40:00Z";

/// How far the platform lives on at a time while nobody looks.
const UNSEEN: TimeDelta = TimeDelta::hours(6);

/// Between what the sources have last written, and the run that reads them.
const LAG: TimeDelta = TimeDelta::seconds(20);

fn installed() -> Population {
    Population {
        users: 60,
        days: 20,
        seed: 23,
        until: at("2026-01-15T22:10:00Z"),
    }
}

/// A platform that lives, analysed by a process that ticks.
struct Driven {
    world: World,
    ticker: Ticker,
    follower: Option<Follower>,
}

impl Driven {
    async fn installed() -> Self {
        let population = installed();
        let world = World::new(&simulated(population).await, population.until).await;
        compute(&world, FROM, INSTALLED).await;
        let schedules: BTreeMap<Job, Schedule> = SCHEDULES
            .into_iter()
            .map(|(job, cron)| (job, cron.parse().unwrap()))
            .collect();
        let url = world.source.url();
        let targets = Targets {
            users: url.clone(),
            interactions: url.clone(),
            communications: url.clone(),
            moderation: Some(url),
        };
        Self {
            ticker: Ticker::new(
                world.platform.warehouse.clone(),
                world.platform.clock.clone(),
                schedules,
            ),
            follower: Some(Follower::open(&targets).await.unwrap()),
            world,
        }
    }

    /// The sources go on to the instant, and the clock a little further.
    async fn live_until(&mut self, now: Instant) {
        let follower = self.follower.take().unwrap();
        self.follower = Some(follower.advance(now).await.unwrap());
        self.world.platform.clock.set(now + LAG);
    }

    /// Takes turns until nothing is due any more, and carries out what they queue.
    async fn tick(&self) {
        let platform = &self.world.platform;
        loop {
            let turn = self.ticker.turn().await.unwrap();
            while let Some(run_id) = platform.warehouse.next_queued().await.unwrap() {
                let run = execute(platform, run_id, &CancellationToken::new()).await;
                run.unwrap_or_else(|error| panic!("{}: {}", platform.clock.now(), describe(&error)));
            }
            if turn.started.is_empty() && turn.skipped.is_empty() && turn.ended.is_empty() {
                return;
            }
        }
    }

    /// Ticks from the clock's time to the instant.
    async fn tick_until(&mut self, until: Instant) {
        self.tick().await;
        loop {
            let states = self.world.platform.warehouse.job_states().await.unwrap();
            let next = states.values().filter_map(|state| state.next_tick).min().unwrap();
            if next >= until {
                return self.live_until(until).await;
            }
            self.live_until(next).await;
            self.tick().await;
        }
    }

    /// Nobody ticks until the instant.
    async fn stay_down_until(&mut self, until: Instant) {
        let mut now = self.world.platform.clock.now();
        while now < until {
            now = until.min(now + UNSEEN);
            self.live_until(now).await;
        }
    }
}

/// Every job over all days.
async fn compute(world: &World, from: &str, to: &str) {
    for job in Job::ALL {
        let done = world.backfill_job(*job, from, to).await;
        done.unwrap_or_else(|error| panic!("{job}: {}", describe(&error)));
    }
}

/// Everything that is open as it is now.
async fn bring_up_to_date(world: &World) {
    for job in Job::ALL {
        let done = world.trigger(*job).await;
        done.unwrap_or_else(|error| panic!("{job}: {}", describe(&error)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_days_of_ticks_with_downtime_give_what_one_backfill_gives() {
    let mut driven = Driven::installed().await;
    driven.tick_until(at(DOWN_SINCE)).await;
    driven.stay_down_until(at(DOWN_UNTIL)).await;
    driven.tick_until(at("2026-03-16T22:50:00Z")).await;
    let Driven { world, .. } = driven;

    // Each missed day, one run for the week, and one over the gap for the hours and for the sessions.
    let caught_up = "select string_agg(job_name || ' ' || runs, ', ' order by job_name) from (
         select job_name, count(*) as runs from etl_job_runs
         where requested_at between '2026-02-12T09:20Z' and '2026-02-17T15:45Z' and status = 'completed'
         group by job_name) missed";
    assert_eq!(
        world.ask(caught_up).await.as_deref(),
        Some("daily 5, hourly 1, sessions 1, weekly 1")
    );
    let ended = "select string_agg(distinct status, ', ') from etl_job_runs";
    assert_eq!(world.ask(ended).await.as_deref(), Some("completed"));

    let clean = world.afresh().await;
    compute(&clean, FROM, END).await;
    for world in [&world, &clean] {
        bring_up_to_date(world).await;
    }
    world.assert_equals(&clean).await;
    for table in SUMMARY_TABLES.iter().copied().chain([&USER_BEHAVIOR_EVENTS]) {
        let rows = format!("select nullif(count(*), 0)::text from {}", table.name);
        assert!(world.ask(&rows).await.is_some(), "{} is empty", table.name);
    }
    world.assert_sound().await;
}
