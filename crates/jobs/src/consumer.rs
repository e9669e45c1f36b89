//! Who computes from facts: the jobs, and the states of the lake that they share.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use kindred_lake::Partition;
use kindred_model::{Fact, Job};
use kindred_warehouse::PendingChange;
use uuid::Uuid;

use crate::steps::changes::Changes;
use crate::steps::datasets::{ACTIVE_DAYS, ALIASES, EVENT_COUNTS, FIRST_MOMENTS};

/// A consumer of facts. What a run changes in the lake is left to those that it does not serve itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Consumer {
    ActiveDays,
    EventCounts,
    Aliases,
    FirstMoments,
    Daily,
    Hourly,
    Sessions,
    /// The daily job again: days whose figures contradicted each other, and were not published.
    Withheld,
}

impl Consumer {
    const ALL: [Self; 8] = [
        Self::ActiveDays,
        Self::EventCounts,
        Self::Aliases,
        Self::FirstMoments,
        Self::Daily,
        Self::Hourly,
        Self::Sessions,
        Self::Withheld,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ActiveDays => ACTIVE_DAYS,
            Self::EventCounts => EVENT_COUNTS,
            Self::Aliases => ALIASES,
            Self::FirstMoments => FIRST_MOMENTS,
            Self::Daily => Job::Daily.as_str(),
            Self::Hourly => Job::Hourly.as_str(),
            Self::Sessions => Job::Sessions.as_str(),
            Self::Withheld => "withheld",
        }
    }

    /// The facts that it computes from. A change of another one says nothing to it.
    pub(crate) const fn facts(self) -> &'static [Fact] {
        use Fact::{
            Events, Interactions, Matches, MatchingQueue, Messages, ModerationActions, Payments, Reports,
            SessionTelemetry, Subscriptions, Swipes, UserSessions, Users,
        };
        match self {
            Self::ActiveDays => &[UserSessions],
            Self::EventCounts | Self::Aliases => &[Events],
            Self::FirstMoments => &[Users, UserSessions, Payments, Swipes, Matches, Messages, Events],
            Self::Daily => &[
                Users,
                UserSessions,
                Subscriptions,
                Payments,
                Swipes,
                Matches,
                Interactions,
                Messages,
                Reports,
                ModerationActions,
                Events,
            ],
            Self::Hourly => &[Users, UserSessions, Interactions, MatchingQueue, Messages, Events],
            Self::Sessions => &[UserSessions, Matches, SessionTelemetry, Messages],
            // It does not wait for a change.
            Self::Withheld => &[],
        }
    }

    /// Those that a run of the job serves: the states that it needs, and itself. A weekly run computes all of its cells
    /// each time, whatever changed.
    pub(crate) fn served_by(job: Job) -> BTreeSet<Self> {
        let states = [Self::ActiveDays, Self::EventCounts, Self::Aliases, Self::FirstMoments];
        match job {
            Job::Daily => states.into_iter().chain([Self::Daily, Self::Withheld]).collect(),
            Job::Hourly => states.into_iter().chain([Self::Hourly]).collect(),
            Job::Weekly => BTreeSet::from([Self::ActiveDays]),
            Job::Sessions => BTreeSet::from([Self::Sessions]),
        }
    }

    /// The job's own, if it looks at changes.
    pub(crate) const fn of(job: Job) -> Option<Self> {
        match job {
            Job::Daily => Some(Self::Daily),
            Job::Hourly => Some(Self::Hourly),
            Job::Weekly => None,
            Job::Sessions => Some(Self::Sessions),
        }
    }
}

/// What the runs before this one left to the consumers.
#[derive(Debug, Default)]
pub(crate) struct Pending(Vec<PendingChange>);

impl Pending {
    pub(crate) const fn new(changes: Vec<PendingChange>) -> Self {
        Self(changes)
    }

    /// What a consumer has to look at: what was left to it, and what this run saw.
    pub(crate) fn of(&self, consumer: Consumer, seen: &Changes) -> Changes {
        let mut changes = Changes::default();
        let left = self.0.iter().filter(|change| change.consumer == consumer.name());
        left.for_each(|change| changes.note(change.fact, [change.day]));
        let heard = seen.iter().filter(|(fact, _)| consumer.facts().contains(fact));
        heard.for_each(|(fact, day)| changes.note(fact, [day]));
        changes
    }

