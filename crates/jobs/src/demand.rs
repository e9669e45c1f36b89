//! What a run has to compute: a pure function of what was asked, what has changed, and what stands already.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, TimeDelta};
use kindred_lake::Partition;
use kindred_model::{DayWindow, Fact, Granularity, Instant, Interval, Job, day_start};
use kindred_warehouse::{
    ACTIVE_USER_BUCKETS, BEHAVIOR_ROLLUPS, CONVERSION_FUNNELS, DAILY_KPI_SUMMARIES, FUNNEL_WINDOWS, HOURLY_METRICS,
    LIFECYCLE_DAILY, MRR_MOVEMENTS_DAILY, RETENTION_COHORTS, REVENUE_METRICS, SEGMENT_KPI_DAILY, SESSION_ANALYTICS,
    SESSION_EXITS_DAILY, SESSION_WINDOWS, SummaryTable,
};
use serde_json::{Value, json};

use crate::funnels::FunnelFact;
use crate::steps::changes::Changes;

/// How far back a day is computed again when its facts change; what changes before that waits for a backfill.
pub(crate) const RESTATED_DAYS: u64 = 35;

/// Days between two that are computed, at most, that are computed with them.
const BRIDGED_DAYS: usize = 6;

/// Weeks of registration that a weekly run computes, the last week's own included.
const COHORTS: i64 = 13;

/// A session, a call or a stay in the queue reaches this many days beyond its own at most.
const SPAN_DAYS: u64 = 1;

/// What a run computes, by group of tables. An empty one is not computed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Key figures, segments, lifecycle, exits of sessions, buckets, money.
    pub(crate) figures: Vec<DayWindow>,
    /// Entry dates whose people are followed through the funnels, now or again.
    pub(crate) followed: Vec<DayWindow>,
    /// Entry dates whose rows are written.
    pub(crate) entries: Vec<DayWindow>,
    /// Days with which windows of funnels end.
    pub(crate) funnel_windows: Vec<DayWindow>,
    /// Days with which windows of sessions end.
    pub(crate) session_windows: Vec<DayWindow>,
    /// Hours of `hourly_metrics`.
    pub(crate) hours: Vec<Interval>,
    /// Hours whose events the warehouse takes.
    pub(crate) events: Vec<Interval>,
    /// Instants with which behaviour is rolled up.
    pub(crate) rollups: BTreeSet<Instant>,
    /// Days whose sessions are analysed.
    pub(crate) sessions: Vec<DayWindow>,
    /// The weeks of registration, and the last week, of `retention_cohorts`.
    pub(crate) cohorts: Option<Cohorts>,
}

/// Weeks, each by its Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cohorts {
    pub(crate) first: NaiveDate,
    pub(crate) last_week: NaiveDate,
}

/// What the demand follows from.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) job: Job,
    pub(crate) asked: Interval,
    /// Days whose figures were withheld from publication: they are as good as asked for.
    pub(crate) withheld: &'a BTreeSet<NaiveDate>,
    /// Whether only what is asked is wanted, and not what a ticked run does besides.
    pub(crate) backfill: bool,
    pub(crate) as_of: Instant,
    pub(crate) changes: &'a Changes,
    /// Hours of events that changed, where that is known better than by the day.
    pub(crate) event_hours: &'a BTreeSet<Partition>,
    /// The days that stand, by table.
    pub(crate) computed: &'a BTreeMap<&'static str, BTreeSet<NaiveDate>>,
    /// The days whose mirror in the lake must be made again, by table.
    pub(crate) unsettled: &'a BTreeMap<&'static str, BTreeSet<NaiveDate>>,
    /// The entry dates whose people have been followed; windows look back to some that have no rows.
    pub(crate) followed: &'a BTreeSet<NaiveDate>,
    /// Entry dates that were not mature when they were computed.
    pub(crate) immature: &'a BTreeSet<NaiveDate>,
    pub(crate) funnel_days: u64,
    /// The first day of the events in the warehouse.
    pub(crate) events_since: NaiveDate,
}

