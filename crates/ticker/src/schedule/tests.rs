use chrono::{Datelike, TimeDelta, Timelike, Weekday};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn schedule(expression: &str) -> Schedule {
    expression.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The first ticks after an instant, as `MM-DDTHH:MM`.
fn ticks(expression: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(expression);
    let first = schedule.next_after(at(after));
    std::iter::successors(first, |tick| schedule.next_after(*tick))
        .take(count)
        .map(|tick| tick.format("%m-%dT%H:%M").to_string())
        .collect()
}

#[test]
fn the_weekly_default_is_a_monday() {
    let weekly = Schedule::default_of(Job::Weekly);
    assert_eq!(weekly.to_string(), "0 2 * * 1");
    let mut tick = at("2026-01-01T00:00:00Z");
    for _ in 0..120 {
        tick = weekly.next_after(tick).unwrap();
        assert_eq!((tick.weekday(), tick.hour(), tick.minute()), (Weekday::Mon, 2, 0));
    }
}

#[test]
fn zero_and_seven_and_the_name_are_sunday() {
    for sunday in ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN"] {
        assert_eq!(ticks(sunday, "2026-02-27T00:00:00Z", 2), ["03-01T00:00", "03-08T00:00"]);
    }
}

#[test]
fn steps_lists_ranges_and_names_are_those_of_any_cron() {
    let from = "2026-02-27T23:40:00Z";
    assert_eq!(
        ticks("*/15 * * * *", from, 3),
        ["02-27T23:45", "02-28T00:00", "02-28T00:15"]
    );
    assert_eq!(
        ticks("5,35 0 * * *", from, 3),
        ["02-28T00:05", "02-28T00:35", "03-01T00:05"]
    );
    assert_eq!(
        ticks("0 8-9 * * mon-fri", from, 3),
        ["03-02T08:00", "03-02T09:00", "03-03T08:00"]
    );
    assert_eq!(
        ticks("0 0-23/12 * * *", from, 3),
        ["02-28T00:00", "02-28T12:00", "03-01T00:00"]
    );
    assert_eq!(ticks("0 0 1 jan,Jul *", from, 2), ["07-01T00:00", "01-01T00:00"]);
    assert_eq!(
        ticks("0 0 31 * *", from, 3),
        ["03-31T00:00", "05-31T00:00", "07-31T00:00"]
    );
}

#[test]
fn a_leap_day_comes_in_leap_years_only() {
    let leap = schedule("0 0 29 2 *");
    assert_eq!(
        leap.next_after(at("2026-03-01T00:00:00Z")),
        Some(at("2028-02-29T00:00:00Z"))
    );
    assert_eq!(
        leap.next_after(at("2096-03-01T00:00:00Z")),
        Some(at("2104-02-29T00:00:00Z"))
    );
}

#[test]
fn of_a_day_of_the_month_and_one_of_the_week_either_will_do() {
    let either = ticks("0 0 13 * fri", "2026-03-10T00:00:00Z", 4);
    assert_eq!(either, ["03-13T00:00", "03-20T00:00", "03-27T00:00", "04-03T00:00"]);
    assert_eq!(ticks("0 0 13 * fri", "2026-04-11T00:00:00Z", 1), ["04-13T00:00"]);
}

#[test]
fn a_tick_is_the_latest_from_its_own_instant_on() {
    let hourly = Schedule::default_of(Job::Hourly);
    let tick = at("2026-03-01T10:05:00Z");
    assert_eq!(hourly.latest(tick), Some(tick));
    assert_eq!(hourly.latest(at("2026-03-01T10:05:00.999Z")), Some(tick));
    assert_eq!(
        hourly.latest(at("2026-03-01T10:04:59.999Z")),
        Some(at("2026-03-01T09:05:00Z"))
    );
    assert_eq!(hourly.latest_before(tick), Some(at("2026-03-01T09:05:00Z")));
    assert_eq!(hourly.next_after(at("2026-03-01T10:04:59.999Z")), Some(tick));
    assert_eq!(hourly.next_after(tick), Some(at("2026-03-01T11:05:00Z")));
}