    /// The days whose figures were withheld, and have not been computed since.
    pub(crate) fn withheld(&self) -> BTreeSet<NaiveDate> {
        let withheld = self
            .0
            .iter()
            .filter(|change| change.consumer == Consumer::Withheld.name());
        withheld.map(|change| change.day).collect()
    }

    /// Of hours of events that changed, those of days of which not more is known to have changed.
    pub(crate) fn hours_known(&self, job: Job, mut hours: BTreeSet<Partition>) -> BTreeSet<Partition> {
        let whole = Consumer::of(job).map(|consumer| self.of(consumer, &Changes::default()).of(&[Fact::Events]));
        let whole = whole.unwrap_or_default();
        hours.retain(|hour| !whole.contains(&hour.day));
        hours
    }

    /// What was left to consumers that this run serves.
    pub(crate) fn settled(self, served: &BTreeSet<Consumer>) -> Vec<PendingChange> {
        let names: BTreeSet<_> = served.iter().map(|consumer| consumer.name()).collect();
        let left = self.0.into_iter();
        left.filter(|change| names.contains(change.consumer.as_str())).collect()
    }
}

/// What a run leaves whose figures of these days were withheld: the next daily run computes them again, asked or not.
pub(crate) fn withheld(days: impl IntoIterator<Item = NaiveDate>, run_id: Uuid) -> Vec<PendingChange> {
    let again = |day| PendingChange {
        consumer: Consumer::Withheld.name().to_owned(),
        // Of whichever fact: all are read.
        fact: Fact::Users,
        day,
        noted_by: run_id,
    };
    days.into_iter().map(again).collect()
}

/// What a run that saw these changes leaves to the consumers that it does not serve.
pub(crate) fn left_over(seen: &Changes, served: &BTreeSet<Consumer>, run_id: Uuid) -> Vec<PendingChange> {
    let others = Consumer::ALL.into_iter().filter(|consumer| !served.contains(consumer));
    let each = |consumer: Consumer| {
        let heard = seen.iter().filter(move |(fact, _)| consumer.facts().contains(fact));
        heard.map(move |(fact, day)| PendingChange {
            consumer: consumer.name().to_owned(),
            fact,
            day,
            noted_by: run_id,
        })
    };
    others.flat_map(each).collect()
}

/// The facts that a job reads. The daily one reads all, since it is the one that holds the lake against the sources.
pub(crate) fn facts_of(job: Job) -> Vec<Fact> {
    use Fact::{Interactions, Matches, MatchingQueue, Messages, Payments, SessionTelemetry, UserSessions, Users};
    match job {
        Job::Daily => Fact::ALL.to_vec(),
        // Beside its own tables it computes today's rows of the daily ones.
        Job::Hourly => [Consumer::Daily.facts(), &[MatchingQueue]].concat(),
        Job::Weekly => vec![Users, UserSessions, Matches, Payments],
        Job::Sessions => vec![
            Users,
            UserSessions,
            Matches,
            Interactions,
            MatchingQueue,
            SessionTelemetry,
            Messages,
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_reads_every_fact_that_it_is_told_about() {
        for job in Job::ALL {
            let read = facts_of(*job);
            for consumer in Consumer::served_by(*job) {
                if consumer != Consumer::FirstMoments {
                    assert!(
                        consumer.facts().iter().all(|fact| read.contains(fact)),
                        "{job} serves {consumer:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_job_reads_every_fact_that_tells_how_fresh_it_is() {
        for job in Job::ALL {
            let read = facts_of(*job);
            assert!(job.facts().iter().all(|fact| read.contains(fact)), "{job}");
        }
    }

    #[test]
    fn what_a_run_does_not_serve_is_left_and_what_it_serves_is_settled() {
        let day = "2026-01-05".parse().unwrap();
        let mut seen = Changes::default();
        seen.note(Fact::UserSessions, [day]);
        let served = Consumer::served_by(Job::Sessions);
        let left = left_over(&seen, &served, Uuid::nil());
        let names: Vec<_> = left.iter().map(|change| change.consumer.as_str()).collect();
        assert_eq!(names, ["active_days", "first_moments", "daily", "hourly"]);

        let pending = Pending::new(left);
        assert_eq!(pending.of(Consumer::Daily, &Changes::default()), seen);
        assert!(
            pending
                .of(Consumer::Sessions, &Changes::default())
                .of(&[Fact::UserSessions])
                .is_empty()
        );
        assert_eq!(pending.settled(&Consumer::served_by(Job::Daily)).len(), 3);
    }
}
