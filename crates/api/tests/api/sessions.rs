use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use kindred_testkit::{at, day};
use reqwest::Method;
use serde_json::{Value, json};

use crate::forms::{accepting, batch};
use crate::support::{NOW, Servers, day_of_key_figures, problem};

/// 40 days up to yesterday, closed, and today so far, with the windows that end with each. Every figure is another
/// function of the day's number, 0 to 40. Sessions add up over platforms and over exits.
const DAYS: &str = "
    insert into daily_kpi_summaries
    select date '2024-10-08' + n, 1000 + 7 * n, 0, 0, 0,
        3000 + 13 * n, null, 2900 + 12 * n, 1800000.25 + 9771.5 * n,
        0, 0, 0, 0, 0, null, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null, null, 0, 0, 0, 0, 0, 0, null, null,
        n = 40, gen_random_uuid(), now()
    from generate_series(0, 40) as n;

    insert into segment_kpi_daily
    select date '2024-10-08' + n, dimension, value, 500, 5, sessions, seconds, closed, null, null, gen_random_uuid(), now()
    from generate_series(0, 40) as n,
        lateral (values
            ('platform', 'web', 400 + n, 400 * 70.5 + n, 390 + n),
            ('platform', 'ios', 1600 + 2 * n, 1600 * 610.25 + n * n, 1570 + 2 * n),
            ('platform', 'android', 1000 + 10 * n, 1000 * 500.75, 940 + 9 * n),
            -- Somebody registered with it, and nobody was there.
            ('platform', 'kiosk', 0, 0, 0),
            ('country', 'DE', 3000 + 13 * n, 1800000.25 + 9771.5 * n, 2900 + 12 * n)
        ) as s (dimension, value, sessions, seconds, closed);

    insert into session_exits_daily
    select date '2024-10-08' + n, exit_reason, sessions, gen_random_uuid(), now()
    from generate_series(0, 40) as n,
        lateral (values ('logout', 1000 + 3 * n), ('background', 1900 + 10 * n), ('unknown', 90), ('open', 10)) as e (exit_reason, sessions);

    insert into session_windows
    select date '2024-10-08' + n, length || 'd', 9 * length, 0, 300.04 + n + length, 900.06 + 3 * n + length,
        gen_random_uuid(), now()
    from generate_series(0, 40) as n, unnest(array[7, 30, 90]) as length";

/// The answer over the days from `$1` up to, and without, `$2`, but for its range and `meta`.
const EXPECTED: &str = "
    with days as (select * from daily_kpi_summaries where date >= $1 and date < $2),
         platform_days as (
             select s.*, is_partial from segment_kpi_daily s join days using (date) where dimension = 'platform'),
         platforms as (
             select value, sum(total_sessions) as sessions,
                 round((sum(session_seconds) filter (where not is_partial)
                     / sum(closed_sessions) filter (where not is_partial))::numeric, 1) as duration
             from platform_days group by value having sum(total_sessions) > 0),
         exits as (
             select exit_reason, sum(sessions) as sessions from session_exits_daily
             where date >= $1 and date < $2 group by exit_reason)
    select json_build_object(
        'summary', (select json_build_object(
            'totalSessions', (select sum(total_sessions) from days),
            'averageSessionDuration', round((sum(session_seconds) / sum(closed_sessions) / 60)::numeric, 1),
            'averageSessionDurationSeconds', round((sum(session_seconds) / sum(closed_sessions))::numeric, 1),
            'medianSessionDurationSeconds', (select round(median_duration::numeric, 1) from session_windows
                where as_of = $2 - 1 and timeframe = ($2 - $1) || 'd'),
            'p90SessionDurationSeconds', (select round(p90_duration::numeric, 1) from session_windows
                where as_of = $2 - 1 and timeframe = ($2 - $1) || 'd'),
            'averageSessionsPerDay', round(avg(total_sessions), 2),
            'averageSessionsPerUser', round(sum(total_sessions) / sum(total_active_users), 2))
            from days where not is_partial),
        'timeline', (select json_agg(json_build_object(
            'date', date, 'sessions', total_sessions, 'activeUsers', total_active_users,
            'averageSessionDurationSeconds', round((session_seconds / closed_sessions)::numeric, 1),
            'isPartial', is_partial) order by date) from days),
        'exitReasons', (select json_agg(json_build_object(
            'exitReason', exit_reason, 'sessions', sessions,
            'percentage', round(100 * sessions / (select sum(sessions) from exits), 1))
            order by sessions desc, exit_reason) from exits),
        'platforms', (select json_agg(json_build_object(
            'platform', value, 'sessions', sessions,
            'percentage', round(100 * sessions / (select sum(sessions) from platforms), 1),
            'averageSessionDurationSeconds', duration) order by sessions desc, value) from platforms))";

