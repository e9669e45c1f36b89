use kindred_testkit::at;
use serde_json::{Value, json};

use crate::support::{NOW, Servers};

/// 60 days, 100 hours, 20 weeks, 12 months and 8 quarters, each up to the current one, which is partial.
pub(crate) const BUCKETS: &str = "
    insert into active_user_buckets
    select g.name, g.now - n * g.step, g.now - n * g.step + g.step, 1000 - 3 * n, 10 + n, 5000 - n, n = 0,
        gen_random_uuid(), now()
    from (values ('hourly', timestamptz '2024-11-17 14:00+00', interval '1 hour', 100),
                 ('daily', '2024-11-17 00:00+00', '1 day', 60),
                 ('weekly', '2024-11-11 00:00+00', '7 days', 20),
                 ('monthly', '2024-11-01 00:00+00', '1 month', 12),
                 ('quarterly', '2024-10-01 00:00+00', '3 months', 8)) as g (name, now, step, count),
         lateral generate_series(0, g.count - 1) as n";

fn labels(answer: &Value) -> Vec<&str> {
    answer["breakdown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["label"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn thirty_days_end_with_today_which_is_partial() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    let answer = servers.get("/kpis/active-users?granularity=daily&range=30d").await;
    assert_eq!(answer, servers.get("/kpis/active-users").await, "the defaults");
    assert_eq!(
        answer,
        servers.get("/kpis/active-users?timeframe=30d").await,
        "the other name"
    );

    // 29 complete days: 1000 - 3n for n = 1 to 29.
    let complete: Vec<i64> = (1..30).map(|n| 1000 - 3 * n).collect();
    let average = complete.iter().sum::<i64>() as f64 / 29.0;
    assert_eq!(
        answer["summary"],
        json!({
            "latestBucketActiveUsers": 997,
            "averageBucketActiveUsers": (average * 100.0).round() / 100.0,
            "totalBuckets": 30,
            "granularity": "daily",
            "range": {"startDate": "2024-10-19T00:00:00.000Z", "endDate": "2024-11-18T00:00:00.000Z"},
        })
    );
    let breakdown = answer["breakdown"].as_array().unwrap();
    assert_eq!(
        breakdown[0],
        json!({
            "label": "2024-10-19", "startDate": "2024-10-19T00:00:00.000Z", "endDate": "2024-10-19T00:00:00.000Z",
            "endExclusive": "2024-10-20T00:00:00.000Z", "activeUsers": 913, "isPartial": false,
            "metadata": {"newRegistrations": 39, "totalSessions": 4971},
        })
    );
    let counts: Vec<_> = breakdown
        .iter()
        .map(|item| item["activeUsers"].as_i64().unwrap())
        .collect();
    assert_eq!(counts, (0..30).rev().map(|n| 1000 - 3 * n).collect::<Vec<_>>());
    let partial: Vec<_> = breakdown.iter().map(|item| item["isPartial"] == true).collect();
    assert_eq!(partial, (0..30).map(|position| position == 29).collect::<Vec<_>>());
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": "2024-11-17T14:05:00.000Z", "isPartial": true, "averagesPartial": false, "missingBuckets": [],
            "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": false,
        })
    );
}

#[tokio::test]
async fn without_the_partial_one_there_are_as_many_complete_buckets() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    let answer = servers.get("/kpis/active-users?range=30d&includePartial=false").await;
    let labels = labels(&answer);
    assert_eq!((labels.len(), labels[0], labels[29]), (30, "2024-10-18", "2024-11-16"));
    assert_eq!(answer["summary"]["latestBucketActiveUsers"], 997);
    assert_eq!(answer["meta"]["isPartial"], false);

    // Nothing was computed for three days: the last complete ones are older.
    servers
        .execute("delete from active_user_buckets where bucket_start >= '2024-11-14'")
        .await;
    let answer = servers.get("/kpis/active-users?range=2d&includePartial=false").await;
    assert_eq!(self::labels(&answer), ["2024-11-12", "2024-11-13"]);
}

#[tokio::test]
async fn every_granularity_has_its_labels_ends_and_default_range() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    let last = [
        (
            "hourly",
            72,
            "2024-11-17T14:00Z",
            "2024-11-17T14:00",
            "2024-11-17T15:00",
        ),
        ("daily", 30, "2024-11-17", "2024-11-17T00:00", "2024-11-18T00:00"),
        ("weekly", 12, "2024-W46", "2024-11-17T00:00", "2024-11-18T00:00"),
        ("monthly", 6, "2024-11", "2024-11-30T00:00", "2024-12-01T00:00"),
        ("quarterly", 4, "2024-Q4", "2024-12-31T00:00", "2025-01-01T00:00"),
    ];
    for (granularity, count, label, end, end_exclusive) in last {
        let answer = servers
            .get(&format!("/kpis/active-users?granularity={granularity}"))
            .await;
        let breakdown = answer["breakdown"].as_array().unwrap();
        assert_eq!(
            (breakdown.len(), &answer["summary"]["granularity"]),
            (count, &json!(granularity))
        );
        let item = &breakdown[count - 1];
        assert_eq!(item["label"], label);
        assert_eq!(item["endDate"], format!("{end}:00.000Z"));
        assert_eq!(item["endExclusive"], format!("{end_exclusive}:00.000Z"));
        assert_eq!(answer["summary"]["range"]["endDate"], item["endExclusive"]);
        assert_eq!(answer["summary"]["range"]["startDate"], breakdown[0]["startDate"]);
        assert_eq!(item["activeUsers"], 1000);
        assert_eq!(breakdown[0]["activeUsers"], 1000 - 3 * (count - 1));
        assert_eq!(answer["meta"]["missingBuckets"], json!([]));
    }
}

