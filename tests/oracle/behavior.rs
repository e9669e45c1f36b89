//! The behaviour queries against plain PostgreSQL over the raw events, without the jobs around them.

use kindred_engine::{Params, Value};
use kindred_extract::UserKeys;
use kindred_model::{Fact, Instant};
use kindred_testkit::{TestDatabase, at};
use kindred_warehouse::{BEHAVIOR_ROLLUPS, USER_BEHAVIOR_EVENTS};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::bench::{Bench, window};

/// The end of an hour of the history, 90 days after its first one.
const ROLLUP_AS_OF: &str = "2026-03-15T10:00:00Z";

/// Before and in the sign-ups of the history's last days.
const FROM: &str = "2026-03-12T22:30:00Z";
const UNTIL: &str = "2026-03-15T10:00:00Z";

/// Staff, devices that several people use, events without a device, without a platform, on the hour. Properties are what
/// extraction makes of them, and are not compared here.
const DIRT: &str = "
    update behavior_events set properties = '{}';
    update users set is_internal = true where abs(hashtext(id::text)) % 19 = 1;
    update behavior_events set platform = null where abs(hashtext(event_id)) % 31 = 1;
    update behavior_events set anonymous_id = (select min(anonymous_id) from behavior_events)
    where abs(hashtext(anonymous_id)) % 23 = 2;
    update behavior_events set anonymous_id = null where user_id is not null and abs(hashtext(event_id)) % 37 = 3;
    update behavior_events set event_time = date_trunc('hour', event_time) where abs(hashtext(event_id)) % 41 = 4;
    create schema oracle;
    create table oracle.staff as select id from users where is_internal;
    create table oracle.user_keys (id uuid primary key, user_key bigint not null)";

#[tokio::test(flavor = "multi_thread")]
async fn rollups_are_what_plain_sql_counts_in_the_raw_events() {
    let bench = bench().await;
    let params = Params::default().with("rollup_as_of", Value::Instant(Some(at(ROLLUP_AS_OF))));
    let rows = bench.query("behavior/behavior_rollups", &params).await;
    let sql = include_str!("behavior_rollups.sql").replace("{rollup_as_of}", &timestamp(at(ROLLUP_AS_OF)));
    let compared = bench.compare(&BEHAVIOR_ROLLUPS, &rows, &sql).await;
    assert!(compared > 4_000, "only {compared} cells were compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_span_have_the_users_that_plain_sql_finds() {
    let bench = bench().await;
    let params = window("2026-03-12", "2026-03-16");
    let params = [("start", FROM), ("until", UNTIL)]
        .into_iter()
        .fold(params, |params, (name, instant)| {
            params.with(name, Value::Instant(Some(at(instant))))
        });
    let rows = bench.query("behavior/user_behavior_events", &params).await;
    let sql = include_str!("user_behavior_events.sql")
        .replace("{from}", &timestamp(at(FROM)))
        .replace("{to}", &timestamp(at(UNTIL)));
    let compared = bench.compare(&USER_BEHAVIOR_EVENTS, &rows, &sql).await;
    assert!(compared > 6_000, "only {compared} cells were compared");
}

fn timestamp(at: Instant) -> String {
    format!("timestamptz '{}'", at.to_rfc3339())
}

async fn bench() -> Bench {
    let bench = Bench::new(&[DIRT], &[Fact::Users, Fact::Events]).await;
    name_keys(&bench.source, &bench.keys).await;
    let aliases = "select date, anonymous_key, user_key, event_time, event_id from events
        where anonymous_key is not null and user_key is not null";
    bench.keep("aliases", &bench.sql(aliases).await);
    for state in ["state/internal_users", "state/event_counts"] {
        let rows = bench.query(state, &window("2020-01-01", "2030-01-01")).await;
        bench.keep(state.trim_start_matches("state/"), &rows);
    }
    bench
}

/// Tells PostgreSQL the key of every user, since it cannot hash as we do.
pub(super) async fn name_keys(source: &TestDatabase, keys: &UserKeys) {
    let ids = "select id from users union select user_id from user_sessions
        union select user_id from behavior_events where user_id is not null";
    let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(ids))
        .fetch_all(source.pool())
        .await
        .unwrap();
    let user_keys: Vec<i64> = ids.iter().map(|id| keys.of_uuid(id)).collect();
    sqlx::query("insert into oracle.user_keys select * from unnest($1::uuid[], $2::bigint[])")
        .bind(ids)
        .bind(user_keys)
        .execute(source.pool())
        .await
        .unwrap();
}
