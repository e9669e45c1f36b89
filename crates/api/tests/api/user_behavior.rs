use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};

use crate::forms::{accepting, batch};
use crate::overview::numbers;
use crate::support::{NOW, Servers, problem};

/// What 40 people did in the 90 days before 14:00, counted from the events themselves. Nobody swipes on the web, nobody
/// does anything at 03, and the last rating is 50 hours old.
const EVENTS: &str = "
    create table happened as
    select 1 + (n * n / 7) % 40 as person, name, platform, at
    from generate_series(1, 1900) as n
    cross join lateral (select (array['profile_view', 'swipe', 'app_open', 'rating'])[1 + (n * 7) % 4] as name) e
    cross join lateral (select (array['ios', 'android', 'web', 'unknown'])[1 + (n / 4) % 4] as platform) p
    cross join lateral (select timestamptz '2024-11-17 14:00+00' - n * interval '67 minutes' as at) t
    where (name, platform) <> ('swipe', 'web') and (name <> 'rating' or n > 45)
        and extract(hour from at at time zone 'UTC') <> 3;

    insert into behavior_rollups
    select timeframe, timestamptz '2024-11-17 14:00+00', coalesce(name, '*'), facet, coalesce(value, '*'), count(*),
        count(distinct person), gen_random_uuid(), now()
    from (values ('24h'), ('7d'), ('30d'), ('90d')) as of (timeframe)
    join happened on at >= timestamptz '2024-11-17 14:00+00' - timeframe::interval
    cross join lateral (values ('all', null), ('platform', platform), ('hour', to_char(at at time zone 'UTC', 'HH24')))
        as by (facet, value)
    group by timeframe, facet, value, grouping sets ((name), ());

    insert into behavior_rollups
    select timeframe, as_of - interval '14 hours', event_name, facet, facet_value, 9 * event_count, 9 * unique_users,
        gen_random_uuid(), now()
    from behavior_rollups";