#[test]
fn what_is_not_standard_cron_is_refused_by_name() {
    let refused = [
        ("", "has 0 fields"),
        ("@daily", "has 1 fields"),
        ("0 0 1 * * *", "has 6 fields"),
        ("0 0 1 1 * * 2026", "has 7 fields"),
        ("0 1 * *", "has 4 fields"),
        ("0 1 L * *", "`L` in"),
        ("0 1 15W * *", "`15W` in"),
        ("0 1 * * 1#2", "`1#2` in"),
        ("0 1 ? * 1", "`?` in"),
        ("jan 1 * * *", "`jan` in"),
        ("0 1 * * monday", "`monday` in"),
        ("0 1 * mon *", "`mon` in"),
        ("0 1 * * +1", "`+1` in"),
        ("0 -1 * * *", "`` in"),
        ("0 1, * * *", "`` in"),
        ("/5 * * * *", "`` in"),
        ("60 * * * *", "cannot be read"),
        ("0 24 * * *", "cannot be read"),
        ("0 0 0 * *", "cannot be read"),
        ("0 0 * 13 *", "cannot be read"),
        ("0 0 * * 8", "cannot be read"),
        ("*/0 * * * *", "cannot be read"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
    ];
    for (expression, why) in refused {
        let error = expression.parse::<Schedule>().expect_err(expression).to_string();
        assert!(error.contains(why), "{expression}: {error}");
        assert!(
            error.contains(&format!("`{expression}`")) && error.contains("such as `0 1 * * *`"),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn ticks_are_exactly_the_minutes_that_match(
        minutes in prop::collection::btree_set(0_u32..60, 1..4),
        hours in prop::collection::btree_set(0_u32..24, 1..4),
        start in 0_i64..2_000_000_000,
    ) {
        let list = |set: &std::collections::BTreeSet<u32>| {
            set.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let schedule = schedule(&format!("{} {} * * *", list(&minutes), list(&hours)));
        let start = DateTime::from_timestamp(start, 0).unwrap();
        let matches = |at: &Instant| at.second() == 0 && minutes.contains(&at.minute()) && hours.contains(&at.hour());
        let first_minute = start.trunc_subsecs(0) - TimeDelta::seconds(start.second().into());
        let expected: Vec<_> = (0..2 * 24 * 60)
            .map(|minute| first_minute + TimeDelta::minutes(minute))
            .filter(|at| matches(at) && *at > start)
            .collect();
        let last = first_minute + TimeDelta::days(2);
        let ticks: Vec<_> = std::iter::successors(schedule.next_after(start), |tick| schedule.next_after(*tick))
            .take_while(|tick| *tick < last)
            .collect();
        prop_assert_eq!(&ticks, &expected);
        let back: Vec<_> = std::iter::successors(schedule.latest_before(last), |tick| schedule.latest_before(*tick))
            .take_while(|tick| *tick > start)
            .collect();
        prop_assert!(back.iter().rev().eq(&ticks));
    }
}

/// Cron fields, mostly such as are written, and what is written in their place by mistake.
fn field() -> impl Strategy<Value = String> {
    let pieces = [
        "*",
        "0",
        "1",
        "5",
        "7",
        "15",
        "23",
        "29",
        "30",
        "31",
        "59",
        "60",
        "99999999999",
        ",",
        "-",
        "/",
        "?",
        "L",
        "W",
        "#",
        "mon",
        "FRI",
        "feb",
        "@",
        "+",
        "é",
        "\0",
        "**",
        "*/0",
        "*/15",
        "5-1",
        "1-5/2",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..4).prop_map(|pieces| pieces.concat())
}

fn expression() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::collection::vec(field(), 5).prop_map(|fields| fields.join(" ")),
        2 => prop::collection::vec(field(), 0..8).prop_map(|fields| fields.join("\t ")),
        1 => ".{0,60}",
    ]
}

mod fuzz {
    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_schedule_that_comes_or_is_refused_with_itself(text in expression(), at in 0_i64..4_000_000_000) {
            match text.parse::<Schedule>() {
                Ok(schedule) => {
                    let written = schedule.to_string();
                    prop_assert_eq!(&written.parse::<Schedule>().unwrap(), &schedule);
                    let at = DateTime::from_timestamp(at, 0).unwrap();
                    // The 29th of February comes within eight years, on a given weekday within forty.
                    let next = schedule.next_after(at).expect("it comes");
                    prop_assert!(next > at && next.second() == 0, "{} after {}", next, at);
                    prop_assert_eq!(schedule.latest(next), Some(next));
                    let before = schedule.latest_before(next);
                    prop_assert!(before.is_none_or(|before| before <= at), "{:?} lies between {} and {}", before, at, next);
                }
                Err(error) => {
                    let words: Vec<_> = text.split_whitespace().collect();
                    prop_assert!(error.to_string().contains(&words.join(" ")), "{}", error);
                }
            }
        }
    }
}