#[tokio::test]
async fn every_figure_is_the_one_that_sql_computes_from_the_same_rows() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    for (query, from, to, is_partial) in [
        ("timeframe=7d", "2024-11-11", "2024-11-18", true),
        ("range=30d", "2024-10-19", "2024-11-18", true),
        ("timeframe=36h", "2024-11-16", "2024-11-18", true),
        ("timeframe=1m", "2024-11-01", "2024-11-18", true),
        ("from=2024-10-20&to=2024-11-03", "2024-10-20", "2024-11-03", false),
        ("from=2024-10-20&to=2024-10-27", "2024-10-20", "2024-10-27", false),
    ] {
        let mut answer = servers.get(&format!("/kpis/sessions?{query}")).await;
        let expected: Value = sqlx::query_scalar(EXPECTED)
            .bind(day(from))
            .bind(day(to))
            .fetch_one(servers.warehouse.pool())
            .await
            .unwrap();
        let range = answer["summary"].as_object_mut().unwrap().remove("range");
        let instant = |day: &str| format!("{day}T00:00:00.000Z");
        assert_eq!(
            range,
            Some(json!({"startDate": instant(from), "endDate": instant(to)})),
            "{query}"
        );
        for part in ["summary", "timeline", "exitReasons", "platforms"] {
            assert_eq!(answer[part], expected[part], "{query}: {part}");
        }
        assert_eq!(
            answer["meta"],
            json!({
                "asOf": "2024-11-17T14:05:00.000Z", "isPartial": is_partial, "averagesPartial": false,
                "missingBuckets": [], "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": false,
            }),
            "{query}"
        );
    }
}

#[tokio::test]
async fn seven_days_are_asked_for_when_nothing_is_said() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    let answer = servers.get("/kpis/sessions").await;
    assert_eq!(answer, servers.get("/kpis/sessions?timeframe=7d").await);
    assert_eq!(answer, servers.get("/kpis/sessions?range=1w").await);
    let days = answer["timeline"].as_array().unwrap();
    assert_eq!((days.len(), &days[6]["date"]), (7, &json!("2024-11-17")));
}

#[tokio::test]
async fn percentiles_are_of_windows_that_were_computed_as_one() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    let percentiles = async |query: &str| {
        let answer = servers.get(&format!("/kpis/sessions?{query}")).await;
        let summary = &answer["summary"];
        [
            &summary["medianSessionDurationSeconds"],
            &summary["p90SessionDurationSeconds"],
        ]
        .map(Value::as_f64)
    };
    assert_eq!(percentiles("timeframe=7d").await, [Some(347.0), Some(1027.1)]);
    assert_eq!(percentiles("timeframe=90d").await, [Some(430.0), Some(1110.1)]);
    assert_eq!(
        percentiles("from=2024-10-09&to=2024-10-16").await,
        [Some(314.0), Some(928.1)]
    );
    assert_eq!(
        percentiles("timeframe=8d").await,
        [None, None],
        "percentiles do not add"
    );
    servers
        .execute("delete from session_windows where as_of = '2024-11-17'")
        .await;
    assert_eq!(
        percentiles("timeframe=7d").await,
        [None, None],
        "today was not computed"
    );
    servers
        .execute("update session_windows set median_duration = null, p90_duration = null")
        .await;
    assert_eq!(
        percentiles("from=2024-10-09&to=2024-10-16").await,
        [None, None],
        "none has ended"
    );
}

