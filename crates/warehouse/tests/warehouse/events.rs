//! Events on their way into `user_behavior_events`: appended where there are none yet, merged where there are.

use kindred_model::{DayWindow, Interval};
use kindred_warehouse::{Publication, Scope, TableChange, USER_BEHAVIOR_EVENTS};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, at, batch, day, publication, published};

const DAY: &str = "2026-03-09";
const NOW: &str = "2026-03-10T01:00:00Z";

/// Publishes events for one hour of the day; returns how many rows changed.
async fn publish(database: &Database, hour: u32, rows: &[Value]) -> u64 {
    publish_on(database, DAY, hour, rows).await
}

async fn publish_on(database: &Database, date: &str, hour: u32, rows: &[Value]) -> u64 {
    let (owner, window) = (Uuid::new_v4(), DayWindow::day(day(date)));
    let run_id = database.running(owner, window, at(NOW)).await;
    let instant = |hour: u32| at(&format!("{date}T{hour:02}:00:00Z"));
    let publication = Publication {
        tables: vec![TableChange {
            table: &USER_BEHAVIOR_EVENTS,
            rows: vec![batch(&USER_BEHAVIOR_EVENTS, run_id, at(NOW), rows)].into(),
            scope: Scope::Within(vec![Interval::new(instant(hour), instant(hour + 1)).unwrap()]),
        }],
        events_since: Some(day(DAY)),
        ..publication(run_id, owner, at(NOW))
    };
    published(database, &publication).await[0].1
}

fn event(time: &str, id: &str, name: &str) -> Value {
    json!({
        "event_time": format!("{DAY}T{time}:00Z"), "event_id": id, "event_name": name, "user_id": 7,
        "event_properties": format!(r#"{{"name": "{name}", "umlaut": "ä"}}"#),
    })
}

/// As many more events of the hour: enough that all of them are copied, not sent in one statement.
fn more(hour: u32) -> Vec<Value> {
    (0..2_500)
        .map(|number| event(&format!("{hour}:{:02}", number % 60), &format!("more {number}"), "view"))
        .collect()
}

/// Time, id, name as the property says, and country, of every event but those.
async fn events(database: &Database) -> Value {
    database
        .one(
            "select jsonb_agg(jsonb_build_array(
                 to_char(event_time at time zone 'UTC', 'HH24:MI'), event_id, event_properties ->> 'name',
                 event_properties ->> 'umlaut', location_country) order by event_time, event_id)
             from user_behavior_events where event_id not like 'more %'",
        )
        .await
}

/// Events of an hour, alone and among many.
fn few_and_many(hour: u32, events: &[Value]) -> [(Vec<Value>, u64); 2] {
    let many = [events, &more(hour)].concat();
    [events.to_vec(), many].map(|events| {
        let count = events.len().try_into().unwrap();
        (events, count)
    })
}

#[tokio::test]
async fn events_of_an_hour_without_any_are_appended_and_merged_when_the_hour_comes_again() {
    for (first, count) in few_and_many(10, &[event("10:05", "a", "like"), event("10:06", "b", "like")]) {
        let database = Database::migrated().await;
        assert_eq!(publish(&database, 10, &first).await, count);
        let (a, b) = (
            json!(["10:05", "a", "like", "ä", null]),
            json!(["10:06", "b", "like", "ä", null]),
        );
        assert_eq!(events(&database).await, json!([a, b]));

        // The one is as it was, the other is gone, with those beside it, and a third is new.
        let again = [event("10:05", "a", "like"), event("10:07", "c", "match")];
        assert_eq!(publish(&database, 10, &again).await, count);
        assert_eq!(events(&database).await, json!([a, ["10:07", "c", "match", "ä", null]]));
    }
}

#[tokio::test]
async fn an_event_that_stands_outside_of_the_hour_is_merged_all_the_same() {
    for (strays, count) in few_and_many(11, &[event("10:05", "a", "match"), event("11:05", "b", "like")]) {
        let database = Database::migrated().await;
        assert_eq!(publish(&database, 10, &[event("10:05", "a", "like")]).await, 1);
        assert_eq!(publish(&database, 11, &strays).await, count);
        let expected = json!([["10:05", "a", "match", "ä", null], ["11:05", "b", "like", "ä", null]]);
        assert_eq!(events(&database).await, expected);
    }
}

/// Many go into a table of their own first, which has no place for what is not of its days.
#[tokio::test]
async fn events_of_a_new_day_bring_one_of_an_earlier_day_with_them() {
    let database = Database::migrated().await;
    assert_eq!(publish(&database, 10, &[event("10:05", "a", "like")]).await, 1);
    let mut next_day = more(11);
    for event in &mut next_day {
        event["event_time"] = event["event_time"].as_str().unwrap().replace("-09T", "-10T").into();
    }
    next_day.push(event("10:05", "a", "match"));
    let published = publish_on(&database, "2026-03-10", 11, &next_day).await;
    assert_eq!(usize::try_from(published), Ok(next_day.len()));
    assert_eq!(events(&database).await, json!([["10:05", "a", "match", "ä", null]]));
}

#[tokio::test]
async fn a_day_has_all_its_indexes_however_many_events_it_came_with() {
    for (events, count) in few_and_many(10, &[event("10:05", "a", "like")]) {
        let database = Database::migrated().await;
        assert_eq!(publish(&database, 10, &events).await, count);
        let indexes: Value = database
            .one(
                "select jsonb_agg(substr(indexdef, strpos(indexdef, 'btree')) order by indexdef) from pg_indexes
                 where tablename = 'user_behavior_events_20260309'",
            )
            .await;
        assert_eq!(
            indexes,
            json!([
                "btree (event_name, event_time)",
                "btree (user_id, event_time)",
                "btree (event_time, event_id)"
            ])
        );
        let tables: i64 = database
            .one("select count(*) from pg_class where relname like 'user_behavior_events%' and relkind in ('r', 'p')")
            .await;
        assert_eq!(tables, 2);
    }
}
