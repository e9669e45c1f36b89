//! The jobs, the time that a run of one covers, and the states that it goes through.

use chrono::{Datelike, Days, NaiveDate, TimeDelta};

use crate::{DayWindow, Fact, Granularity, Instant, Interval, words};

words! {
    /// A job: a set of tables that are computed together, on one schedule.
    Job, "job", {
        /// Figures of days: key figures, money, funnels, and the windows that end with them.
        Daily => "daily",
        /// Events and what is counted from them, the hours, and today's figures so far.
        Hourly => "hourly",
        /// Retention of weekly cohorts.
        Weekly => "weekly",
        /// What happened in each session, and the current hour.
        Sessions => "sessions",
    }
}

words! {
    /// What started a run.
    Trigger, "trigger", {
        /// The ticker, on schedule.
        Schedule => "schedule",
        /// A person, by the command line or the control API.
        Manual => "manual",
        /// A backfill over past dates.
        Backfill => "backfill",
        /// The ticker, after downtime.
        CatchUp => "catch_up",
        /// The ticker, after a transient failure.
        Retry => "retry",
    }
}

words! {
    /// The state of a run in `etl_job_runs`.
    RunStatus, "run status", {
        /// Requested; nobody works on it yet.
        Queued => "queued",
        /// A process works on it and keeps its heartbeat.
        Running => "running",
        /// Everything was computed and published.
        Completed => "completed",
        /// Nothing was published.
        Failed => "failed",
        /// Published, but for what an absent optional source would have given.
        Partial => "partial",
        /// Not done, because a run of the same job was under way.
        Skipped => "skipped",
        /// Stopped by a person or by a shutdown; nothing was published.
        Cancelled => "cancelled",
    }
}

words! {
    /// Which days of its window a backfill computes.
    BackfillMode, "backfill mode", {
        /// Those without a completed run.
        Missing => "missing",
        /// Those whose last run failed.
        Failed => "failed",
        /// All of them.
        All => "all",
    }
}

impl Job {
    /// What a run covers that is asked for at `now` without a date: what was closed last, and what is going on.
    ///
    /// Daily: yesterday and today. Hourly and sessions: the last closed hour and the current one. Weekly: from the
    /// Monday of the last closed week to the end of today.
    #[must_use]
    pub fn default_interval(self, now: Instant) -> Interval {
        let today = now.date_naive();
        let to_today = |from| Interval::from(DayWindow::day(from).union(DayWindow::day(today)));
        match self {
            Self::Daily => to_today(today - Days::new(1)),
            Self::Weekly => to_today(last_closed_week(today).from()),
            Self::Hourly | Self::Sessions => {
                let hour = |at| Interval::bucket(Granularity::Hourly, at);
                hour(now - TimeDelta::hours(1)).union(hour(now))
            }
        }
    }

    /// What a run covers that is asked for by a date: that day; for the weekly job the last week that was closed when
    /// the day began.
    #[must_use]
    pub fn interval_of(self, day: NaiveDate) -> Interval {
        match self {
            Self::Daily | Self::Hourly | Self::Sessions => day.into(),
            Self::Weekly => last_closed_week(day).into(),
        }
    }

    /// The facts that its own figures are counted from: how fresh those are, is how fresh it can be.
    #[must_use]
    pub const fn facts(self) -> &'static [Fact] {
        match self {
            Self::Daily => &[
                Fact::Users,
                Fact::UserSessions,
                Fact::Subscriptions,
                Fact::Payments,
                Fact::Swipes,
                Fact::Matches,
                Fact::Interactions,
                Fact::Messages,
                Fact::Reports,
                Fact::ModerationActions,
                Fact::Events,
            ],
            Self::Hourly => &[
                Fact::Users,
                Fact::UserSessions,
                Fact::Interactions,
                Fact::MatchingQueue,
                Fact::Messages,
                Fact::Events,
            ],
            Self::Weekly => &[Fact::Users, Fact::UserSessions, Fact::Payments, Fact::Matches],
            Self::Sessions => &[
                Fact::Users,
                Fact::UserSessions,
                Fact::Interactions,
                Fact::MatchingQueue,
                Fact::Matches,
                Fact::Messages,
                Fact::SessionTelemetry,
            ],
        }
    }
}

/// The last Monday to Sunday that was over when the day began.
fn last_closed_week(day: NaiveDate) -> DayWindow {
    let monday = day - Days::new(day.weekday().num_days_from_monday().into());
    DayWindow::new(monday - Days::new(7), monday).expect("a week has seven days")
}

impl RunStatus {
    /// Whether the run is over, for good or bad.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// Whether the run published its results.
    #[must_use]
    pub const fn published(self) -> bool {
        matches!(self, Self::Completed | Self::Partial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: &str, end: &str) -> Interval {
        Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_date_a_run_covers_what_was_closed_last_and_what_goes_on() {
        // A Sunday.
        let now = "2024-11-17T14:35:07Z".parse().unwrap();
        let yesterday_and_today = interval("2024-11-16T00:00:00Z", "2024-11-18T00:00:00Z");
        assert_eq!(Job::Daily.default_interval(now), yesterday_and_today);
        let two_hours = interval("2024-11-17T13:00:00Z", "2024-11-17T15:00:00Z");
        assert_eq!(Job::Hourly.default_interval(now), two_hours);
        assert_eq!(Job::Sessions.default_interval(now), two_hours);
        let two_weeks = interval("2024-11-04T00:00:00Z", "2024-11-18T00:00:00Z");
        assert_eq!(Job::Weekly.default_interval(now), two_weeks);
    }

    #[test]
    fn an_hour_that_begins_with_the_day_is_preceded_by_yesterdays_last() {
        let midnight = "2024-03-01T00:00:00Z".parse().unwrap();
        let two_hours = interval("2024-02-29T23:00:00Z", "2024-03-01T01:00:00Z");
        assert_eq!(Job::Hourly.default_interval(midnight), two_hours);
    }

    #[test]
    fn on_a_monday_the_week_before_it_is_the_closed_one() {
        let monday = "2024-11-18T00:00:00Z".parse().unwrap();
        let to_monday = interval("2024-11-11T00:00:00Z", "2024-11-19T00:00:00Z");
        assert_eq!(Job::Weekly.default_interval(monday), to_monday);
        let closed = interval("2024-11-11T00:00:00Z", "2024-11-18T00:00:00Z");
        assert_eq!(Job::Weekly.interval_of(day("2024-11-18")), closed);
        assert_eq!(Job::Weekly.interval_of(day("2024-11-24")), closed);
        let before = interval("2024-11-04T00:00:00Z", "2024-11-11T00:00:00Z");
        assert_eq!(Job::Weekly.interval_of(day("2024-11-17")), before);
    }

    #[test]
    fn a_date_is_its_day_for_the_jobs_that_know_days() {
        let whole = interval("2024-12-31T00:00:00Z", "2025-01-01T00:00:00Z");
        for job in [Job::Daily, Job::Hourly, Job::Sessions] {
            assert_eq!(job.interval_of(day("2024-12-31")), whole);
        }
    }
}
