//! Erasing a person: nothing of them is left, nothing of anybody else is lost, and they do not come back.

use std::collections::BTreeSet;

use kindred_extract::UserKeys;
use kindred_jobs::{JobError, erase_now};
use kindred_model::Job;
use kindred_warehouse::{Erasure, SESSION_ANALYTICS, SUMMARY_TABLES};
use tokio_util::sync::CancellationToken;

use super::{FROM, TOMORROW, YESTERDAY, empty_world};
use crate::support::{Cells, World, differences};

/// Who is erased: somebody with a bit of everything. The other one shares a device with them, and mentions them.
const CAST: &str = "
    create table the_cast as
    select id, row_number() over (order by sessions desc, id) as n from (
        select u.id, count(*) as sessions from users u join user_sessions s on s.user_id = u.id
        where not u.is_internal and exists (select from matches where u.id in (user_a_id, user_b_id))
        group by u.id
    ) as active
    limit 2;
    insert into behavior_events
        (event_id, user_id, anonymous_id, event_name, properties, event_time, received_at)
    select event_id, (select id from the_cast where n = who), device, 'screen_view', properties::jsonb,
        at::timestamptz, at::timestamptz
    from (values
        ('before sign-in', null, 'a shared device', '{}', '2026-03-11T08:00:00Z'),
        ('own', 1, 'a shared device', '{\"screen\": \"home\"}', '2026-03-11T09:00:00Z'),
        ('shared', 2, 'a shared device', '{\"screen\": \"home\"}', '2026-03-12T09:00:00Z'),
        ('after', null, 'a shared device', '{}', '2026-03-13T09:00:00Z'),
        ('other device', 2, 'their own', '{}', '2026-03-11T09:00:00Z')
    ) as told (event_id, who, device, properties, at);
    insert into behavior_events (event_id, user_id, event_name, properties, event_time, received_at)
    select 'mention', other.id, 'profile_view',
        jsonb_build_object('target_user_id', erased.id, 'screen', 'profile', 'peer_user_id', jsonb_build_array(erased.id, other.id)),
        '2026-03-12T10:00:00Z', '2026-03-12T10:00:00Z'
    from the_cast erased, the_cast other where erased.n = 1 and other.n = 2";

/// What the sources would be, had there never been such a person.
const NEVER_THERE: &str = "
    create temp table erased as select id from the_cast where n = 1;
    create temp table devices as select anonymous_id from (
        select distinct on (anonymous_id) anonymous_id, user_id from behavior_events
        where anonymous_id is not null and user_id is not null
        order by anonymous_id, event_time, event_id collate \"C\"
    ) as first where user_id in (select id from erased);
    delete from behavior_events where user_id in (select id from erased)
        or user_id is null and anonymous_id in (select anonymous_id from devices);
    update behavior_events set anonymous_id = null where anonymous_id in (select anonymous_id from devices);
    update behavior_events set properties = replace(properties::text, '\"' || (select id from erased) || '\"', 'null')::jsonb
        where properties::text like '%' || (select id from erased) || '%';
    delete from messages where (select id from erased) in (sender_id, recipient_id);
    delete from swipes where (select id from erased) in (user_id, target_user_id);
    delete from matches where (select id from erased) in (user_a_id, user_b_id);
    delete from interactions where (select id from erased) in (initiator_id, partner_id);
    delete from reports where (select id from erased) in (reporter_id, reported_user_id);
    delete from moderation_actions where user_id in (select id from erased);
    delete from matching_queue where user_id in (select id from erased);
    delete from session_telemetry where user_id in (select id from erased);
    delete from user_sessions where user_id in (select id from erased);
    delete from payments where user_id in (select id from erased);
    delete from subscriptions where user_id in (select id from erased);
    delete from user_profiles where user_id in (select id from erased);
    delete from users where id in (select id from erased)";

const JOBS: [Job; 4] = [Job::Daily, Job::Weekly, Job::Sessions, Job::Hourly];

async fn fill(world: &World) {
    for job in JOBS {
        let filled = world.backfill_job(job, FROM, TOMORROW).await;
        filled.unwrap_or_else(|error| panic!("{job}: {}", kindred_jobs::describe(&error)));
    }
}

/// A platform whose every table is filled, and the person's id.
async fn filled() -> (World, String) {
    let world = empty_world().await;
    world.change(CAST).await;
    fill(&world).await;
    let id = sqlx::query_scalar("select id::text from the_cast where n = 1");
    let id = id.fetch_one(world.source.pool()).await.unwrap();
    (world, id)
}

