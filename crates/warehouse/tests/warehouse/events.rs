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
    let (owner, window) = (Uuid::new_v4(), DayWindow::day(day(DAY)));
    let run_id = database.running(owner, window, at(NOW)).await;
    let instant = |hour: u32| at(&format!("{DAY}T{hour:02}:00:00Z"));
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

/// Time, id, name as the property says, and country, of every event.
async fn events(database: &Database) -> Value {
    database
        .one(
            "select jsonb_agg(jsonb_build_array(
                 to_char(event_time at time zone 'UTC', 'HH24:MI'), event_id, event_properties ->> 'name',
                 event_properties ->> 'umlaut', location_country) order by event_time, event_id)
             from user_behavior_events",
        )
        .await
}

#[tokio::test]
async fn events_of_an_hour_without_any_are_appended_and_merged_when_the_hour_comes_again() {
    let database = Database::migrated().await;
    let first = [event("10:05", "a", "like"), event("10:06", "b", "like")];
    assert_eq!(publish(&database, 10, &first).await, 2);
    let (a, b) = (
        json!(["10:05", "a", "like", "ä", null]),
        json!(["10:06", "b", "like", "ä", null]),
    );
    assert_eq!(events(&database).await, json!([a, b]));

    // The one is as it was, the other is gone, a third is new.
    let again = [event("10:05", "a", "like"), event("10:07", "c", "match")];
    assert_eq!(publish(&database, 10, &again).await, 2);
    assert_eq!(events(&database).await, json!([a, ["10:07", "c", "match", "ä", null]]));
}

#[tokio::test]
async fn an_event_that_stands_outside_of_the_hour_is_merged_all_the_same() {
    let database = Database::migrated().await;
    assert_eq!(publish(&database, 10, &[event("10:05", "a", "like")]).await, 1);
    let strays = [event("10:05", "a", "match"), event("11:05", "b", "like")];
    assert_eq!(publish(&database, 11, &strays).await, 2);
    let expected = json!([["10:05", "a", "match", "ä", null], ["11:05", "b", "like", "ä", null]]);
    assert_eq!(events(&database).await, expected);
}
