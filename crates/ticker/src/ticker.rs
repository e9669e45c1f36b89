//! Takes turns: ends runs whose process died or that take too long, queues what is due, tries again what failed.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use kindred_model::{Clock, Instant, Interval, Job};
use kindred_warehouse::{
    AlertType, CheckKey, JobState, Outcome, STALE_AFTER, Severity, Ticked, Verdict, Warehouse, WarehouseError,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Schedule, due};

/// The longest between two turns: a dead run is known at most this long after its heartbeat has grown stale.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// Between two turns while a tick waits for a run under way to end.
const WHILE_WAITING: TimeDelta = TimeDelta::seconds(1);

/// Between two attempts to reach the warehouse.
const WHILE_AWAY: Duration = Duration::from_secs(5);

/// The least between two turns, so that a clock that jumps does not keep the ticker busy.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// Queues the runs that are due, in any number of processes on one warehouse at once.
#[derive(Debug)]
pub struct Ticker {
    warehouse: Warehouse,
    clock: Clock,
    schedules: BTreeMap<Job, Schedule>,
}

/// What a turn did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The runs that it queued, those that are tried again too.
    pub started: Vec<Uuid>,
    /// The runs that it noted as skipped.
    pub skipped: Vec<Uuid>,
    /// The runs that it ended.
    pub ended: Vec<Uuid>,
    /// The jobs whose last tick lies in the future: the clock was set back, and they wait until it has caught up.
    pub ahead: Vec<Job>,
    /// When to take the next turn.
    pub next: Instant,
}

impl Ticker {
    /// A ticker of these jobs.
    #[must_use]
    pub fn new(warehouse: Warehouse, clock: Clock, schedules: BTreeMap<Job, Schedule>) -> Self {
        Self {
            warehouse,
            clock,
            schedules,
        }
    }

    /// Takes turns until it is stopped. A warehouse that is away is waited for: what comes due meanwhile is caught up.
    pub async fn run(&self, stop: CancellationToken) {
        let mut away = false;
        let mut ahead = Vec::new();
        while let Some(turn) = stop.run_until_cancelled(Box::pin(self.turn())).await {
            let pause = match turn {
                Ok(turn) => {
                    away = false;
                    if ahead != turn.ahead && !turn.ahead.is_empty() {
                        tracing::warn!(jobs = ?turn.ahead, "last ticks lie in the future: was the clock set back? Nothing starts before it has caught up");
                    }
                    ahead = turn.ahead;
                    let pause = (turn.next - self.clock.now()).to_std().unwrap_or_default();
                    pause.max(SHORTEST_PAUSE)
                }
                Err(error) => {
                    let error: &dyn Error = &error;
                    if away {
                        tracing::debug!(error, "the ticker still cannot reach the ledger");
                    } else {
                        tracing::warn!(error, "the ticker cannot reach the ledger, and catches up when it can");
                    }
                    away = true;
                    WHILE_AWAY
                }
            };
            stop.run_until_cancelled(sleep(pause)).await;
        }
    }

    /// One turn. It may be taken at any time and by several processes at once.
    ///
    /// # Errors
    /// When the warehouse does not answer; the next turn goes on where this one stopped.
    pub async fn turn(&self) -> Result<Turn, WarehouseError> {
        let now = self.clock.now();
        let mut turn = Turn {
            started: Vec::new(),
            skipped: Vec::new(),
            ended: self.end_runs(now).await?,
            ahead: Vec::new(),
            next: now + LONGEST_PAUSE,
        };
        let states = self.warehouse.job_states().await?;
        for (job, schedule) in &self.schedules {
            let state = states.get(job).copied().unwrap_or_default();
            self.tick(*job, schedule, state, now, &mut turn).await?;
        }
        turn.started.extend(self.warehouse.start_retries(now).await?);
        turn.wake_at(self.warehouse.next_retry(now).await?);
        Ok(turn)
    }

    async fn end_runs(&self, now: Instant) -> Result<Vec<Uuid>, WarehouseError> {
        let mut ended = self.warehouse.reap(now, STALE_AFTER).await?;
        for job in Job::ALL {
            ended.extend(self.warehouse.end_overdue(*job, now, deadline(*job)).await?);
        }
        Ok(ended)
    }

    /// Deals with the ticks of one job.
    async fn tick(
        &self,
        job: Job,
        schedule: &Schedule,
        state: JobState,
        now: Instant,
        turn: &mut Turn,
    ) -> Result<(), WarehouseError> {
        let since = state.last_tick.or(state.watched_since);
        let next = schedule.next_after(since.map_or(now, |since| since.max(now)));
        if state.next_tick != next || state.watched_since.is_none() {
            self.warehouse.expect_tick(job, next, now).await?;
        }
        turn.wake_at(next);
        // A job that is seen for the first time begins with its next tick.
        let Some(since) = since.filter(|_| !state.paused) else {
            return Ok(());
        };
        if since > now {
            turn.ahead.push(job);
        }
        for tick in due(job, schedule, since, now) {
            let run_id = match self.warehouse.tick(&tick, now).await? {
                Ticked::Started(run_id) => {
                    tracing::info!(%run_id, %job, interval = %tick.interval, trigger = %tick.trigger, "tick");
                    turn.started.push(run_id);
                    run_id
                }
                Ticked::Skipped(run_id) => {
                    tracing::warn!(%run_id, %job, interval = %tick.interval, "tick skipped: a run of the job is under way");
                    turn.skipped.push(run_id);
                    run_id
                }
                Ticked::Waits => {
                    turn.wake_at(Some(now + WHILE_WAITING));
                    return Ok(());
                }
                Ticked::Done | Ticked::Passed => continue,
            };
            if let Some(days) = tick.given_up {
                tracing::warn!(%job, %days, "missed too long ago to be caught up: `kindred backfill` computes them");
                let missed = [given_up(job, days, now)];
                self.warehouse.record_verdicts(run_id, now, &missed).await?;
            }
        }
        Ok(())
    }
}

impl Turn {
    fn wake_at(&mut self, at: Option<Instant>) {
        self.next = at.map_or(self.next, |at| at.min(self.next));
    }
}

/// That days were missed which nothing catches up by itself. Whoever has computed them resolves the alert.
fn given_up(job: Job, days: Interval, at: Instant) -> Verdict {
    let window = days.days();
    Verdict {
        key: CheckKey {
            alert_type: AlertType::MissingData,
            table: job.as_str().to_owned(),
            column: None,
            check: "caught_up".to_owned(),
            dimension: Some(window.to_string()),
        },
        bucket: at.to_rfc3339_opts(SecondsFormat::Micros, true),
        outcome: Outcome::Violated {
            severity: Severity::High,
            message: format!(
                "the {job} job missed {window} and does not catch up that much; run `kindred backfill {job} --from {} --to {}`",
                window.from(),
                window.to()
            ),
            threshold: None,
            actual: None,
            details: serde_json::Value::Null,
        },
    }
}

/// How long a run may take: far longer than any sound one, short enough to be noticed.
fn deadline(job: Job) -> Duration {
    let hours = match job {
        Job::Daily => 6,
        Job::Hourly | Job::Weekly => 3,
        Job::Sessions => 1,
    };
    Duration::from_secs(hours * 60 * 60)
}
