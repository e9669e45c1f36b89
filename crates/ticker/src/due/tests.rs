use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn interval(start: &str, end: &str) -> Interval {
    Interval::new(at(start), at(end)).unwrap()
}

/// The ticks of a job on its default schedule, as (instant, interval, trigger).
fn by_default(job: Job, since: &str, now: &str) -> Vec<(String, String, Trigger)> {
    on(&Schedule::default_of(job), job, since, now)
}

fn on(schedule: &Schedule, job: Job, since: &str, now: &str) -> Vec<(String, String, Trigger)> {
    let ticks = due(job, schedule, at(since), at(now));
    let told = |tick: Tick| {
        (
            tick.at.format("%m-%dT%H:%M").to_string(),
            tick.interval.to_string(),
            tick.trigger,
        )
    };
    ticks.into_iter().map(told).collect()
}

fn told(at: &str, interval: &str, trigger: Trigger) -> (String, String, Trigger) {
    (at.to_owned(), interval.to_owned(), trigger)
}

#[test]
fn nothing_is_due_before_its_instant_and_nothing_twice() {
    for job in Job::ALL {
        assert_eq!(
            by_default(*job, "2026-03-02T02:05:00Z", "2026-03-02T02:14:59.999Z"),
            [],
            "{job}"
        );
    }
    assert_eq!(
        by_default(Job::Daily, "2026-03-01T01:00:00Z", "2026-03-02T00:59:59.999Z"),
        []
    );
    assert_eq!(
        by_default(Job::Daily, "2026-03-02T01:00:00Z", "2026-03-02T01:00:00Z"),
        []
    );
}

#[test]
fn a_tick_covers_what_has_closed_since_the_one_before() {
    let at_once = [
        (Job::Daily, "03-01T01:00", "2026-02-28"),
        (Job::Hourly, "03-01T00:05", "2026-02-28T23:00Z to 2026-03-01T01:00Z"),
        (Job::Weekly, "03-02T02:00", "2026-02-23 to 2026-03-02 (exclusive)"),
        (Job::Sessions, "03-01T10:15", "2026-03-01T09:00Z to 2026-03-01T11:00Z"),
    ];
    for (job, tick, covered) in at_once {
        let now = format!("2026-{tick}:00Z");
        let since = Schedule::default_of(job).latest_before(at(&now)).unwrap().to_rfc3339();
        assert_eq!(by_default(job, &since, &now), [told(tick, covered, Trigger::Schedule)]);
    }
    let leap_day = [told("03-01T01:00", "2028-02-29", Trigger::Schedule)];
    assert_eq!(
        by_default(Job::Daily, "2028-02-29T01:00:00Z", "2028-03-01T12:00:00Z"),
        leap_day
    );
}

#[test]
fn after_downtime_the_daily_job_runs_each_missed_day_oldest_first() {
    let ticks = by_default(Job::Daily, "2026-02-26T01:00:00Z", "2026-03-01T13:30:00Z");
    assert_eq!(
        ticks,
        [
            told("02-27T01:00", "2026-02-26", Trigger::CatchUp),
            told("02-28T01:00", "2026-02-27", Trigger::CatchUp),
            told("03-01T01:00", "2026-02-28", Trigger::Schedule),
        ]
    );
}

#[test]
fn days_missed_more_than_31_ticks_ago_are_given_up_and_named_once() {
    let daily = Schedule::default_of(Job::Daily);
    let ticks = due(
        Job::Daily,
        &daily,
        at("2026-01-05T01:00:00Z"),
        at("2026-03-01T13:30:00Z"),
    );
    assert_eq!(ticks.len(), 31);
    assert_eq!(
        ticks[0].interval,
        interval("2026-01-29T00:00:00Z", "2026-01-30T00:00:00Z")
    );
    assert_eq!(
        ticks[0].given_up,
        Some(interval("2026-01-05T00:00:00Z", "2026-01-29T00:00:00Z"))
    );
    assert!(ticks[1..].iter().all(|tick| tick.given_up.is_none()));

    let exactly = due(
        Job::Daily,
        &daily,
        at("2026-01-29T01:00:00Z"),
        at("2026-03-01T01:00:00Z"),
    );
    assert_eq!((exactly.len(), exactly[0].given_up), (31, None));
}

