//! What is due: a pure function of the schedule, the last tick and the time.

use kindred_model::{Granularity, Instant, Interval, Job, Trigger};
use kindred_warehouse::Tick;

use crate::Schedule;

/// How many missed days, weeks are caught up; longer downtime leaves the earlier ones to a backfill.
const MOST_DAYS: usize = 31;
const MOST_WEEKS: usize = 4;

/// The ticks of a job that were missed or have just come: those after `since`, the last tick that was dealt with, up to
/// `now`. Oldest first.
///
/// Of the daily job, one a day, at most 31: each covers the days that have closed since the tick before it. Of the weekly
/// job, one a week, at most 4, likewise. Of the hourly and the sessions job one, over the whole gap: from the hour of
/// the tick before it, and at least the hour that closed last, to the end of the tick's own.
///
/// After a clock was set back, nothing is due until it has caught up with `since`.
#[must_use]
pub fn due(job: Job, schedule: &Schedule, since: Instant, now: Instant) -> Vec<Tick> {
    match job {
        Job::Daily => one_a_bucket(job, schedule, since, now, Granularity::Daily, MOST_DAYS),
        Job::Weekly => one_a_bucket(job, schedule, since, now, Granularity::Weekly, MOST_WEEKS),
        Job::Hourly | Job::Sessions => over_the_gap(job, schedule, since, now).into_iter().collect(),
    }
}

/// One tick in each bucket that has any, the bucket's last: the others would cover the same.
fn one_a_bucket(
    job: Job,
    schedule: &Schedule,
    since: Instant,
    now: Instant,
    bucket: Granularity,
    most: usize,
) -> Vec<Tick> {
    let earlier = |tick: Instant| schedule.latest_before(bucket.bucket_start(tick));
    let covered = |tick: Instant| closed_between(earlier(tick), tick, bucket);
    let missed = std::iter::successors(schedule.latest(now), |tick| earlier(*tick)).take_while(|tick| *tick > since);
    let mut ticks: Vec<_> = missed
        .take(most)
        .enumerate()
        .map(|(age, at)| Tick {
            job,
            at,
            interval: covered(at),
            trigger: if age == 0 { Trigger::Schedule } else { Trigger::CatchUp },
            made_up: true,
            given_up: None,
        })
        .collect();
    ticks.reverse();
    if let Some(oldest) = ticks.first_mut()
        && let Some(first_missed) = schedule.next_after(since)
    {
        let start = covered(first_missed).start();
        oldest.given_up = Interval::new(start, oldest.interval.start()).ok();
    }
    ticks
}

/// The buckets that closed between two ticks: from the earlier one's, which was open then, to before the later one's.
fn closed_between(earlier: Option<Instant>, tick: Instant, bucket: Granularity) -> Interval {
    let end = bucket.bucket_start(tick);
    let start = earlier.map_or_else(|| bucket.step(end, -1), |earlier| bucket.bucket_start(earlier));
    Interval::new(start, end).expect("the earlier tick lies in an earlier bucket")
}

/// One tick for all that were missed.
fn over_the_gap(job: Job, schedule: &Schedule, since: Instant, now: Instant) -> Option<Tick> {
    let hour = Granularity::Hourly;
    let latest = schedule.latest(now).filter(|tick| *tick > since)?;
    let first = schedule.next_after(since)?;
    let last_closed = hour.step(hour.bucket_start(first), -1);
    let earlier = schedule.latest_before(first).map(|tick| hour.bucket_start(tick));
    let start = earlier.map_or(last_closed, |earlier| earlier.min(last_closed));
    Some(Tick {
        job,
        at: latest,
        interval: Interval::new(start, hour.bucket_end(latest))
            .expect("a tick's hour ends after an earlier one's start"),
        trigger: if first == latest {
            Trigger::Schedule
        } else {
            Trigger::CatchUp
        },
        // The next sessions tick, soon, reads what changed since the last run; the hours belong to the hourly job.
        made_up: job == Job::Hourly,
        given_up: None,
    })
}

#[cfg(test)]
mod tests;
