//! What comes out when what comes in is wrong: events in files here, rows of source tables in [`rows`].

mod hostile;
mod hostile_rows;
mod rows;

use std::fs;

use kindred_model::{Job, RunStatus, Source};
use kindred_testkit::TestDatabase;
use kindred_warehouse::{Run, SUMMARY_TABLES};
use serde_json::json;
use tempfile::TempDir;

use super::{history, population};
use crate::support::World;
use crate::support::world::run_sql;

const EMPTY: &str =
    "truncate users, user_profiles, user_sessions, subscriptions, payments, swipes, matches, interactions,
    matching_queue, session_telemetry, behavior_events, messages, reports, moderation_actions";
const SOMEBODY: &str = "11111111-1111-4111-8111-111111111111";

/// A platform of nobody, at 10:30 on 2026-03-15, whose events come from a folder.
struct Files {
    world: World,
    folder: TempDir,
}

/// An event of a device or a user, as a line; each must have been received by 10:30.
struct Line {
    id: &'static str,
    who: &'static [(&'static str, &'static str)],
    platform: Option<&'static str>,
    at: &'static str,
    received: &'static str,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            id: "e",
            who: &[("anonymous_id", "a device")],
            platform: Some("ios"),
            at: "2026-03-15T09:10:00Z",
            received: "2026-03-15T09:20:00Z",
        }
    }
}

impl Line {
    fn text(&self) -> String {
        let mut line = json!({
            "event_id": self.id, "event_name": "tap", "platform": self.platform,
            "event_time": self.at, "received_at": self.received,
        });
        for (name, id) in self.who {
            line[name] = (*id).into();
        }
        line.to_string()
    }
}

impl Files {
    async fn none() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = TestDatabase::from_template(&history().await, "source").await;
        run_sql(&source, EMPTY).await;
        let address = format!("file://{}", folder.path().display());
        let world = World::over(source.into(), population().until, |sources| {
            sources.insert(Source::Events, address);
        });
        Self {
            world: world.await,
            folder,
        }
    }

    /// Puts a file there and runs the hourly job, ten minutes later.
    async fn arrive(&self, name: &str, lines: &[String]) -> Run {
        fs::write(self.folder.path().join(name), lines.join("\n")).unwrap();
        self.world.wait(10);
        let run = self.world.trigger(Job::Hourly).await;
        let run = run.unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)));
        assert_eq!(run.status, RunStatus::Completed);
        self.world.assert_sound().await;
        run
    }

    /// The events of the warehouse, each with its time.
    async fn events(&self) -> String {
        let sql = "select string_agg(event_id || ' ' || to_char(event_time at time zone 'UTC', 'DD HH24:MI'), ', '
                order by event_time, event_id)
            from user_behavior_events";
        self.world.ask(sql).await.unwrap_or_default()
    }

    /// Events and people of the last 90 days, by the value of a facet.
    async fn rollup(&self, facet: &str) -> String {
        let sql = format!(
            "select string_agg(facet_value || ' ' || event_count || '/' || unique_users, ', ' order by facet_value)
             from behavior_rollups where timeframe = '90d' and event_name = '*' and facet = '{facet}'
                and as_of = (select max(as_of) from behavior_rollups)"
        );
        self.world.ask(&sql).await.unwrap_or_default()
    }
}

/// A statement for every table that a run writes in its one transaction, but the ledger.
fn each_table(sql: &str) -> String {
    let tables = [
        "lake_partitions",
        "source_watermarks",
        "event_files",
        "pending_changes",
        "kpi_revisions",
        "user_behavior_events",
    ];
    let all = tables.into_iter().chain(SUMMARY_TABLES.iter().map(|table| table.name));
    all.map(|table| sql.replace('$', table)).collect()
}

/// Keeps what the warehouse holds.
async fn keep(world: &World) {
    let copies = each_table("create table kept.$ as table $;");
    run_sql(&world.warehouse, &format!("create schema kept; {copies}")).await;
}

/// Takes back what was committed since; the lake stays ahead.
async fn restore(world: &World) {
    run_sql(&world.warehouse, &each_table("truncate $; insert into $ table kept.$;")).await;
}

