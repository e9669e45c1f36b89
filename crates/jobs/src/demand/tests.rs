//! What runs compute on a Tuesday in March, on whose morning everything stands that was computed before.

mod sessions;
mod unsettled;
mod withheld;

use super::*;

const NIGHT: &str = "2026-03-10T00:05:00Z";
const MORNING: &str = "2026-03-10T09:05:00Z";

/// All that a demand follows from, owned.
struct World {
    job: Job,
    asked: Interval,
    withheld: BTreeSet<NaiveDate>,
    backfill: bool,
    as_of: Instant,
    changes: Changes,
    event_hours: BTreeSet<Partition>,
    computed: BTreeMap<&'static str, BTreeSet<NaiveDate>>,
    unsettled: BTreeMap<&'static str, BTreeSet<NaiveDate>>,
    followed: BTreeSet<NaiveDate>,
    immature: BTreeSet<NaiveDate>,
    funnel_days: u64,
}

impl World {
    /// A run as the ticker starts it; the tables stand for the last hundred days and today.
    fn ticked(job: Job, now: &str) -> Self {
        let as_of: Instant = now.parse().unwrap();
        let days: BTreeSet<_> = (0..=100).map(|n| as_of.date_naive() - Days::new(n)).collect();
        Self {
            job,
            asked: job.default_interval(as_of),
            withheld: BTreeSet::new(),
            backfill: false,
            as_of,
            changes: Changes::default(),
            event_hours: BTreeSet::new(),
            computed: tables_of(job).iter().map(|table| (table.name, days.clone())).collect(),
            unsettled: BTreeMap::new(),
            followed: days,
            immature: BTreeSet::new(),
            funnel_days: 14,
        }
    }

    /// The nightly run over one day.
    fn daily(asked: &str) -> Self {
        Self {
            asked: day(asked).into(),
            ..Self::ticked(Job::Daily, MORNING)
        }
    }

    /// A backfill of the days from `from` up to, and without, `to`.
    fn backfill(job: Job, from: &str, to: &str) -> Self {
        Self {
            asked: DayWindow::new(day(from), day(to)).unwrap().into(),
            backfill: true,
            ..Self::ticked(job, MORNING)
        }
    }

    fn changed(mut self, fact: Fact, date: &str) -> Self {
        self.changes.note(fact, [day(date)]);
        self
    }