#[tokio::test]
async fn a_window_of_another_unit_takes_every_bucket_that_it_meets() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    let asked = async |query: &str| servers.get(&format!("/kpis/active-users?{query}")).await;
    assert_eq!(
        labels(&asked("granularity=weekly&range=8d").await),
        ["2024-W45", "2024-W46"]
    );
    assert_eq!(
        labels(&asked("granularity=daily&range=48h").await),
        ["2024-11-16", "2024-11-17"]
    );
    assert_eq!(
        labels(&asked("granularity=quarterly&range=6m").await),
        ["2024-Q2", "2024-Q3", "2024-Q4"]
    );
    assert_eq!(
        labels(&asked("granularity=monthly&from=2024-08-31&to=2024-10-02").await),
        ["2024-08", "2024-09", "2024-10"]
    );
}

#[tokio::test]
async fn dates_give_the_days_from_the_first_to_the_one_before_the_last() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    let answer = servers.get("/kpis/active-users?from=2024-11-01&to=2024-11-04").await;
    assert_eq!(labels(&answer), ["2024-11-01", "2024-11-02", "2024-11-03"]);
    assert_eq!(answer["summary"]["range"]["endDate"], "2024-11-04T00:00:00.000Z");
    assert_eq!(answer["meta"]["isPartial"], false);
    let answer = servers.get("/kpis/active-users?from=2024-11-16&to=2025-06-01").await;
    assert_eq!(
        labels(&answer),
        ["2024-11-16", "2024-11-17"],
        "what has not begun is left out"
    );
    assert_eq!(answer["meta"]["isPartial"], true);
    let answer = servers
        .get("/kpis/active-users?from=2024-11-16&to=2025-06-01&includePartial=false")
        .await;
    assert_eq!(labels(&answer), ["2024-11-16"]);
}

#[tokio::test]
async fn a_bucket_never_computed_is_null_and_missing_and_in_no_average() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    servers
        .execute("delete from active_user_buckets where bucket_start in ('2024-11-15', '2024-11-17')")
        .await;
    let answer = servers.get("/kpis/active-users?range=4d").await;
    let counts: Vec<_> = answer["breakdown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["activeUsers"])
        .collect();
    assert_eq!(counts, [&json!(991), &Value::Null, &json!(997), &Value::Null]);
    assert_eq!(
        answer["breakdown"][1]["metadata"],
        json!({"newRegistrations": null, "totalSessions": null})
    );
    assert_eq!(
        answer["breakdown"][3]["isPartial"], true,
        "today is not over, computed or not"
    );
    assert_eq!(
        answer["meta"]["missingBuckets"],
        json!(["2024-11-15T00:00:00.000Z", "2024-11-17T00:00:00.000Z"])
    );
    assert_eq!(answer["meta"]["isPartial"], true);
    assert_eq!(answer["summary"]["latestBucketActiveUsers"], 997);
    assert_eq!(answer["summary"]["averageBucketActiveUsers"], 994.0);
    assert_eq!(answer["summary"]["totalBuckets"], 4);
}

#[tokio::test]
async fn with_no_complete_bucket_the_partial_one_is_averaged_and_said_to_be() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    let answer = servers.get("/kpis/active-users?range=1d").await;
    assert_eq!(answer["summary"]["latestBucketActiveUsers"], 1000);
    assert_eq!(answer["summary"]["averageBucketActiveUsers"], 1000.0);
    assert_eq!(answer["meta"]["averagesPartial"], true);
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_an_empty_list_and_says_so() {
    let answer = Servers::start()
        .await
        .get("/kpis/active-users?granularity=weekly")
        .await;
    assert_eq!(answer["breakdown"], json!([]));
    assert_eq!(
        answer["summary"],
        json!({
            "latestBucketActiveUsers": null, "averageBucketActiveUsers": null, "totalBuckets": 0,
            "granularity": "weekly",
            "range": {"startDate": "2024-08-26T00:00:00.000Z", "endDate": "2024-11-18T00:00:00.000Z"},
        })
    );
    assert_eq!(
        (&answer["meta"]["empty"], &answer["meta"]["missingBuckets"]),
        (&json!(true), &json!([]))
    );
}