impl Demand {
    /// What the ledger keeps of it.
    pub(crate) fn detail(&self) -> Value {
        let days = |windows: &[DayWindow]| windows.iter().map(ToString::to_string).collect::<Vec<_>>();
        let hours = |intervals: &[Interval]| intervals.iter().map(ToString::to_string).collect::<Vec<_>>();
        json!({
            "figures": days(&self.figures),
            "followed": days(&self.followed),
            "entries": days(&self.entries),
            "funnelWindows": days(&self.funnel_windows),
            "sessionWindows": days(&self.session_windows),
            "hours": hours(&self.hours),
            "events": hours(&self.events),
            "rollups": self.rollups,
            "sessions": days(&self.sessions),
            "cohorts": self.cohorts.map(|weeks| format!("{} to {}", weeks.first, weeks.last_week)),
        })
    }
}

/// Days that the longest timeframe of behaviour, and the longest window of entry dates, look at.
const LONGEST_WINDOW_DAYS: u64 = 90;

impl Demand {
    /// Without what older events would be needed for, which are not kept: what was published of it stays.
    pub(crate) fn of_events_since(mut self, since: NaiveDate) -> Self {
        self.rollups
            .retain(|end| *end >= day_start(since + Days::new(LONGEST_WINDOW_DAYS)));
        let from = |windows: &[DayWindow], first: NaiveDate| {
            let days = windows.iter().flat_map(|window| window.days());
            DayWindow::covering(days.filter(|day| *day >= first))
        };
        self.followed = from(&self.followed, since);
        self.entries = from(&self.entries, since);
        self.funnel_windows = from(&self.funnel_windows, since + Days::new(LONGEST_WINDOW_DAYS - 1));
        self
    }
}

/// The tables that runs of a job write.
pub(crate) fn tables_of(job: Job) -> Vec<&'static SummaryTable> {
    let daily: [&SummaryTable; 10] = [
        &DAILY_KPI_SUMMARIES,
        &LIFECYCLE_DAILY,
        &SEGMENT_KPI_DAILY,
        &SESSION_EXITS_DAILY,
        &ACTIVE_USER_BUCKETS,
        &REVENUE_METRICS,
        &MRR_MOVEMENTS_DAILY,
        &CONVERSION_FUNNELS,
        &FUNNEL_WINDOWS,
        &SESSION_WINDOWS,
    ];
    match job {
        Job::Daily => daily.to_vec(),
        Job::Hourly => [&daily[..], &[&HOURLY_METRICS, &BEHAVIOR_ROLLUPS]].concat(),
        Job::Weekly => vec![&RETENTION_COHORTS],
        Job::Sessions => vec![&SESSION_ANALYTICS, &HOURLY_METRICS],
    }
}