/// The value that a run notes of its events.
fn noted(run: &Run, what: &str) -> u64 {
    run.data_quality_checks["events"][what].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_copies_of_an_event_the_one_that_arrived_first_counts_even_when_it_is_read_last() {
    let files = Files::none().await;
    let x = |at, received| {
        Line {
            id: "x",
            at,
            received,
            ..Line::default()
        }
        .text()
    };
    let later = x("2026-03-15T09:10:00Z", "2026-03-15T09:20:00Z");
    files.arrive("1.ndjson", &[later.clone(), later]).await;
    assert_eq!(files.events().await, "x 15 09:10");
    assert_eq!(files.rollup("all").await, "* 1/1");

    // On another day, and read an hour later: it takes the other's place.
    let first = x("2026-03-14T23:50:00Z", "2026-03-14T23:55:00Z");
    files.arrive("2.ndjson", &[first]).await;
    assert_eq!(files.events().await, "x 14 23:50");
    assert_eq!(files.rollup("all").await, "* 1/1");
    assert_eq!(files.rollup("hour").await, "23 1/1");

    let last = x("2026-03-15T09:40:00Z", "2026-03-15T09:59:00Z");
    let run = files.arrive("3.ndjson", &[last]).await;
    assert_eq!((noted(&run, "arrived"), noted(&run, "taken")), (1, 0));
    assert_eq!(files.events().await, "x 14 23:50");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_late_joins_its_old_hour_and_no_other_file_of_events_changes() {
    let files = Files::none().await;
    let line = |id, at, received| {
        Line {
            id,
            at,
            received,
            ..Line::default()
        }
        .text()
    };
    let lines = [
        line("c", "2026-03-15T09:30:00Z", "2026-03-15T09:31:00Z"),
        line("a", "2026-03-13T07:10:00Z", "2026-03-13T07:11:00Z"),
        line("b", "2026-03-13T08:10:00Z", "2026-03-13T08:11:00Z"),
    ];
    files.arrive("1.ndjson", &lines).await;
    let of_events = |world: &World| {
        let mut files = world.lake_files();
        files.retain(|path, _| path.starts_with(world.lake().join("facts/events")));
        files
    };
    let before = of_events(&files.world);
    assert_eq!(before.len(), 3);
    files
        .arrive(
            "2.ndjson",
            &[line("late", "2026-03-13T07:05:00Z", "2026-03-15T10:20:00Z")],
        )
        .await;
    let after = of_events(&files.world);
    let changed: Vec<_> = after
        .keys()
        .filter(|path| before.get(*path) != after.get(*path))
        .collect();
    let hour = files
        .world
        .lake()
        .join("facts/events/date=2026-03-13/hour=07/part-0.parquet");
    assert_eq!(changed, [&hour]);
    assert!(
        files.events().await.starts_with("late 13 07:05"),
        "{}",
        files.events().await
    );
    assert_eq!(files.rollup("hour").await, "07 2/1, 08 1/1, 09 1/1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_days_ahead_is_set_to_the_arrival_and_counted() {
    let files = Files::none().await;
    let ahead = Line {
        at: "2026-03-17T12:00:00Z",
        ..Line::default()
    };
    let run = files.arrive("1.ndjson", &[ahead.text()]).await;
    assert_eq!(noted(&run, "clamped"), 1);
    assert_eq!(files.events().await, "e 15 09:20");
}

#[tokio::test(flavor = "multi_thread")]
async fn platforms_are_lower_cased_and_one_that_is_missing_is_unknown() {
    let files = Files::none().await;
    let on = |id, platform| {
        Line {
            id,
            platform,
            ..Line::default()
        }
        .text()
    };
    let lines = [
        on("1", None),
        on("2", Some("iOS")),
        on("3", Some("Symbian")),
        on("4", Some("ios")),
    ];
    files.arrive("1.ndjson", &lines).await;
    assert_eq!(files.rollup("platform").await, "ios 2/1, symbian 1/1, unknown 1/1");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_no_events_are_set_aside_once_and_stop_nothing() {
    let files = Files::none().await;
    let nobody = Line {
        who: &[],
        ..Line::default()
    };
    let lines = [
        "{\"event_id\": \"half".to_owned(),
        "no JSON".to_owned(),
        nobody.text(),
        Line::default().text(),
    ];
    let run = files.arrive("1.ndjson", &lines).await;
    assert_eq!((noted(&run, "rejected"), noted(&run, "taken")), (3, 1));
    assert_eq!(files.events().await, "e 15 09:10");
    let aside = "select string_agg(path || ' ' || rows, ', ') from lake_partitions where dataset = 'rejected/events'";
    let expected = "rejected/events/date=2026-03-15/part-0.parquet 3";
    assert_eq!(files.world.ask(aside).await.as_deref(), Some(expected));
    assert!(
        files
            .world
            .lake()
            .join("rejected/events/date=2026-03-15/part-0.parquet")
            .is_file()
    );

    // The file has grown, and is read again as a whole.
    let more = Line {
        id: "f",
        ..Line::default()
    };
    let run = files.arrive("1.ndjson", &[&lines[..], &[more.text()]].concat()).await;
    assert_eq!((noted(&run, "rejected"), noted(&run, "taken")), (3, 1));
    assert_eq!(files.world.ask(aside).await.as_deref(), Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_before_a_sign_up_become_the_users_when_the_alias_is_learned() {
    let files = Files::none().await;
    let line = |id, who, at, received| {
        Line {
            id,
            who,
            at,
            received,
            ..Line::default()
        }
        .text()
    };
    let lines = [
        line(
            "anonymous",
            &[("anonymous_id", "phone")],
            "2026-03-13T07:10:00Z",
            "2026-03-13T07:11:00Z",
        ),
        line(
            "known",
            &[("user_id", SOMEBODY)],
            "2026-03-13T08:10:00Z",
            "2026-03-13T08:11:00Z",
        ),
    ];
    files.arrive("1.ndjson", &lines).await;
    let users = "select string_agg(event_id || ' ' || (user_id is not null), ', ' order by event_id)
        from user_behavior_events";
    let people = "select count(distinct user_id)::text from user_behavior_events";
    // The first run takes what it was asked for; older days come by a backfill.
    let done = files.world.backfill_job(Job::Hourly, "2026-03-13", "2026-03-14").await;
    done.unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)));
    assert_eq!(
        files.world.ask(users).await.as_deref(),
        Some("anonymous false, known true")
    );
    assert_eq!(files.rollup("all").await, "* 2/2");

    keep(&files.world).await;
    let both: &[_] = &[("user_id", SOMEBODY), ("anonymous_id", "phone")];
    let sign_up = line("sign-up", both, "2026-03-15T10:01:00Z", "2026-03-15T10:02:00Z");
    files.arrive("2.ndjson", &[sign_up]).await;
    let all = Some("anonymous true, known true, sign-up true");
    assert_eq!(files.world.ask(users).await.as_deref(), all);
    assert_eq!(files.world.ask(people).await.as_deref(), Some("1"));
    // The rollup ends at 10:00, before the sign-up, of which it knows.
    assert_eq!(files.rollup("all").await, "* 2/1");

    // The run died before its commit: what its files say already is told by the next one.
    restore(&files.world).await;
    assert_eq!(
        files.world.ask(users).await.as_deref(),
        Some("anonymous false, known true")
    );
    files.arrive("3.ndjson", &[]).await;
    assert_eq!(files.world.ask(users).await.as_deref(), all);
    // It is eleven by now.
    assert_eq!(files.rollup("all").await, "* 3/1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_moves_while_its_run_dies_between_two_files_is_not_left_in_both() {
    let files = Files::none().await;
    let x = |at, received| {
        Line {
            id: "x",
            at,
            received,
            ..Line::default()
        }
        .text()
    };
    files
        .arrive("1.ndjson", &[x("2026-03-15T09:10:00Z", "2026-03-15T09:20:00Z")])
        .await;
    let world = &files.world;
    keep(world).await;
    let old_place = world.lake().join("facts/events/date=2026-03-15/hour=09/part-0.parquet");
    let old_file = fs::read(&old_place).unwrap();
    files
        .arrive("2.ndjson", &[x("2026-03-14T23:50:00Z", "2026-03-14T23:55:00Z")])
        .await;

    // The new hour's file was renamed, the old hour's was not, and nothing was committed.
    fs::write(&old_place, old_file).unwrap();
    restore(world).await;
    files.arrive("3.ndjson", &[]).await;
    assert_eq!(files.events().await, "x 14 23:50");
    assert_eq!(files.rollup("all").await, "* 1/1");
}