fn key(id: &str) -> i64 {
    UserKeys::new("a secret for tests alone").unwrap().of_id(id)
}

async fn erase(world: &World, id: &str) -> Erasure {
    let erased = erase_now(&world.platform, key(id), &CancellationToken::new()).await;
    erased.unwrap_or_else(|error| panic!("{}", kindred_jobs::describe(&error)))
}

/// Where the person, or a device of theirs, still stands; the list of who is not taken in is where it belongs.
async fn left_of(world: &World, id: &str) -> Vec<String> {
    let keys = [id, "a shared device"].map(|id| key(id).to_string());
    let mut left = world.places_of(&keys).await;
    left.retain(|place| !place.ends_with(" in erased_users"));
    left
}

/// The rows of every table but those of single sessions.
async fn aggregates(world: &World) -> Vec<(&'static str, Cells)> {
    let mut all = Vec::new();
    for table in SUMMARY_TABLES.iter().filter(|table| **table != &SESSION_ANALYTICS) {
        all.push((table.name, Cells::published(&world.warehouse, table, true).await));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_nowhere_any_more_and_what_was_published_stays() {
    let (world, id) = filled().await;
    assert!(left_of(&world, &id).await.len() > 50, "the person was hardly there");
    let before = aggregates(&world).await;

    let erasure = erase(&world, &id).await;
    assert_eq!(left_of(&world, &id).await, Vec::<String>::new());
    assert!(aggregates(&world).await == before, "an aggregate has changed");
    world.assert_sound().await;

    assert_eq!(erasure.completed_at, Some(world.platform.clock.now()));
    assert_eq!(erasure.report["verified"]["rowsLeft"], 0);
    assert!(erasure.report["devices"].as_u64() >= Some(1), "{}", erasure.report);
    let count = |place: &serde_json::Value, what: &str| place[what].as_i64().unwrap_or_default();
    let in_lake: i64 = erasure.report["lake"]
        .as_object()
        .unwrap()
        .values()
        .map(|place| count(place, "rows"))
        .sum();
    let warehouse = &erasure.report["warehouse"];
    let in_warehouse: i64 = ["session_analytics", "user_behavior_events"]
        .iter()
        .map(|table| count(warehouse, table))
        .sum();
    assert_eq!(erasure.rows_erased, in_lake + in_warehouse);
    let sessions = "select count(*)::text from user_sessions where user_id = (select id from the_cast where n = 1)";
    let sessions: String = sqlx::query_scalar(sessions)
        .fetch_one(world.source.pool())
        .await
        .unwrap();
    assert_eq!(
        count(&erasure.report["lake"]["facts/user_sessions"], "rows").to_string(),
        sessions
    );
    assert_eq!(count(warehouse, "session_analytics").to_string(), sessions);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_does_not_come_back_and_what_is_computed_again_is_as_if_they_had_never_been() {
    let (world, id) = filled().await;
    erase(&world, &id).await;

    // The source still has them, writes everything once more, and more besides.
    world
        .change(
            "update users set updated_at = '2026-03-15T10:35:00Z';
             update user_sessions set updated_at = '2026-03-15T10:35:00Z';
             update payments set updated_at = '2026-03-15T10:35:00Z';
             insert into user_sessions (id, user_id, platform, started_at, last_seen_at, updated_at)
             select gen_random_uuid(), id, 'ios', '2026-03-15T10:31:00Z', '2026-03-15T10:34:00Z', '2026-03-15T10:35:00Z'
             from the_cast where n = 1;
             insert into behavior_events (event_id, user_id, anonymous_id, event_name, event_time, received_at)
             select 'again', id, 'a shared device', 'app_open', timestamptz '2026-03-15T10:31:00Z',
                 timestamptz '2026-03-15T10:31:00Z'
             from the_cast where n = 1
             union all
             select 'again, unknown', null, 'a shared device', 'app_open', '2026-03-15T10:32:00Z', '2026-03-15T10:32:00Z'",
        )
        .await;
    world.wait(10);
    fill(&world).await;
    assert_eq!(left_of(&world, &id).await, Vec::<String>::new());
    world.assert_sound().await;
    let left_out = "select (sum((data_quality_checks->'events'->>'erased')::bigint) >= 2)::text from etl_job_runs";
    assert_eq!(world.ask(left_out).await.as_deref(), Some("true"));

    // Days that the source has more rows of than the lake are not read for that again.
    world.wait(10);
    world.run(YESTERDAY, TOMORROW).await.unwrap();
    let files: BTreeSet<_> = world
        .lake_files()
        .into_iter()
        .map(|(path, (_, changed))| (path, changed))
        .collect();
    world.wait(10);
    let idle = world.run(YESTERDAY, TOMORROW).await.unwrap();
    let read = &idle.steps[0]["detail"]["user_sessions"];
    assert_eq!(read["partitionsReplaced"], 0, "{read}");
    let after: BTreeSet<_> = world
        .lake_files()
        .into_iter()
        .map(|(path, (_, changed))| (path, changed))
        .collect();
    let facts = |files: &BTreeSet<(std::path::PathBuf, std::time::SystemTime)>| -> BTreeSet<_> {
        files
            .iter()
            .filter(|(path, _)| path.to_string_lossy().contains("/facts/"))
            .cloned()
            .collect()
    };
    assert_eq!(facts(&after), facts(&files));

    world.change(NEVER_THERE).await;
    let never = world.afresh().await;
    fill(&never).await;
    fill(&world).await;
    for table in SUMMARY_TABLES {
        let found = Cells::published(&world.warehouse, table, false).await;
        let expected = Cells::published(&never.warehouse, table, false).await;
        assert_eq!(
            differences(table, &found, &expected),
            Vec::<String>::new(),
            "{}",
            table.name
        );
    }
    world.assert_equals(&never).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_stopped_leaves_everything_as_it_was_and_is_done_by_the_next_who_looks() {
    let (world, id) = filled().await;
    let before = world.lake_files();
    let stopped = CancellationToken::new();
    stopped.cancel();
    let error = erase_now(&world.platform, key(&id), &stopped).await.unwrap_err();
    assert!(matches!(error, JobError::Cancelled), "{error}");
    assert!(world.lake_files() == before, "a file has changed");
    world.assert_sound().await;
    let status = "select status || ' ' || job_name from etl_job_runs order by requested_at desc, id desc limit 1";
    assert_ne!(world.ask(status).await.as_deref(), Some("running erasure"));

    // One file cannot be read: nothing is removed by halves.
    let file = world.lake().join("facts/user_sessions/date=2026-03-10/part-0.parquet");
    let aside = world.folder.path().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    std::fs::write(&file, "no Parquet").unwrap();
    let error = erase_now(&world.platform, key(&id), &CancellationToken::new())
        .await
        .unwrap_err();
    let error = kindred_jobs::describe(&error);
    assert!(error.contains("user_sessions"), "{error}");
    std::fs::rename(&aside, &file).unwrap();
    assert!(world.lake_files() == before, "a file has changed");
    world.assert_sound().await;
    let failed = world.platform.warehouse.erasure(key(&id)).await.unwrap().unwrap();
    assert!(
        failed.completed_at.is_none() && failed.report["error"].is_string(),
        "{failed:?}"
    );

    erase(&world, &id).await;
    assert_eq!(left_of(&world, &id).await, Vec::<String>::new());
    let again = erase(&world, &id).await;
    assert_eq!(
        again.report["lake"],
        serde_json::json!({}),
        "nothing is left for another one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_died_before_its_files_were_swapped_is_finished_by_the_next() {
    let (world, id) = filled().await;
    let before = world.lake_files();
    let first = erase(&world, &id).await;
    // The warehouse has committed, and of the files some or all are the old ones.
    for every in [1, 2] {
        let swapped = world.lake_files();
        let swapped = before.iter().filter(|(path, (bytes, _))| swapped[*path].0 != *bytes);
        let swapped: Vec<_> = swapped.collect();
        assert!(swapped.len() > 100, "{}", swapped.len());
        for (path, (bytes, _)) in swapped.into_iter().step_by(every) {
            std::fs::write(path, bytes).unwrap();
        }
        let died = "update erased_users set completed_at = null where not report ? 'device';
            update erased_users set report = report || jsonb_build_object('of', (
                select user_key from erased_users where not report ? 'device')) where report ? 'device'";
        sqlx::raw_sql(died).execute(world.warehouse.pool()).await.unwrap();
        let next = erase(&world, &id).await;
        assert_eq!(left_of(&world, &id).await, Vec::<String>::new());
        assert_eq!(next.report["devices"], first.report["devices"]);
        assert!(next.rows_erased > first.rows_erased);
    }
    let keys = "select count(*)::text from erased_users where report ? 'of'";
    assert_eq!(
        world.ask(keys).await.as_deref(),
        Some("0"),
        "whose a device was is forgotten"
    );
    world.assert_sound().await;
}