#[test]
fn after_downtime_the_weekly_job_runs_each_missed_week_but_no_more_than_four() {
    let ticks = by_default(Job::Weekly, "2026-02-09T02:00:00Z", "2026-02-25T00:00:00Z");
    assert_eq!(
        ticks,
        [
            told("02-16T02:00", "2026-02-09 to 2026-02-16 (exclusive)", Trigger::CatchUp),
            told("02-23T02:00", "2026-02-16 to 2026-02-23 (exclusive)", Trigger::Schedule),
        ]
    );
    let weekly = Schedule::default_of(Job::Weekly);
    let ticks = due(
        Job::Weekly,
        &weekly,
        at("2025-12-01T02:00:00Z"),
        at("2026-02-25T00:00:00Z"),
    );
    assert_eq!(ticks.len(), 4);
    assert_eq!(
        ticks[0].given_up,
        Some(interval("2025-12-01T00:00:00Z", "2026-01-26T00:00:00Z"))
    );
}

#[test]
fn after_downtime_the_hourly_and_the_sessions_job_run_once_over_the_gap() {
    assert_eq!(
        by_default(Job::Hourly, "2026-02-28T09:05:00Z", "2026-03-01T13:30:00Z"),
        [told(
            "03-01T13:05",
            "2026-02-28T09:00Z to 2026-03-01T14:00Z",
            Trigger::CatchUp
        )]
    );
    assert_eq!(
        by_default(Job::Sessions, "2026-03-01T09:45:00Z", "2026-03-01T13:31:00Z"),
        [told(
            "03-01T13:30",
            "2026-03-01T09:00Z to 2026-03-01T14:00Z",
            Trigger::CatchUp
        )]
    );
}

#[test]
fn a_schedule_with_holes_leaves_no_day_and_no_hour_out() {
    let workdays = "0 1 * * mon-fri".parse().unwrap();
    assert_eq!(
        on(&workdays, Job::Daily, "2026-02-27T01:00:00Z", "2026-03-02T01:00:00Z"),
        [told(
            "03-02T01:00",
            "2026-02-27 to 2026-03-02 (exclusive)",
            Trigger::Schedule
        )]
    );
    let quarterly = "5 */6 * * *".parse().unwrap();
    assert_eq!(
        on(&quarterly, Job::Hourly, "2026-03-02T06:05:00Z", "2026-03-02T12:05:00Z"),
        [told(
            "03-02T12:05",
            "2026-03-02T06:00Z to 2026-03-02T13:00Z",
            Trigger::Schedule
        )]
    );
    let monthly = "0 2 1 * *".parse().unwrap();
    assert_eq!(
        on(&monthly, Job::Weekly, "2026-02-01T02:00:00Z", "2026-03-01T02:00:00Z"),
        [told(
            "03-01T02:00",
            "2026-01-26 to 2026-02-23 (exclusive)",
            Trigger::Schedule
        )]
    );
}