impl Situation<'_> {
    pub(crate) fn demand(&self) -> Demand {
        match self.job {
            Job::Daily => self.daily(),
            Job::Hourly => self.hourly(),
            Job::Weekly => self.weekly(),
            Job::Sessions => self.sessions(),
        }
    }

    /// The computed days that changed and are too old to be restated.
    pub(crate) fn late(&self) -> BTreeSet<NaiveDate> {
        let table = match self.job {
            Job::Daily => DAILY_KPI_SUMMARIES.name,
            Job::Hourly => HOURLY_METRICS.name,
            Job::Weekly => return BTreeSet::new(),
            Job::Sessions => SESSION_ANALYTICS.name,
        };
        self.changes.late(self.oldest(), self.computed(table))
    }

    fn daily(&self) -> Demand {
        let asked: BTreeSet<_> = self.asked_days().chain(self.withheld.iter().copied()).collect();
        let restated = self
            .changes
            .restated(self.oldest(), self.today(), self.computed(DAILY_KPI_SUMMARIES.name));
        let mut figures = &asked | &restated;
        for table in [
            &DAILY_KPI_SUMMARIES,
            &LIFECYCLE_DAILY,
            &SEGMENT_KPI_DAILY,
            &SESSION_EXITS_DAILY,
            &REVENUE_METRICS,
            &MRR_MOVEMENTS_DAILY,
        ] {
            figures.extend(self.unsettled(table.name));
        }
        // A bucket lies at its first day, which may have no figures: it is made again with a day that it holds.
        let known = self.computed(DAILY_KPI_SUMMARIES.name);
        let buckets = self.unsettled(ACTIVE_USER_BUCKETS.name);
        figures.extend(buckets.filter_map(|day| known.range(day..).next().copied()));

        // Whatever happens on a day may take those further who entered within the window before it; of a window that has
        // not ended, however long ago they did.
        let changed = self.changes.of(&FunnelFact::READ);
        let before = changed
            .iter()
            .flat_map(|day| (0..=self.funnel_days).map(move |n| *day - Days::new(n)));
        let open = |day: &NaiveDate| *day >= self.oldest() || self.immature.contains(day);
        let again = before.filter(|day| self.followed.contains(day) && open(day));
        let followed: BTreeSet<_> = asked.iter().copied().chain(again).collect();

        let known = self.computed(CONVERSION_FUNNELS.name);
        let standing = followed.iter().chain(self.immature).filter(|day| known.contains(day));
        let mut entries = asked.clone();
        entries.extend(standing);
        entries.extend(self.unsettled(CONVERSION_FUNNELS.name));

        let mut funnel_windows = &asked | &self.ending_after(followed.first(), FUNNEL_WINDOWS.name);
        funnel_windows.extend(self.unsettled(FUNNEL_WINDOWS.name));
        let sessions = self.changes.of(&[Fact::Users, Fact::UserSessions]);
        let sessions = sessions.range(self.oldest()..).next();
        let mut session_windows = &asked | &self.ending_after(sessions, SESSION_WINDOWS.name);
        session_windows.extend(self.unsettled(SESSION_WINDOWS.name));
        Demand {
            figures: DayWindow::covering(self.bridged(figures)),
            followed: DayWindow::covering(followed),
            entries: DayWindow::covering(entries),
            funnel_windows: DayWindow::covering(funnel_windows),
            session_windows: DayWindow::covering(session_windows),
            ..Demand::default()
        }
    }

    fn hourly(&self) -> Demand {
        let live = if self.backfill { Vec::new() } else { self.refreshed() };
        let known = self.computed(HOURLY_METRICS.name);
        let changed = self.changes.of(&[
            Fact::Users,
            Fact::UserSessions,
            Fact::Interactions,
            Fact::MatchingQueue,
            Fact::Messages,
        ]);
        let met = changed
            .iter()
            .flat_map(|day| (0..=SPAN_DAYS).map(move |n| *day + Days::new(n)));
        let again = met.filter(|day| known.contains(day) && *day >= self.oldest());
        let again = again.chain(self.unsettled(HOURLY_METRICS.name)).map(Interval::from);
        Demand {
            figures: live.clone(),
            followed: live.clone(),
            entries: live.clone(),
            funnel_windows: live.clone(),
            session_windows: live,
            hours: self.begun(again.chain([self.asked])),
            events: self.events(),
            rollups: self.rollups(),
            ..Demand::default()
        }
    }

    fn weekly(&self) -> Demand {
        let monday = |day: NaiveDate| Granularity::Weekly.bucket_start(day_start(day)).date_naive();
        let asked = self.asked.days();
        let last_week = monday((asked.to() - Days::new(1)).min(self.today()));
        let first_week = monday(asked.from()).min(last_week);
        Demand {
            cohorts: Some(Cohorts {
                first: first_week - TimeDelta::weeks(COHORTS - 1),
                last_week,
            }),
            ..Demand::default()
        }
    }

    fn sessions(&self) -> Demand {
        let begun = self.changes.of(&[Fact::Users, Fact::UserSessions]);
        let within = self.changes.of(&[Fact::Matches, Fact::Messages]);
        let within = within
            .iter()
            .flat_map(|day| (0..=SPAN_DAYS).map(move |n| *day - Days::new(n)));
        // The app's own clock tells the day of its report: the session may have begun on the one before or after.
        let reported = self.changes.of(&[Fact::SessionTelemetry]);
        let reported = reported
            .iter()
            .flat_map(|day| [*day - Days::new(1), *day, *day + Days::new(1)]);
        let again = begun.iter().copied().chain(within).chain(reported);
        // A day on which nobody came has no rows, and may get some late.
        let first = self.computed(SESSION_ANALYTICS.name).first();
        let again = again.filter(|day| first.is_some_and(|first| first <= day) && *day >= self.oldest());
        let again = again.filter(|day| *day <= self.today());
        let days = self
            .asked_days()
            .chain(again)
            .chain(self.unsettled(SESSION_ANALYTICS.name));
        Demand {
            sessions: DayWindow::covering(days),
            hours: if self.backfill {
                Vec::new()
            } else {
                self.begun([self.asked])
            },
            ..Demand::default()
        }
    }

    /// Instants that close a day: those of the asked days, those after a day that changed; and the last closed hour.
    fn rollups(&self) -> BTreeSet<Instant> {
        let latest = Granularity::Hourly.bucket_start(self.as_of);
        let midnights = |day: NaiveDate| day_start(day + Days::new(1));
        let known = self.computed(BEHAVIOR_ROLLUPS.name);
        let mut instants: BTreeSet<_> = self.asked.days().days().map(midnights).collect();
        instants.insert(day_start(self.asked.days().from()));
        instants.retain(|at| *at > self.asked.start() && *at <= self.asked.end());
        let changed = self.event_days().next();
        let after = changed.map(|day| known.range(day + Days::new(1)..).copied().map(day_start));
        instants.extend(after.into_iter().flatten());
        instants.extend(self.unsettled(BEHAVIOR_ROLLUPS.name).map(day_start));
        // The last one stands for today, and follows every change.
        if self.asked.end() > latest || instants.iter().any(|at| at.date_naive() == latest.date_naive()) {
            instants.insert(latest);
        }
        instants.retain(|at| *at <= latest);
        instants
    }

    /// The hours of events: asked, changed, and whole days where only the day is known.
    fn events(&self) -> Vec<Interval> {
        let hours = self.event_hours.iter().map(|partition| {
            let start = day_start(partition.day) + TimeDelta::hours(partition.hour.unwrap_or_default().into());
            Interval::bucket(Granularity::Hourly, start)
        });
        let in_hours: BTreeSet<_> = self.event_hours.iter().map(|partition| partition.day).collect();
        let days = self
            .event_days()
            .filter(|day| !in_hours.contains(day))
            .map(Interval::from);
        let all = hours.chain(days).chain([self.asked]);
        let kept = all.filter_map(|interval| {
            Interval::new(interval.start().max(day_start(self.events_since)), interval.end()).ok()
        });
        Interval::covering(kept)
    }

    /// The days on which events changed, not older than what is restated.
    fn event_days(&self) -> impl Iterator<Item = NaiveDate> {
        let mut days = self.changes.of(&[Fact::Events]);
        days.extend(self.event_hours.iter().map(|partition| partition.day));
        days.retain(|day| *day >= self.oldest());
        days.into_iter()
    }

    /// The days of a live run whose figures it computes so far: the current one, and the one that just ended.
    fn refreshed(&self) -> Vec<DayWindow> {
        let days = self.asked_days().filter(|day| *day + Days::new(1) >= self.today());
        DayWindow::covering(days)
    }

    fn asked_days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let today = self.today();
        self.asked.days().days().filter(move |day| *day <= today)
    }

    /// What of the intervals has begun, to the end of the current hour.
    fn begun(&self, intervals: impl IntoIterator<Item = Interval>) -> Vec<Interval> {
        let end = Granularity::Hourly.bucket_end(self.as_of);
        Interval::covering(intervals.into_iter().filter_map(|interval| interval.until(end)))
    }

    /// Days and the few between them, where all of these stand: a window more costs as much as several days of one.
    fn bridged(&self, days: BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
        let known = self.computed(DAILY_KPI_SUMMARIES.name);
        let pairs = days.iter().zip(days.iter().skip(1));
        let gaps = pairs.map(|(from, to)| from.iter_days().skip(1).take_while(move |day| day < to));
        let gaps = gaps.map(Iterator::collect::<BTreeSet<_>>);
        let bridges = gaps.filter(|gap| gap.len() <= BRIDGED_DAYS && gap.is_subset(known));
        let bridges: BTreeSet<_> = bridges.flatten().collect();
        &days | &bridges
    }

    /// The computed days of a table from a day on: windows that end with them hold it.
    fn ending_after(&self, day: Option<&NaiveDate>, table: &str) -> BTreeSet<NaiveDate> {
        let from = day.map(|day| self.oldest().max(*day));
        from.map(|from| self.computed(table).range(from..).copied().collect())
            .unwrap_or_default()
    }

    fn computed(&self, table: &str) -> &BTreeSet<NaiveDate> {
        static NONE: BTreeSet<NaiveDate> = BTreeSet::new();
        self.computed.get(table).unwrap_or(&NONE)
    }

    fn unsettled<'a>(&'a self, table: &str) -> impl Iterator<Item = NaiveDate> + use<'a> {
        let (oldest, today) = (self.oldest(), self.today());
        let days = self.unsettled.get(table).into_iter().flatten().copied();
        days.filter(move |day| (oldest..=today).contains(day))
    }

    fn today(&self) -> NaiveDate {
        self.as_of.date_naive()
    }

    fn oldest(&self) -> NaiveDate {
        self.today() - Days::new(RESTATED_DAYS)
    }
}

#[cfg(test)]
mod tests;