    fn unsettled(mut self, table: &SummaryTable, dates: &[&str]) -> Self {
        self.unsettled
            .insert(table.name, dates.iter().map(|date| day(date)).collect());
        self
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            job: self.job,
            asked: self.asked,
            withheld: &self.withheld,
            backfill: self.backfill,
            as_of: self.as_of,
            changes: &self.changes,
            event_hours: &self.event_hours,
            computed: &self.computed,
            unsettled: &self.unsettled,
            followed: &self.followed,
            immature: &self.immature,
            funnel_days: self.funnel_days,
            events_since: day("2026-02-20"),
        }
    }

    fn demand(&self) -> Demand {
        self.situation().demand()
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn shown<T: ToString>(windows: &[T]) -> Vec<String> {
    windows.iter().map(ToString::to_string).collect()
}

fn instants(texts: &[&str]) -> BTreeSet<Instant> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_daily_run_restates_the_days_that_changed_and_no_more() {
    let demand = World::daily("2026-03-09")
        .changed(Fact::Swipes, "2026-03-01")
        .changed(Fact::Swipes, "2026-02-02")
        .demand();
    assert_eq!(shown(&demand.figures), ["2026-03-01", "2026-03-09"]);
    assert_eq!(shown(&demand.session_windows), ["2026-03-09"]);
    let rest = Demand {
        figures: Vec::new(),
        followed: Vec::new(),
        entries: Vec::new(),
        funnel_windows: Vec::new(),
        session_windows: Vec::new(),
        ..demand
    };
    assert_eq!(rest, Demand::default());
}

#[test]
fn the_few_days_between_two_are_computed_with_them_where_they_stand() {
    let mut world = World::daily("2026-03-09").changed(Fact::Swipes, "2026-03-04");
    assert_eq!(shown(&world.demand().figures), ["2026-03-04 to 2026-03-10 (exclusive)"]);
    for days in world.computed.values_mut() {
        days.remove(&day("2026-03-06"));
    }
    assert_eq!(shown(&world.demand().figures), ["2026-03-04", "2026-03-09"]);
}

#[test]
fn what_no_funnel_is_followed_through_takes_nobody_further() {
    let mut world = World::daily("2026-03-09").changed(Fact::Subscriptions, "2026-03-01");
    assert_eq!(shown(&world.demand().followed), ["2026-03-09"]);
    world = world.changed(Fact::Events, "2026-03-01");
    assert_eq!(
        shown(&world.demand().followed),
        ["2026-02-15 to 2026-03-02 (exclusive)", "2026-03-09"]
    );
}

#[test]
fn a_session_restates_what_looks_back_at_it() {
    let demand = World::daily("2026-03-09")
        .changed(Fact::UserSessions, "2026-03-05")
        .demand();
    assert_eq!(shown(&demand.figures), ["2026-03-05 to 2026-03-11 (exclusive)"]);
    assert_eq!(shown(&demand.session_windows), ["2026-03-05 to 2026-03-11 (exclusive)"]);
}

#[test]
fn a_change_takes_those_further_who_entered_within_the_window_before_it() {
    let demand = World::daily("2026-03-09")
        .changed(Fact::Messages, "2026-03-01")
        .demand();
    assert_eq!(
        shown(&demand.entries),
        ["2026-02-15 to 2026-03-02 (exclusive)", "2026-03-09"]
    );
    assert_eq!(
        shown(&demand.funnel_windows),
        ["2026-02-15 to 2026-03-11 (exclusive)"],
        "windows that end later hold those entries"
    );
}

#[test]
fn people_who_entered_before_the_first_computed_date_are_followed_for_the_windows_that_hold_them() {
    let mut world = World::daily("2026-03-09").changed(Fact::Messages, "2026-03-01");
    let computed = world.computed.get_mut(CONVERSION_FUNNELS.name).unwrap();
    computed.retain(|date| *date >= day("2026-02-27"));
    let demand = world.demand();
    assert_eq!(
        shown(&demand.followed),
        ["2026-02-15 to 2026-03-02 (exclusive)", "2026-03-09"]
    );
    assert_eq!(
        shown(&demand.entries),
        ["2026-02-27 to 2026-03-02 (exclusive)", "2026-03-09"]
    );
}

#[test]
fn entries_older_than_what_is_restated_stay_as_they_are() {
    let demand = World::daily("2026-03-09")
        .changed(Fact::Messages, "2026-02-05")
        .demand();
    assert_eq!(
        shown(&demand.entries),
        ["2026-02-03 to 2026-02-06 (exclusive)", "2026-03-09"]
    );
}

#[test]
fn immature_entry_dates_are_computed_again() {
    let mut world = World::daily("2026-03-09");
    world.immature = ["2026-02-02", "2026-03-02"].map(day).into();
    let demand = world.demand();
    assert_eq!(shown(&demand.entries), ["2026-02-02", "2026-03-02", "2026-03-09"]);
    assert_eq!(shown(&demand.followed), ["2026-03-09"]);
    assert_eq!(shown(&demand.figures), ["2026-03-09"]);
}

#[test]
fn in_a_window_longer_than_what_is_restated_people_are_followed_to_its_end() {
    let mut world = World::daily("2026-03-09")
        .changed(Fact::Messages, "2026-03-08")
        .changed(Fact::Messages, "2026-01-20");
    world.funnel_days = 60;
    world.immature = ["2026-01-15", "2026-02-01"].map(day).into();
    let demand = world.demand();
    assert_eq!(
        shown(&demand.followed),
        ["2026-01-15", "2026-02-01", "2026-02-03 to 2026-03-10 (exclusive)"],
        "not who entered in between and has had all of the window"
    );
    assert_eq!(demand.entries, demand.followed);
}

#[test]
fn an_hourly_run_refreshes_today() {
    let demand = World::ticked(Job::Hourly, MORNING).demand();
    for windows in [
        &demand.figures,
        &demand.entries,
        &demand.funnel_windows,
        &demand.session_windows,
    ] {
        assert_eq!(shown(windows), ["2026-03-10"]);
    }
    let two_hours = ["2026-03-10T08:00Z to 2026-03-10T10:00Z"];
    assert_eq!(shown(&demand.hours), two_hours);
    assert_eq!(shown(&demand.events), two_hours);
}

#[test]
fn at_the_turn_of_the_day_an_hourly_run_refreshes_yesterday_too_and_none_before_it() {
    let mut world = World::ticked(Job::Hourly, NIGHT);
    assert_eq!(shown(&world.demand().figures), ["2026-03-09 to 2026-03-11 (exclusive)"]);

    let downtime = Interval::new(day_start(day("2026-03-06")), world.asked.end()).unwrap();
    world.asked = downtime;
    let demand = world.demand();
    assert_eq!(shown(&demand.figures), ["2026-03-09 to 2026-03-11 (exclusive)"]);
    assert_eq!(demand.hours, [downtime]);
}

#[test]
fn a_backfill_refreshes_nothing_and_ends_with_the_current_hour() {
    let hourly = World::backfill(Job::Hourly, "2026-03-09", "2026-03-12").demand();
    assert_eq!(shown(&hourly.hours), ["2026-03-09T00:00Z to 2026-03-10T10:00Z"]);
    for windows in [
        &hourly.figures,
        &hourly.entries,
        &hourly.funnel_windows,
        &hourly.session_windows,
    ] {
        assert_eq!(windows, &[]);
    }
    let sessions = World::backfill(Job::Sessions, "2026-03-09", "2026-03-12").demand();
    assert_eq!(
        shown(&sessions.sessions),
        ["2026-03-09 to 2026-03-11 (exclusive)"],
        "to today"
    );
    assert_eq!(sessions.hours, []);
}

#[test]
fn hours_are_computed_again_on_a_changed_day_and_the_one_that_its_spans_reach() {
    let demand = World::ticked(Job::Hourly, MORNING)
        .changed(Fact::UserSessions, "2026-03-05")
        .changed(Fact::Payments, "2026-03-01")
        .demand();
    assert_eq!(
        shown(&demand.hours),
        [
            "2026-03-05 to 2026-03-07 (exclusive)",
            "2026-03-10T08:00Z to 2026-03-10T10:00Z"
        ]
    );
}

#[test]
fn behaviour_is_rolled_up_to_the_midnights_of_what_is_asked() {
    let demand = World::backfill(Job::Hourly, "2026-03-06", "2026-03-08").demand();
    assert_eq!(
        demand.rollups,
        instants(&["2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z"])
    );
}

#[test]
fn the_last_closed_hour_stands_for_the_day_that_goes_on() {
    let morning = World::ticked(Job::Hourly, MORNING).demand();
    assert_eq!(morning.rollups, instants(&["2026-03-10T09:00:00Z"]));
    let night = World::ticked(Job::Hourly, NIGHT).demand();
    assert_eq!(
        night.rollups,
        instants(&["2026-03-10T00:00:00Z"]),
        "yesterday has just closed, and no hour of today has"
    );
    let whole_day = World::backfill(Job::Hourly, "2026-03-10", "2026-03-11").demand();
    assert_eq!(whole_day.rollups, morning.rollups);
}

#[test]
fn a_late_event_is_in_every_rollup_after_it() {
    let late = |date| {
        World::ticked(Job::Hourly, MORNING)
            .changed(Fact::Events, date)
            .demand()
            .rollups
    };
    let after = [
        "2026-03-08T00:00:00Z",
        "2026-03-09T00:00:00Z",
        "2026-03-10T00:00:00Z",
        "2026-03-10T09:00:00Z",
    ];
    assert_eq!(late("2026-03-07"), instants(&after));
    assert_eq!(late("2026-02-02"), instants(&after[3..]), "too old to be restated");
}

#[test]
fn the_warehouse_takes_the_hours_of_events_that_changed_and_days_where_no_hour_is_known() {
    let mut world = World::ticked(Job::Hourly, MORNING)
        .changed(Fact::Events, "2026-03-05")
        .changed(Fact::Events, "2026-03-09");
    world.event_hours = [Partition::hour(day("2026-03-09"), 22)].into();
    assert_eq!(
        shown(&world.demand().events),
        [
            "2026-03-05",
            "2026-03-09T22:00Z to 2026-03-09T23:00Z",
            "2026-03-10T08:00Z to 2026-03-10T10:00Z"
        ]
    );
}

#[test]
fn events_are_kept_within_the_days_of_the_warehouse() {
    let mut world = World::backfill(Job::Hourly, "2026-02-18", "2026-02-22");
    world.event_hours = [Partition::hour(day("2026-02-19"), 23)].into();
    assert_eq!(shown(&world.demand().events), ["2026-02-20 to 2026-02-22 (exclusive)"]);
}

#[test]
fn a_weekly_run_computes_thirteen_cohorts_up_to_the_week_that_is_asked() {
    let cohorts = |first, last_week| {
        Some(Cohorts {
            first: day(first),
            last_week: day(last_week),
        })
    };
    let closed = World::backfill(Job::Weekly, "2026-02-23", "2026-03-02").demand();
    assert_eq!(
        closed.cohorts,
        cohorts("2025-12-01", "2026-02-23"),
        "a closed week alone"
    );
    let ticked = World::ticked(Job::Weekly, MORNING).demand();
    assert_eq!(
        ticked.cohorts,
        cohorts("2025-12-08", "2026-03-09"),
        "thirteen of the closed week, and the current one"
    );
    let ahead = World::backfill(Job::Weekly, "2026-03-09", "2026-03-30").demand();
    assert_eq!(
        ahead.cohorts,
        cohorts("2025-12-15", "2026-03-09"),
        "no week that has not begun"
    );
}

#[test]
fn changed_days_that_are_too_old_are_named() {
    let late = |job| {
        let world = World::ticked(job, MORNING)
            .changed(Fact::Messages, "2026-02-02")
            .changed(Fact::Messages, "2026-02-03")
            .changed(Fact::Messages, "2025-01-01");
        world.situation().late()
    };
    let one = BTreeSet::from([day("2026-02-02")]);
    for job in [Job::Daily, Job::Hourly, Job::Sessions] {
        assert_eq!(late(job), one, "{job}: restated, or never computed");
    }
    assert_eq!(late(Job::Weekly), BTreeSet::new());
}