pub(crate) async fn servers() -> Servers {
    let servers = Servers::start().await;
    servers.execute(EVENTS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    servers
}

/// The answer, in plain SQL over the events, all of them or those of a name.
async fn expected(servers: &Servers, timeframe: &str, event: Option<&str>) -> Value {
    sqlx::query_scalar(
        "with done as (
                  select *, extract(hour from at at time zone 'UTC') as hour from happened
                  where at >= timestamptz '2024-11-17 14:00+00' - $1::interval and ($2 is null or name = $2)),
              event as (select name, count(*) as events, count(distinct person) as persons from done group by name),
              platform as (
                  select platform, count(*) as events, count(distinct person) as persons from done group by platform),
              hour as (
                  select h, count(person) as events, json_build_object(
                      'hour', h, 'eventCount', count(person), 'uniqueUsers', count(distinct person)) as item
                  from generate_series(0, 23) as h left join done on hour = h group by h)
         select json_build_object(
             'overview', (select json_build_object(
                 'totalEvents', count(*), 'uniqueUsers', count(distinct person),
                 'avgEventsPerUser', round(count(*)::numeric / nullif(count(distinct person), 0), 2),
                 'topEventType', (select name from event order by events desc, name collate \"C\" limit 1),
                 'range', json_build_object(
                     'startDate', to_char(
                         timestamp '2024-11-17 14:00' - $1::interval, 'YYYY-MM-DD\"T\"HH24:MI:SS.000\"Z\"'),
                     'endDate', '2024-11-17T14:00:00.000Z')) from done),
             'eventBreakdown', (select coalesce(json_agg(
                 json_build_object('eventName', name, 'count', events, 'uniqueUsers', persons)
                 order by events desc, name collate \"C\"), '[]') from event),
             'platformBreakdown', (select coalesce(json_agg(
                 json_build_object('platform', platform, 'count', events, 'uniqueUsers', persons,
                     'percentage', round(100.0 * events / (select count(*) from done), 1))
                 order by events desc, platform collate \"C\"), '[]') from platform),
             'temporalPatterns', json_build_object(
                 'hourlyPattern', (select json_agg(item order by h) from hour),
                 'peakHour', (select item from hour where events > 0 order by events desc, h limit 1)))",
    )
    .bind(timeframe)
    .bind(event)
    .fetch_one(servers.warehouse.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn every_figure_is_the_one_that_sql_counts_from_the_events() {
    let servers = servers().await;
    for (query, timeframe, event) in [
        ("", "7d", None),
        ("?timeframe=24h", "24h", None),
        ("?timeframe=7d", "7d", None),
        ("?range=30d", "30d", None),
        ("?timeframe=90d", "90d", None),
        ("?eventType=profile_view", "7d", Some("profile_view")),
        ("?timeframe=90d&eventType=swipe", "90d", Some("swipe")),
        ("?timeframe=30d&eventType=rating", "30d", Some("rating")),
        ("?timeframe=24h&eventType=rating", "24h", Some("rating")),
    ] {
        let answer = servers.get(&format!("/kpis/user-behavior{query}")).await;
        let expected = expected(&servers, timeframe, event).await;
        for part in ["overview", "eventBreakdown", "platformBreakdown", "temporalPatterns"] {
            assert_eq!(numbers(&answer[part]), numbers(&expected[part]), "{query}: {part}");
        }
        assert_eq!(answer["temporalPatterns"]["hourlyPattern"][3]["eventCount"], 0);
    }
    let answer = servers.get("/kpis/user-behavior").await;
    assert_eq!(answer["eventBreakdown"].as_array().unwrap().len(), 4);
    assert_eq!(answer["platformBreakdown"].as_array().unwrap().len(), 4);
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": "2024-11-17T14:05:00.000Z", "isPartial": false, "averagesPartial": false, "missingBuckets": [],
            "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": false,
        })
    );
}

#[tokio::test]
async fn equal_events_are_in_the_order_of_their_names_and_the_earliest_of_equal_hours_is_the_peak() {
    let servers = Servers::start().await;
    servers
        .execute(
            "insert into behavior_rollups
             select '7d', '2024-11-17 14:00+00', event, facet, value, count, 2, gen_random_uuid(), now()
             from (values
                 ('*', 'all', '*', 24), ('b', 'all', '*', 8), ('C', 'all', '*', 8), ('a', 'all', '*', 8),
                 ('*', 'platform', 'web', 8), ('*', 'platform', 'ios', 8), ('*', 'platform', 'android', 8),
                 ('*', 'hour', '22', 9), ('*', 'hour', '09', 9), ('*', 'hour', '11', 6)
             ) as row (event, facet, value, count)",
        )
        .await;
    let answer = servers.get("/kpis/user-behavior").await;
    let names = |part: &str, field: &str| {
        let items = answer[part].as_array().unwrap();
        items
            .iter()
            .map(|item| item[field].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("eventBreakdown", "eventName"), ["C", "a", "b"]);
    assert_eq!(answer["overview"]["topEventType"], "C");
    assert_eq!(names("platformBreakdown", "platform"), ["android", "ios", "web"]);
    assert_eq!(answer["platformBreakdown"][0]["percentage"], 33.3);
    assert_eq!(
        answer["temporalPatterns"]["peakHour"],
        json!({"hour": 9, "eventCount": 9, "uniqueUsers": 2})
    );
}

#[tokio::test]
async fn an_event_that_does_not_occur_is_zero_and_not_unknown() {
    let servers = servers().await;
    for query in [
        "eventType=nobody_does_this",
        "eventType=rating&timeframe=24h",
        "eventType=Profile_View",
    ] {
        let answer = servers.get(&format!("/kpis/user-behavior?{query}")).await;
        let overview = &answer["overview"];
        assert_eq!(
            (&overview["totalEvents"], &overview["uniqueUsers"]),
            (&json!(0), &json!(0))
        );
        assert_eq!(
            (&overview["avgEventsPerUser"], &overview["topEventType"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(overview["range"]["endDate"], "2024-11-17T14:00:00.000Z");
        assert_eq!(
            (&answer["eventBreakdown"], &answer["platformBreakdown"]),
            (&json!([]), &json!([]))
        );
        let hours = answer["temporalPatterns"]["hourlyPattern"].as_array().unwrap();
        assert_eq!(hours.len(), 24);
        assert!(
            hours
                .iter()
                .all(|hour| hour["eventCount"] == 0 && hour["uniqueUsers"] == 0)
        );
        assert_eq!(answer["temporalPatterns"]["peakHour"], Value::Null);
        assert_eq!(answer["meta"]["empty"], false);
    }
}

#[tokio::test]
async fn when_nobody_does_anything_all_is_zero() {
    let servers = Servers::start().await;
    servers
        .execute(
            "insert into behavior_rollups
             values ('7d', '2024-11-17 14:00+00', '*', 'all', '*', 0, 0, gen_random_uuid(), now())",
        )
        .await;
    let answer = servers.get("/kpis/user-behavior").await;
    assert_eq!(answer["overview"]["totalEvents"], 0);
    assert_eq!(answer["overview"]["avgEventsPerUser"], Value::Null);
    assert_eq!(
        answer["temporalPatterns"]["hourlyPattern"].as_array().unwrap().len(),
        24
    );
    assert_eq!(answer["meta"]["empty"], false);
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_nulls_and_says_so() {
    let servers = Servers::start().await;
    for path in [
        "/kpis/user-behavior",
        "/kpis/user-behavior?eventType=swipe&timeframe=90d",
    ] {
        let answer = servers.get(path).await;
        assert_eq!(
            answer,
            json!({
                "overview": {
                    "totalEvents": null, "uniqueUsers": null, "avgEventsPerUser": null, "topEventType": null,
                    "range": null,
                },
                "eventBreakdown": [], "platformBreakdown": [],
                "temporalPatterns": {"hourlyPattern": [], "peakHour": null},
                "meta": {
                    "asOf": null, "isPartial": false, "averagesPartial": false, "missingBuckets": [],
                    "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": true,
                },
            })
        );
    }
}

#[tokio::test]
async fn the_table_has_a_row_for_each_event() {
    let servers = Servers::start().await;
    servers
        .execute(
            "insert into behavior_rollups
             select '24h', '2024-11-17 14:00+00', event, facet, value, count, 2, gen_random_uuid(), now()
             from (values
                 ('*', 'all', '*', 9), ('swipe', 'all', '*', 4), ('a, \"b\"', 'all', '*', 5), ('*', 'hour', '22', 9)
             ) as row (event, facet, value, count)",
        )
        .await;
    let path = "/kpis/user-behavior?timeframe=24h";
    let csv = accepting(&servers, "text/csv", path).await.text().await.unwrap();
    assert_eq!(csv, "eventName,count,uniqueUsers\n\"a, \"\"b\"\"\",5,2\nswipe,4,2\n");
    let batch = batch(accepting(&servers, "application/vnd.apache.arrow.stream", path).await).await;
    assert_eq!(batch.column(0).as_string::<i32>().value(1), "swipe");
    assert_eq!(batch.column(1).as_primitive::<Int64Type>().values(), &[5, 4]);
}

#[tokio::test]
async fn a_mistake_in_the_query_is_told_in_its_own_words() {
    let servers = Servers::start().await;
    let four = "expected one of 24h, 7d, 30d, 90d";
    for (query, detail) in [
        ("timeframe=48h", four),
        ("timeframe=1d", four),
        ("timeframe=07d", four),
        ("range=12w", four),
        ("range=", four),
        ("timeframe=7d&range=7d", "give one of them"),
        ("from=2024-11-01&to=2024-11-08", "unknown field `from`"),
        ("event=swipe", "unknown field `event`"),
        ("compare=previous", "unknown field `compare`"),
        ("eventType=", "give the name of an event"),
        ("eventType=*", "give the name of an event"),
        ("eventType=a%00b", "no event has such a name"),
        ("eventType=a&eventType=b", "duplicate field `eventType`"),
    ] {
        let problem = problem(
            servers.kpi(Method::GET, &format!("/kpis/user-behavior?{query}")).await,
            400,
        )
        .await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{query}: {told}");
    }
}