#[tokio::test]
async fn equal_counts_come_by_name() {
    let servers = Servers::start().await;
    day_of_key_figures(&servers, "2024-11-16", 5).await;
    servers
        .execute(
            "insert into session_exits_daily select '2024-11-16', reason, 2, gen_random_uuid(), now()
             from unnest(array['timeout', 'Zoned_out', 'crash']) as reason;
             insert into segment_kpi_daily
             select '2024-11-16', 'platform', value, 1, 0, 2, 0, 0, null, null, gen_random_uuid(), now()
             from unnest(array['web', 'android', 'TV']) as value",
        )
        .await;
    let answer = servers.get("/kpis/sessions").await;
    let names = |list: &str, field: &str| -> Vec<String> {
        let items = answer[list].as_array().unwrap().iter();
        items.map(|item| item[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("exitReasons", "exitReason"), ["Zoned_out", "crash", "timeout"]);
    assert_eq!(names("platforms", "platform"), ["TV", "android", "web"]);
    assert_eq!(answer["exitReasons"][0]["percentage"], 33.3);
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_nulls_and_says_so() {
    let answer = Servers::start().await.get("/kpis/sessions").await;
    assert_eq!(
        answer,
        json!({
            "summary": {
                "totalSessions": null, "averageSessionDuration": null, "averageSessionDurationSeconds": null,
                "medianSessionDurationSeconds": null, "p90SessionDurationSeconds": null,
                "averageSessionsPerDay": null, "averageSessionsPerUser": null,
                "range": {"startDate": "2024-11-11T00:00:00.000Z", "endDate": "2024-11-18T00:00:00.000Z"},
            },
            "timeline": [], "exitReasons": [], "platforms": [],
            "meta": {
                "asOf": null, "isPartial": false, "averagesPartial": false, "missingBuckets": [],
                "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": true,
            },
        })
    );
}

#[tokio::test]
async fn a_fresh_installation_averages_its_partial_day_and_says_so() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    let yesterday = "delete from daily_kpi_summaries where not is_partial;
        delete from segment_kpi_daily where date < '2024-11-17'; delete from session_exits_daily where date < '2024-11-17'";
    servers.execute(yesterday).await;
    let answer = servers.get("/kpis/sessions?timeframe=2d").await;
    assert_eq!(
        (&answer["meta"]["averagesPartial"], &answer["meta"]["missingBuckets"]),
        (&json!(true), &json!(["2024-11-16T00:00:00.000Z"]))
    );
    let summary = &answer["summary"];
    assert_eq!(summary["totalSessions"], 3520);
    assert_eq!(summary["averageSessionsPerDay"], 3520.0);
    assert_eq!(summary["averageSessionsPerUser"], 2.75);
    // 2,190,860.25 s of 3,380 sessions.
    assert_eq!(summary["averageSessionDurationSeconds"], 648.2);
    assert_eq!(summary["averageSessionDuration"], 10.8);
    // 500,750 s of 1,300 sessions.
    assert_eq!(answer["platforms"][1]["averageSessionDurationSeconds"], 385.2);
}

#[tokio::test]
async fn days_never_computed_are_null_and_missing_and_in_no_average() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers
        .execute("delete from daily_kpi_summaries where date in ('2024-11-15', '2024-11-17')")
        .await;
    let answer = servers.get("/kpis/sessions?timeframe=4d").await;
    let nothing = |date: &str, is_partial: bool| {
        json!({
            "date": date, "sessions": null, "activeUsers": null, "averageSessionDurationSeconds": null,
            "isPartial": is_partial,
        })
    };
    let days = &answer["timeline"];
    assert_eq!(days[1], nothing("2024-11-15", false));
    assert_eq!(
        days[3],
        nothing("2024-11-17", true),
        "today is not over, computed or not"
    );
    assert_eq!(
        answer["meta"]["missingBuckets"],
        json!(["2024-11-15T00:00:00.000Z", "2024-11-17T00:00:00.000Z"])
    );
    assert_eq!(
        (&answer["meta"]["isPartial"], &answer["meta"]["empty"]),
        (&json!(true), &json!(false))
    );
    // 3000 + 13 * 37 and 3000 + 13 * 39.
    assert_eq!(answer["summary"]["totalSessions"], 3481 + 3507);
    assert_eq!(answer["summary"]["averageSessionsPerDay"], 3494.0);

    let answer = servers.get("/kpis/sessions?from=2024-09-01&to=2024-09-03").await;
    assert_eq!(
        answer["timeline"],
        json!([nothing("2024-09-01", false), nothing("2024-09-02", false)])
    );
    assert_eq!(
        (&answer["summary"]["totalSessions"], &answer["meta"]["empty"]),
        (&Value::Null, &json!(false))
    );
}

#[tokio::test]
async fn a_closed_day_that_was_left_partial_is_counted_and_not_averaged() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers
        .execute("update daily_kpi_summaries set is_partial = true where date = '2024-11-16'")
        .await;
    let answer = servers.get("/kpis/sessions?from=2024-11-15&to=2024-11-17").await;
    assert_eq!(answer["meta"]["isPartial"], true);
    assert_eq!(answer["summary"]["totalSessions"], 3494 + 3507);
    assert_eq!(answer["summary"]["averageSessionsPerDay"], 3494.0);
}

