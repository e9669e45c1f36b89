//! The sessions of a scratch database, and the query that reads them.

use anyhow::Context;
use chrono::{Days, NaiveDate};
use kindred_extract::embedded_queries;
use kindred_model::{Fact, Source};
use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

/// The first day of 90.
fn first_day() -> NaiveDate {
    kindred_testkit::day("2026-01-01")
}

/// All days as two windows of equally many, ends exclusive.
pub(crate) fn halves() -> [(NaiveDate, NaiveDate); 2] {
    let [first, middle, end] = [0, 45, 90].map(|days| first_day() + Days::new(days));
    [(first, middle), (middle, end)]
}

/// COPY of the query that the extraction runs, for what starts on `days`, or for everything.
pub(crate) fn copy_statement(days: Option<(NaiveDate, NaiveDate)>) -> anyhow::Result<String> {
    let queries = embedded_queries(Source::Users);
    let rows = &queries
        .get(&Fact::UserSessions)
        .context("a query for user_sessions")?
        .rows;
    let (from, to) = days.map_or(("-infinity".to_owned(), "infinity".to_owned()), |(from, to)| {
        (format!("{from}T00:00:00Z"), format!("{to}T00:00:00Z"))
    });
    let rows = rows
        .replace("$from", &format!("timestamptz '{from}'"))
        .replace("$to", &format!("timestamptz '{to}'"));
    Ok(format!(
        "copy (select * from (\n{rows}\n) as fact order by started_at) to stdout (format binary)"
    ))
}

/// Sessions of 200,000 users over 90 days, one in ten of them open.
pub(crate) async fn fill(database: &TestDatabase, rows: u64) -> anyhow::Result<()> {
    let ddl = include_str!("../../migrations/sources/users.sql");
    let insert = format!(
        "insert into user_sessions
         select gen_random_uuid(), md5((i * 7919 % 200000)::text)::uuid,
             (array['ios', 'android', 'web'])[1 + i % 3], '4.' || i % 20 || '.1',
             (array['DE', 'FR', 'US', 'BR', 'JP', null])[1 + i % 6], at, at + interval '10 minutes',
             case when i % 10 > 0 then at + interval '11 minutes' end,
             case when i % 10 > 0 then (array['logout', 'background', 'timeout'])[1 + i % 3] end, at
         from (
             select i, timestamptz '{first}Z' + (i - 1) * interval '90 days' / {rows} as at
             from generate_series(1::bigint, {rows}) as i
         ) as sessions",
        first = first_day()
    );
    for sql in [ddl, &insert, "vacuum analyze user_sessions"] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(database.pool()).await?;
    }
    Ok(())
}