#[test]
fn of_the_ticks_of_one_day_that_were_missed_the_last_is_run() {
    let twice = "0 1,13 * * *".parse().unwrap();
    assert_eq!(
        on(&twice, Job::Daily, "2026-02-28T00:00:00Z", "2026-03-01T14:00:00Z"),
        [
            told("02-28T13:00", "2026-02-27", Trigger::CatchUp),
            told("03-01T13:00", "2026-02-28", Trigger::Schedule),
        ]
    );
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_due() {
    for job in Job::ALL {
        assert_eq!(by_default(*job, "2026-03-02T02:15:00Z", "2026-01-01T00:00:00Z"), []);
    }
}

fn schedules() -> impl Strategy<Value = (Job, Schedule)> {
    let choices = [
        (
            Job::Daily,
            vec![
                "0 1 * * *",
                "59 23 * * *",
                "0 0 * * *",
                "30 3,15 * * *",
                "0 1 * * mon-fri",
            ],
        ),
        (
            Job::Weekly,
            vec!["0 2 * * 1", "0 0 * * 1", "59 23 * * sun", "15 4 * * tue,thu"],
        ),
        (
            Job::Hourly,
            vec!["5 * * * *", "0 * * * *", "59 * * * *", "5,35 * * * *", "5 */6 * * *"],
        ),
        (Job::Sessions, vec!["*/15 * * * *", "* * * * *", "7,50 * * * *"]),
    ];
    let all: Vec<_> = choices
        .into_iter()
        .flat_map(|(job, expressions)| expressions.into_iter().map(move |text| (job, text.parse().unwrap())))
        .collect();
    prop::sample::select(all)
}

/// A process's look at its clock: how long after the process before, in minutes, and how wrong its clock is.
fn looks() -> impl Strategy<Value = Vec<(i64, i64)>> {
    // Minutes, hours, and days of downtime, within what is caught up in full.
    let pause = prop_oneof![4 => 0_i64..30, 4 => 30_i64..600, 1 => 600_i64..38_000];
    prop::collection::vec((pause, -90_i64..90), 1..60)
}

proptest! {
    #[test]
    fn whatever_the_downtime_and_whichever_process_looks_every_tick_is_run_once_and_nothing_is_left_out(
        (job, schedule) in schedules(),
        began in 1_700_000_000_i64..1_800_000_000,
        looks in looks(),
    ) {
        let mut time = DateTime::from_timestamp(began, 0).unwrap();
        let watched_since = time;
        let mut last_tick = watched_since;
        let mut run: Vec<Tick> = Vec::new();
        for (pause, error) in looks {
            let known = last_tick;
            time += TimeDelta::minutes(pause);
            let now = time + TimeDelta::minutes(error);
            for tick in due(job, &schedule, known, now) {
                prop_assert!(tick.at <= now, "no tick comes early");
                // The ledger refuses what is dealt with; another process that looks at the same time adds nothing.
                for _ in 0..2 {
                    if tick.at > last_tick {
                        last_tick = tick.at;
                        run.push(tick);
                    }
                }
            }
        }
        prop_assert!(run.iter().all(|tick| tick.at > watched_since), "nothing before the first start is caught up");
        let closing = |tick: &Tick| matches!(job, Job::Daily | Job::Weekly).then_some(tick.interval.start());
        for pair in run.windows(2) {
            let (earlier, later) = (&pair[0], &pair[1]);
            prop_assert!(earlier.at < later.at, "each tick once");
            prop_assert!(later.interval.start() <= earlier.interval.end(), "no hole: {earlier:?} {later:?}");
            prop_assert!(later.given_up.is_none());
            if let Some(start) = closing(later) {
                let same_again = later.interval == earlier.interval;
                prop_assert!(same_again || start == earlier.interval.end(), "no day twice: {earlier:?} {later:?}");
            }
        }
        if let Some(last) = run.last() {
            let next = schedule.next_after(last.at).unwrap();
            prop_assert!(next > last.at);
            prop_assert!(last.interval.end() <= Granularity::Hourly.bucket_end(last.at), "nothing of later hours");
        }
    }

    #[test]
    fn one_look_after_downtime_covers_what_many_looks_would_have(
        (job, schedule) in schedules(),
        began in 1_700_000_000_i64..1_800_000_000,
        hours in 1_i64..500,
    ) {
        let began = DateTime::from_timestamp(began, 0).unwrap();
        let end = began + TimeDelta::hours(hours);
        let at_once: Vec<_> = due(job, &schedule, began, end).iter().map(|tick| tick.interval).collect();
        let mut last_tick = began;
        let mut one_by_one = Vec::new();
        while let Some(now) = schedule.next_after(last_tick).filter(|tick| *tick <= end) {
            let ticks = due(job, &schedule, last_tick, now);
            prop_assert_eq!(ticks.len(), 1);
            prop_assert_eq!((ticks[0].at, ticks[0].trigger), (now, Trigger::Schedule));
            one_by_one.push(ticks[0].interval);
            last_tick = now;
        }
        prop_assert_eq!(Interval::covering(at_once), Interval::covering(one_by_one));
    }
}