#[tokio::test]
async fn nobody_is_zero_and_what_nobody_has_is_null() {
    let servers = Servers::start().await;
    day_of_key_figures(&servers, "2024-11-16", 0).await;
    let answer = servers.get("/kpis/sessions?timeframe=2d").await;
    let summary = &answer["summary"];
    assert_eq!(
        (&summary["totalSessions"], &summary["averageSessionsPerDay"]),
        (&json!(0), &json!(0.0))
    );
    assert_eq!(
        (
            &summary["averageSessionDurationSeconds"],
            &summary["averageSessionsPerUser"]
        ),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(answer["timeline"][0]["sessions"], 0);
    assert_eq!(answer["timeline"][0]["averageSessionDurationSeconds"], Value::Null);
    assert_eq!((&answer["exitReasons"], &answer["platforms"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn the_table_is_that_of_the_days() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers
        .execute("delete from daily_kpi_summaries where date = '2024-11-16'")
        .await;
    let path = "/kpis/sessions?timeframe=3d";
    let csv = accepting(&servers, "text/csv", path).await.text().await.unwrap();
    assert_eq!(
        csv,
        "date,sessions,activeUsers,averageSessionDurationSeconds,isPartial\n\
         2024-11-15,3494,1266,647.0,false\n\
         2024-11-16,,,,false\n\
         2024-11-17,3520,1280,648.2,true\n"
    );
    let stream = accepting(&servers, "application/vnd.apache.arrow.stream", path).await;
    let table = batch(stream).await;
    let sessions = table.column_by_name("sessions").unwrap().as_primitive::<Int64Type>();
    assert_eq!(
        (sessions.value(0), sessions.is_null(1), sessions.value(2)),
        (3494, true, 3520)
    );
    let durations = table.column_by_name("averageSessionDurationSeconds").unwrap();
    assert!((durations.as_primitive::<Float64Type>().value(2) - 648.2).abs() < 1e-9);
}

#[tokio::test]
async fn what_is_no_window_is_refused() {
    let servers = Servers::start().await;
    for (query, says) in [
        ("timeframe=week", "timeframe"),
        ("timeframe=7d&range=7d", "one of them"),
        ("timeframe=7d&from=2024-11-01&to=2024-11-02", "either"),
        ("from=2024-11-01", "come together"),
        ("timeframe=2001d", "2000"),
        ("compare=previous", "compare"),
    ] {
        let refused = problem(servers.kpi(Method::GET, &format!("/kpis/sessions?{query}")).await, 400).await;
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{query}: {detail}");
    }
}