#[tokio::test]
async fn a_granularity_that_was_never_computed_is_missing_but_the_warehouse_not_empty() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    servers
        .execute("delete from active_user_buckets where granularity = 'hourly'")
        .await;
    let answer = servers.get("/kpis/active-users?granularity=hourly&range=3h").await;
    assert_eq!(labels(&answer).len(), 3);
    assert_eq!(answer["meta"]["empty"], false);
    assert_eq!(answer["meta"]["missingBuckets"].as_array().unwrap().len(), 3);
    assert_eq!(answer["summary"]["latestBucketActiveUsers"], Value::Null);
    let answer = servers
        .get("/kpis/active-users?granularity=hourly&range=3h&includePartial=false")
        .await;
    assert_eq!(
        labels(&answer),
        ["2024-11-17T11:00Z", "2024-11-17T12:00Z", "2024-11-17T13:00Z"]
    );
}

/// Two values of each of two dimensions, on the days that they were seen; 2024-11-15 had nobody on the web.
const SEGMENTS: &str = "
    insert into segment_kpi_daily
    select day, s.dimension, s.value, s.users + n, null, 0, 0, 0, null, null, gen_random_uuid(), now()
    from generate_series(1, 4) as n, lateral (select date '2024-11-13' + n as day) as d,
         (values ('platform', 'ios', 500), ('platform', 'web', 20), ('gender', 'unknown', 3)) as s (dimension, value, users)
    where not (s.value = 'web' and day = '2024-11-15')";

#[tokio::test]
async fn a_breakdown_has_every_day_of_every_value() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    servers.execute(SEGMENTS).await;
    servers
        .execute("delete from active_user_buckets where bucket_start = '2024-11-14' and granularity = 'daily'")
        .await;
    servers
        .execute("delete from segment_kpi_daily where date = '2024-11-14'")
        .await;
    let answer = servers.get("/kpis/active-users?range=4d&breakdown=platform").await;
    let day = |date: &str, users: Value| json!({"startDate": format!("{date}T00:00:00.000Z"), "activeUsers": users});
    assert_eq!(
        answer["breakdowns"],
        json!([
            {"dimension": "platform", "value": "ios", "buckets": [
                day("2024-11-14", Value::Null), day("2024-11-15", json!(502)), day("2024-11-16", json!(503)),
                day("2024-11-17", json!(504)),
            ]},
            {"dimension": "platform", "value": "web", "buckets": [
                day("2024-11-14", Value::Null), day("2024-11-15", json!(0)), day("2024-11-16", json!(23)),
                day("2024-11-17", json!(24)),
            ]},
        ])
    );
    assert_eq!(
        answer["breakdown"].as_array().unwrap().len(),
        4,
        "the buckets stand beside it"
    );
    let complete = servers
        .get("/kpis/active-users?range=2d&breakdown=gender&includePartial=false")
        .await;
    assert_eq!(
        complete["breakdowns"],
        json!([{"dimension": "gender", "value": "unknown",
            "buckets": [day("2024-11-15", json!(5)), day("2024-11-16", json!(6))]}])
    );
    assert!(servers.get("/kpis/active-users").await.get("breakdowns").is_none());
    let nobody = servers.get("/kpis/active-users?breakdown=country").await;
    assert_eq!(nobody["breakdowns"], json!([]));
}

#[tokio::test]
async fn complete_buckets_are_compared_with_as_many_before_them() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    // Of 10 days the current one is partial: 9 complete ones, 1000 - 3n for n = 1 to 9, against n = 10 to 18.
    let answer = servers.get("/kpis/active-users?range=10d&compare=previous").await;
    assert_eq!(
        answer["comparison"],
        json!({
            "range": {"startDate": "2024-10-30T00:00:00.000Z", "endDate": "2024-11-08T00:00:00.000Z"},
            "latestBucketActiveUsers": {"current": 997, "previous": 970, "change": 2.8},
            "averageBucketActiveUsers": {"current": 985.0, "previous": 958.0, "change": 2.8},
        })
    );
    let months = servers
        .get("/kpis/active-users?granularity=monthly&compare=previous")
        .await;
    assert_eq!(
        months["comparison"]["range"],
        json!({"startDate": "2024-01-01T00:00:00.000Z", "endDate": "2024-06-01T00:00:00.000Z"})
    );
    // 60 days were computed: not as many lie before 40 of them.
    let unknown = servers.get("/kpis/active-users?range=40d&compare=previous").await;
    let compared = &unknown["comparison"]["averageBucketActiveUsers"];
    assert!(compared["current"].is_number() && compared["previous"].is_null() && compared["change"].is_null());
}

#[tokio::test]
async fn a_breakdown_as_a_table_has_a_row_for_each_value_and_day() {
    let servers = Servers::start().await;
    servers.execute(BUCKETS).await;
    servers.execute(SEGMENTS).await;
    let request = servers
        .client()
        .get(servers.kpi_url("/kpis/active-users?range=2d&breakdown=platform"))
        .header("accept", "text/csv");
    assert_eq!(
        request.send().await.unwrap().text().await.unwrap(),
        "dimension,value,startDate,activeUsers\n\
         platform,ios,2024-11-16T00:00:00.000Z,503\n\
         platform,ios,2024-11-17T00:00:00.000Z,504\n\
         platform,web,2024-11-16T00:00:00.000Z,23\n\
         platform,web,2024-11-17T00:00:00.000Z,24\n"
    );
}
