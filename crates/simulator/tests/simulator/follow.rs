//! A platform goes on after its history, whoever follows it and however often they stop.

use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{Clock, Instant};
use kindred_simulator::{Follower, MODEL, Population, SimulatorError, follow};
use kindred_testkit::{Template, TestDatabase};
use sqlx::AssertSqlSafe;
use tokio::sync::oneshot;

use crate::determinism::hashes;
use crate::promises::broken;
use crate::{count, everything_in, population, simulate};

/// Enough for everything to happen within an evening.
fn lively() -> Population {
    population(3_000, 3)
}

/// A database with that history.
async fn begun() -> TestDatabase {
    let Population { users, days, .. } = lively();
    let template = Template::once(&format!("follow_{users}_{days}_{MODEL}"), async |url: String| {
        let targets = kindred_simulator::Targets {
            users: url.clone(),
            interactions: url.clone(),
            communications: url.clone(),
            moderation: Some(url),
        };
        simulate(&lively(), &targets).await.map(drop)
    })
    .await;
    TestDatabase::from_template(&template, "follow").await
}

async fn open(database: &TestDatabase) -> Follower {
    Follower::open(&everything_in(database)).await.unwrap()
}

/// Follows from one instant to another, with so many minutes between two looks at the clock.
async fn follow_steps(mut follower: Follower, to: Instant, minutes: i64) -> Follower {
    while follower.told_until() < to {
        let now = to.min(follower.told_until() + TimeDelta::minutes(minutes));
        follower = follower.advance(now).await.unwrap();
    }
    follower
}

fn after(hours: i64) -> Instant {
    lively().until + TimeDelta::hours(hours)
}

#[tokio::test]
async fn a_followed_platform_keeps_every_promise_and_everything_goes_on() {
    let database = begun().await;
    let before = hashes(&database).await;
    let open_before = "select count(*) from user_sessions where exit_reason is null";
    let open_before = count(&database, open_before).await;
    follow_steps(open(&database).await, after(24), 4).await;

    let wrong = broken(&database, lively().start(), after(24)).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (table, (rows, _)) in hashes(&database).await {
        assert!(rows > before[table].0, "{table} did not grow from {rows} rows");
    }
    let until = lively().until.to_rfc3339();
    for (what, sql) in [
        ("registrations", "users where created_at >= $until"),
        (
            "sessions that ended later",
            "user_sessions where started_at < $until and ended_at >= $until",
        ),
        (
            "sessions under way",
            "user_sessions where last_seen_at > timestamptz '$until' + interval '1435 minutes' and ended_at is null",
        ),
        (
            "encounters that ended later",
            "interactions where started_at < $until and ended_at >= $until",
        ),
        (
            "reports resolved later",
            "reports where created_at < $until and resolved_at >= $until",
        ),
        (
            "accounts that changed",
            "users where created_at < $until and updated_at >= $until",
        ),
        (
            "profiles that changed",
            "user_profiles join users on id = user_id where created_at < $until and user_profiles.updated_at >= $until",
        ),
        (
            "visitors",
            "behavior_events where user_id is null and event_name = 'app_open' and event_time >= $until",
        ),
        (
            "events that arrived later",
            "behavior_events where event_time < $until and received_at >= $until",
        ),
    ] {
        let sql = sql.replace("timestamptz '$until'", &format!("timestamptz '{until}'"));
        let sql = sql.replace("$until", &format!("timestamptz '{until}'"));
        assert!(
            count(&database, &format!("select count(*) from {sql}")).await > 0,
            "no {what}"
        );
    }
    let still_open = "select count(*) from user_sessions where exit_reason is null";
    assert!(
        count(&database, still_open).await < 3 * open_before,
        "sessions are not closed"
    );
}

#[tokio::test]
async fn however_often_it_is_followed_the_rows_are_the_same() {
    let [steady, restless] = [begun().await, begun().await];
    follow_steps(open(&steady).await, after(2), 5).await;
    for minutes in (0..120).step_by(8) {
        // Each opens afresh, as after a stop.
        let to = lively().until + TimeDelta::minutes(minutes + 8);
        follow_steps(open(&restless).await, to, 3).await;
    }
    assert_eq!(hashes(&steady).await, hashes(&restless).await);
}

#[tokio::test]
async fn what_some_databases_have_and_others_have_not_is_told_to_all_again() {
    let [sound, torn] = [begun().await, begun().await];
    follow_steps(open(&sound).await, after(1), 4).await;

    follow_steps(open(&torn).await, after(0) + TimeDelta::minutes(40), 4).await;
    // As if the interactions database had lost its last transactions, and the others had not.
    let lost = format!("timestamptz '{}'", (after(0) + TimeDelta::minutes(20)).to_rfc3339());
    let lose = format!(
        "update simulator.history set told_until = {lost};
        delete from swipes where created_at >= {lost};
        delete from behavior_events where received_at >= {lost}"
    );
    sqlx::raw_sql(AssertSqlSafe(lose)).execute(torn.pool()).await.unwrap();
    follow_steps(open(&torn).await, after(1), 4).await;
    assert_eq!(hashes(&sound).await, hashes(&torn).await);
}

/// Readers have been told by then that they had seen everything up to shortly before.
#[tokio::test]
async fn what_is_told_late_counts_as_changed_when_it_is_told() {
    let database = begun().await;
    let until = lively().until.to_rfc3339();
    let follower = open(&database).await.advance(after(50)).await.unwrap();
    assert_eq!(follower.told_until(), after(50));
    let now = after(50).to_rfc3339();
    for (table, happened, noted) in [
        ("behavior_events", "event_time", "received_at"),
        ("user_sessions", "started_at", "updated_at"),
        ("payments", "paid_at", "updated_at"),
        ("users", "created_at", "updated_at"),
    ] {
        let later = format!("from {table} where {happened} >= timestamptz '{until}'");
        let rows = count(&database, &format!("select count(*) {later}")).await;
        let noted = format!("select count(*) {later} and {noted} = timestamptz '{now}'");
        assert!(rows > 0, "{table}: nothing happened");
        assert_eq!(count(&database, &noted).await, rows, "{table}");
    }
}

#[tokio::test]
async fn only_a_history_of_the_same_model_is_followed() {
    let empty = TestDatabase::create("never_begun").await;
    let foreign = begun().await;
    sqlx::query("update simulator.history set model = 0")
        .execute(foreign.pool())
        .await
        .unwrap();
    for database in [empty, foreign] {
        let refused = Follower::open(&everything_in(&database)).await.err().unwrap();
        assert!(matches!(refused, SimulatorError::NoHistory), "{refused:?}");
    }
}

#[tokio::test]
async fn following_goes_by_the_clock_until_it_is_stopped() {
    let database = begun().await;
    let clock = Clock::fixed(after(0) + TimeDelta::minutes(30));
    let (stop, stopped) = oneshot::channel::<()>();
    let targets = everything_in(&database);
    let following = tokio::spawn({
        let clock = clock.clone();
        async move { follow(&targets, &clock, async { drop(stopped.await) }).await }
    });
    for minutes in [30, 45] {
        let now = after(0) + TimeDelta::minutes(minutes);
        clock.set(now);
        let told = format!(
            "select count(*) from simulator.history where told_until = '{}'",
            now.to_rfc3339()
        );
        while count(&database, &told).await == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    stop.send(()).unwrap();
    following.await.unwrap().unwrap();
    let sessions = "select count(*) from user_sessions where started_at > timestamptz '2026-11-20T20:45:00Z'";
    assert!(count(&database, sessions).await > 0);
}
