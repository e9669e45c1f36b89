//! The figures have the shapes that a dating platform's have.

use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

use crate::{everything_in, population, simulate};

/// Share of users who were in a session on the n-th calendar day after their registration.
const RETENTION: &str = "
    with active as (
        select distinct user_id, day::date from user_sessions,
            generate_series(date_trunc('day', started_at, 'UTC'), coalesce(ended_at, last_seen_at), '1 day') as day
    )
    select count(active.user_id)::float8 / count(*) from users
    left join active on user_id = id and day = created_at::date + $1
    where created_at::date + $1 < date '2026-11-20'";

#[tokio::test]
async fn figures_have_the_shapes_of_a_dating_platform() {
    let database = TestDatabase::create("shape").await;
    let summary = simulate(&population(3_000, 60), &everything_in(&database))
        .await
        .unwrap();
    let figure = async |sql: &'static str| -> f64 {
        let answer = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(database.pool()).await;
        answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
    };

    for (day, expected) in [(1, 0.40..0.50), (7, 0.19..0.27), (30, 0.09..0.17)] {
        let retention: f64 = sqlx::query_scalar(RETENTION)
            .bind(day)
            .fetch_one(database.pool())
            .await
            .unwrap();
        assert!(expected.contains(&retention), "day {day}: {retention:.3}");
    }

    let evening = figure(
        "select count(*) filter (where extract(hour from started_at) between 18 and 22)::float8
        / count(*) from user_sessions where country = 'GB'",
    )
    .await;
    assert!(
        (0.30..0.50).contains(&evening),
        "London's evening has {evening:.2} of the sessions"
    );

    let launch = figure(
        "select count(*) filter (where created_at < timestamptz '2026-09-28T20:15:00Z')::float8
        / count(*) from users",
    )
    .await;
    assert!(
        (0.22..0.45).contains(&launch),
        "{launch:.2} of the sign-ups in the first week"
    );

    let liked = figure("select count(*) filter (where action <> 'pass')::float8 / count(*) from swipes").await;
    assert!((0.30..0.50).contains(&liked), "{liked:.2} of the swipes are likes");
    let matched =
        figure("select (select count(*) from matches)::float8 / count(*) from swipes where action <> 'pass'").await;
    assert!((0.05..0.20).contains(&matched), "{matched:.2} matches a like");

    let paying = figure(
        "select (select count(distinct user_id) from payments where kind = 'initial'
        and status <> 'failed')::float8 / count(*) from users",
    )
    .await;
    assert!((0.03..0.12).contains(&paying), "{paying:.3} of the users pay");

    let registers = figure(
        "select count(distinct anonymous_id) filter (where event_name = 'registration_complete')
        ::float8 / count(distinct anonymous_id) filter (where session_id is null) from behavior_events",
    )
    .await;
    assert!(
        (0.45..0.65).contains(&registers),
        "{registers:.2} of those who open the app register"
    );

    let per_user = summary.rows() as f64 / 3_000.0;
    assert!((150.0..400.0).contains(&per_user), "{per_user:.0} rows per user");
}
