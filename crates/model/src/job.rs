//! The jobs, and the states that a run of one goes through.

use crate::words;

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
