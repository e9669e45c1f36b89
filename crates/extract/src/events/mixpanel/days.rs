//! The events of an export, day by day, and the tries that each day takes.
//!
//! A day's events are handed out as they come. When it breaks off it is read again from its start, so that events come
//! twice; what was found beside them is told when the day is complete, and so once.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use kindred_model::{Instant, day_start};

use super::client::{Client, Fault, chain};
use super::{Mixpanel, event, wanted_days};
use crate::ExtractError;
use crate::events::arrivals::ArrivalBatch;
use crate::events::files::rejected;
use crate::events::gathering::Gathering;
use crate::events::lines::{LONGEST_LINE, Lines};
use crate::events::{ArrivalRequest, Cleaning};

/// The days that a request asks for.
pub(in crate::events) struct ExportEvents {
    client: Arc<Client>,
    cleaning: Cleaning,
    /// The watermark, when the request is for what came since; none for a backfill.
    since: Option<Instant>,
    is_backfill: bool,
    now: Instant,
    left: VecDeque<NaiveDate>,
    /// Days read.
    read: usize,
    /// The answer for the first day that is left.
    answer: Option<Lines>,
    /// How often that day has failed.
    failures: u32,
    gathering: Gathering,
}

impl ExportEvents {
    pub(in crate::events) fn new(mixpanel: &Mixpanel, cleaning: Cleaning, request: &ArrivalRequest) -> Self {
        Self {
            client: Arc::clone(&mixpanel.client),
            since: request.since,
            is_backfill: request.days.is_some(),
            now: request.now,
            left: wanted_days(request).collect(),
            read: 0,
            answer: None,
            failures: 0,
            gathering: Gathering::new(cleaning.batch_rows),
            cleaning,
        }
    }

    /// The next batch; none at the end of the last day, or when Mixpanel's limit leaves days for the next run.
    pub(in crate::events) async fn next(&mut self) -> Result<Option<ArrivalBatch>, ExtractError> {
        while let Some(day) = self.left.front().copied() {
            let fault = match self.read_on(day).await {
                Ok(Progress::Batch(batch)) => return Ok(Some(batch)),
                Ok(Progress::Day) => {
                    self.left.pop_front();
                    self.read += 1;
                    self.failures = 0;
                    match self.gathering.take() {
                        Some(batch) => return Ok(Some(batch)),
                        None => continue,
                    }
                }
                Err(fault) => fault,
            };
            self.answer = None;
            self.gathering.forget();
            self.failures += 1;
            let Some(wait) = self.wait_for(&fault) else {
                if matches!(fault, Fault::Limit { .. }) && self.read > 0 {
                    tracing::warn!(%day, "Mixpanel's limit leaves this day, and those after it, to the next run");
                    return Ok(None);
                }
                return Err(self.client.error(fault, day, self.failures));
            };
            tracing::debug!(%day, ?fault, ?wait, "asking Mixpanel again");
            tokio::time::sleep(wait).await;
        }
        Ok(None)
    }

    /// The end of what has been read without a gap.
    pub(in crate::events) fn extracted_to(&self, now: Instant) -> Option<Instant> {
        if self.is_backfill {
            return None;
        }
        let end = self.left.front().map_or(now, |first_left| day_start(*first_left));
        Some(self.since.map_or(end, |since| since.max(end)))
    }

    /// Reads on in a day until a batch is full or the day over.
    async fn read_on(&mut self, day: NaiveDate) -> Result<Progress, Fault> {
        let lines = match &mut self.answer {
            Some(lines) => lines,
            None => self.answer.insert(self.client.day(day).await?),
        };
        loop {
            if self.gathering.is_full() {
                return Ok(Progress::Batch(self.gathering.take_events()));
            }
            let next = lines.next().await.map_err(|error| Fault::Passing {
                reason: format!("its answer broke off: {}", chain(&error)),
            })?;
            let Some(line) = next else {
                self.answer = None;
                return Ok(Progress::Day);
            };
            let added = match line.bytes {
                None => Err(format!("it is longer than {LONGEST_LINE} bytes")),
                Some(bytes) => event::read(bytes, &self.cleaning, self.now).and_then(|told| self.gathering.add(told)),
            };
            match added {
                Ok(()) => {}
                // A whole answer ends its last line, or at least that line's JSON.
                Err(_) if !line.is_ended => {
                    return Err(Fault::Passing {
                        reason: "its answer ended in the middle of a line".into(),
                    });
                }
                Err(reason) => self
                    .gathering
                    .reject(rejected(&format!("mixpanel/{day}"), &line, reason)),
            }
        }
    }

    /// How long to wait before the day is asked for again; none when it should not be.
    fn wait_for(&self, fault: &Fault) -> Option<Duration> {
        let patience = &self.client.patience;
        let is_last = self.failures > patience.retries;
        match fault {
            Fault::Final(_) => None,
            _ if is_last => None,
            Fault::Limit { wait: Some(wait) } => (*wait <= patience.longest_wait).then_some(*wait),
            Fault::Limit { wait: None } | Fault::Passing { .. } => Some(self.backoff()),
        }
    }

    /// Twice as long after each failure, less a random part, so that those who failed together do not return together.
    fn backoff(&self) -> Duration {
        let patience = &self.client.patience;
        let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        let longest = patience.backoff.saturating_mul(doubled).min(patience.longest_wait);
        // The hasher's keys are random: all that is needed here.
        let random = RandomState::new().hash_one(self.failures) as f64 / u64::MAX as f64;
        longest.mul_f64(1.0 - random / 2.0)
    }
}

/// How far a reading came.
enum Progress {
    Batch(ArrivalBatch),
    Day,
}
