//! What is private in the sources is nowhere in the lake or in the warehouse.

use kindred_model::Job;
use kindred_warehouse::AlertFilter;

use super::{FROM, TOMORROW, empty_world};
use crate::support::World;

/// Stands in every private value, and nowhere else.
const MARK: &str = "Prïvate-mark";

/// Puts the mark into every private column, and into properties of events that nobody allowed.
const MARKED: &str = "
    update users set email = 'Prïvate-mark-' || id || '@example.org', username = 'Prïvate-mark of ' || id,
        password_hash = 'Prïvate-mark hash';
    update user_profiles set display_name = 'Prïvate-mark', bio = 'Prïvate-mark', interests = array['Prïvate-mark'],
        city = 'Prïvate-mark';
    update messages set content = 'Prïvate-mark: see you at eight';
    update behavior_events
        set properties = properties || '{\"email\": \"Prïvate-mark\", \"name\": {\"first\": \"Prïvate-mark\"}}'";

/// What is written in the line of an event that cannot be read.
const UNREADABLE: &str = "
    insert into behavior_events (event_id, user_id, event_name, properties, event_time, received_at)
    select 'unreadable', id, 'Prïvate-mark ' || repeat('x', 600), '{}', '2026-03-14T09:00:00Z', '2026-03-14T09:00:01Z'
    from users limit 1";

/// Every id of a user, and of a device, as a source writes it and as bytes are printed.
async fn raw_ids(world: &World) -> Vec<String> {
    let ids = "select id::text from users
        union select replace(id::text, '-', '') from users
        union select anonymous_id from behavior_events where anonymous_id is not null";
    sqlx::query_scalar(ids).fetch_all(world.source.pool()).await.unwrap()
}

async fn filled() -> World {
    let world = empty_world().await;
    world.change(MARKED).await;
    world.change(UNREADABLE).await;
    for job in [Job::Daily, Job::Weekly, Job::Sessions, Job::Hourly] {
        let filled = world.backfill_job(job, FROM, TOMORROW).await;
        filled.unwrap_or_else(|error| panic!("{job}: {}", kindred_jobs::describe(&error)));
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_emails_names_texts_nor_raw_ids_are_anywhere_in_the_lake_or_the_warehouse() {
    let world = filled().await;
    let ids = raw_ids(&world).await;
    assert!(ids.len() > 80, "there are {} raw ids only", ids.len());
    let kept: Vec<_> = world.everything().await;
    let filled = kept.iter().filter(|place| !place.text.is_empty()).count();
    assert!(filled > 500, "only {filled} places hold anything");
    assert_eq!(world.places_of(&[MARK.to_owned()]).await, Vec::<String>::new());
    assert_eq!(world.places_of(&ids).await, Vec::<String>::new());
    // The search finds what there is.
    assert!(!world.places_of(&["app_open".to_owned()]).await.is_empty());
    let alerts = world.platform.warehouse.alerts(&AlertFilter::default()).await.unwrap();
    assert!(!format!("{alerts:?}").contains(MARK));
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_nobody_allowed_are_dropped_and_counted_and_a_line_that_cannot_be_read_is_noted_by_its_hash() {
    let world = filled().await;
    let dropped = "select sum((data_quality_checks->'events'->>'droppedProperties')::bigint)::text from etl_job_runs";
    let events = sqlx::query_scalar("select 2 * count(*) from behavior_events where event_id <> 'unreadable'");
    let expected: i64 = events.fetch_one(world.source.pool()).await.unwrap();
    assert_eq!(world.ask(dropped).await, Some(expected.to_string()));
    let rejected = "select sum((data_quality_checks->'events'->>'rejected')::bigint)::text from etl_job_runs";
    assert_eq!(world.ask(rejected).await.as_deref(), Some("1"));
    let noted = world
        .everything()
        .await
        .into_iter()
        .filter(|place| place.name.contains("/rejected/events/"));
    let noted: Vec<_> = noted.collect();
    assert_eq!(noted.len(), 1);
    assert!(noted[0].text.contains("longer than 512 bytes"), "{}", noted[0].text);
}
