use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Int64Type};
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};

use crate::forms::{accepting, batch};
use crate::overview::numbers;
use crate::support::{NOW, Servers, problem};

/// 100 days up to yesterday, closed, and today so far.
const DAYS: &str = "
    insert into lifecycle_daily
    select date '2024-08-09' + n, 10 + n % 7, 500 + 3 * n, 40 + n % 11, 60 + n % 13, n = 100, gen_random_uuid(), now()
    from generate_series(0, 100) as n";

async fn servers() -> Servers {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    servers
}

#[tokio::test]
async fn every_figure_is_the_one_that_sql_computes_from_the_same_rows() {
    let servers = servers().await;
    for (query, from, to) in [
        ("", "2024-10-19", "2024-11-18"),
        ("?timeframe=30d", "2024-10-19", "2024-11-18"),
        ("?range=2w", "2024-11-04", "2024-11-18"),
        ("?timeframe=3m", "2024-09-01", "2024-11-18"),
        ("?from=2024-09-01&to=2024-09-04", "2024-09-01", "2024-09-04"),
        ("?from=2024-11-16&to=2025-01-01", "2024-11-16", "2024-11-18"),
    ] {
        let answer = servers.get(&format!("/kpis/lifecycle{query}")).await;
        let expected: Value = sqlx::query_scalar(
            "with day as (
                 select *, new_active + \"returning\" + resurrected as active, json_build_object(
                     'date', date, 'newActive', new_active, 'returning', \"returning\", 'resurrected', resurrected,
                     'dormant', dormant, 'activeUsers', new_active + \"returning\" + resurrected,
                     'isPartial', is_partial) as item
                 from lifecycle_daily where date >= $1::date and date < $2::date)
             select json_build_object(
                 'summary', (select json_build_object(
                     'averageNewActive', round(avg(new_active), 2), 'averageReturning', round(avg(\"returning\"), 2),
                     'averageResurrected', round(avg(resurrected), 2), 'averageDormant', round(avg(dormant), 2),
                     'averageActive', round(avg(active), 2),
                     'latest', (select item from day where not is_partial order by date desc limit 1),
                     'range', json_build_object('startDate', $1 || 'T00:00:00.000Z', 'endDate', $2 || 'T00:00:00.000Z'))
                     from day where not is_partial),
                 'timeline', (select json_agg(item order by date) from day))",
        )
        .bind(from)
        .bind(to)
        .fetch_one(servers.warehouse.pool())
        .await
        .unwrap();
        for part in ["summary", "timeline"] {
            assert_eq!(numbers(&answer[part]), numbers(&expected[part]), "{query}: {part}");
        }
        assert_eq!(answer["meta"]["isPartial"], to == "2024-11-18", "{query}");
        assert_eq!(answer["meta"]["missingBuckets"], json!([]));
    }
}

#[tokio::test]
async fn a_day_never_computed_is_null_and_missing_and_in_no_average() {
    let servers = servers().await;
    servers
        .execute("delete from lifecycle_daily where date in ('2024-11-15', '2024-11-17')")
        .await;
    let answer = servers.get("/kpis/lifecycle?timeframe=4d").await;
    let active: Vec<_> = answer["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["activeUsers"])
        .collect();
    assert_eq!(active, [&json!(856), &Value::Null, &json!(848), &Value::Null]);
    let nulls = |day: &Value| {
        ["newActive", "returning", "resurrected", "dormant"]
            .iter()
            .all(|field| day[field].is_null())
    };
    assert!(nulls(&answer["timeline"][1]) && nulls(&answer["timeline"][3]));
    let partial: Vec<_> = answer["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["isPartial"])
        .collect();
    assert_eq!(
        partial,
        [false, false, false, true],
        "today is not over, computed or not"
    );
    assert_eq!(answer["summary"]["averageActive"], 852.0);
    assert_eq!(answer["summary"]["latest"]["date"], "2024-11-16");
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": "2024-11-17T14:05:00.000Z", "isPartial": true, "averagesPartial": false,
            "missingBuckets": ["2024-11-15T00:00:00.000Z", "2024-11-17T00:00:00.000Z"],
            "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": false,
        })
    );
}

#[tokio::test]
async fn with_no_complete_day_the_partial_one_is_averaged_and_said_to_be() {
    let answer = servers().await.get("/kpis/lifecycle?timeframe=1d").await;
    assert_eq!(answer["summary"]["averageNewActive"], 12.0);
    assert_eq!(answer["summary"]["averageActive"], 853.0);
    assert_eq!(answer["summary"]["latest"], answer["timeline"][0]);
    assert_eq!(answer["meta"]["averagesPartial"], true);
}

#[tokio::test]
async fn a_window_of_which_nothing_was_computed_is_missing_but_the_warehouse_not_empty() {
    let answer = servers()
        .await
        .get("/kpis/lifecycle?from=2024-01-01&to=2024-01-03")
        .await;
    assert_eq!(answer["timeline"].as_array().unwrap().len(), 2);
    assert_eq!(answer["meta"]["missingBuckets"].as_array().unwrap().len(), 2);
    assert_eq!(answer["summary"]["averageActive"], Value::Null);
    assert_eq!(answer["summary"]["latest"], Value::Null);
    let meta = &answer["meta"];
    assert_eq!(
        (&meta["empty"], &meta["isPartial"], &meta["averagesPartial"]),
        (&json!(false), &json!(false), &json!(false))
    );
}

#[tokio::test]
async fn a_day_without_anyone_is_zero() {
    let servers = Servers::start().await;
    servers
        .execute("insert into lifecycle_daily values ('2024-11-16', 0, 0, 0, 0, false, gen_random_uuid(), now())")
        .await;
    let answer = servers.get("/kpis/lifecycle?timeframe=2d").await;
    assert_eq!(
        (
            &answer["timeline"][0]["activeUsers"],
            &answer["timeline"][1]["activeUsers"]
        ),
        (&json!(0), &Value::Null)
    );
    assert_eq!(answer["summary"]["averageActive"], 0.0);
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_nulls_and_says_so() {
    let answer = Servers::start().await.get("/kpis/lifecycle?timeframe=7d").await;
    assert_eq!(
        answer,
        json!({
            "summary": {
                "averageNewActive": null, "averageReturning": null, "averageResurrected": null, "averageDormant": null,
                "averageActive": null, "latest": null,
                "range": {"startDate": "2024-11-11T00:00:00.000Z", "endDate": "2024-11-18T00:00:00.000Z"},
            },
            "timeline": [],
            "meta": {
                "asOf": null, "isPartial": false, "averagesPartial": false, "missingBuckets": [],
                "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": true,
            },
        })
    );
}

#[tokio::test]
async fn the_table_has_a_row_for_each_day() {
    let servers = servers().await;
    servers
        .execute("delete from lifecycle_daily where date = '2024-11-16'")
        .await;
    let path = "/kpis/lifecycle?timeframe=3d";
    let csv = accepting(&servers, "text/csv", path).await.text().await.unwrap();
    assert_eq!(
        csv,
        "date,newActive,returning,resurrected,dormant,activeUsers,isPartial\n\
         2024-11-15,10,794,50,67,854,false\n\
         2024-11-16,,,,,,false\n\
         2024-11-17,12,800,41,69,853,true\n"
    );
    let batch = batch(accepting(&servers, "application/vnd.apache.arrow.stream", path).await).await;
    assert_eq!(
        batch
            .column(0)
            .as_primitive::<Date32Type>()
            .value_as_date(2)
            .unwrap()
            .to_string(),
        "2024-11-17"
    );
    assert_eq!(batch.column(5).as_primitive::<Int64Type>().value(2), 853);
    assert!(batch.column(5).is_null(1));
}

#[tokio::test]
async fn a_mistake_in_the_query_is_told_in_its_own_words() {
    let servers = Servers::start().await;
    for (query, detail) in [
        ("timeframe=0d", "`0d` is no timeframe"),
        ("timeframe=2001d", "more than 2000 daily buckets"),
        ("timeframe=7d&range=7d", "the same"),
        ("timeframe=7d&from=2024-11-01&to=2024-11-02", "either"),
        ("from=2024-11-01", "come together"),
        ("from=2024-11-18&to=2024-11-20", "in the future"),
        ("granularity=daily", "unknown field `granularity`"),
        ("compare=previous", "unknown field `compare`"),
    ] {
        let problem = problem(servers.kpi(Method::GET, &format!("/kpis/lifecycle?{query}")).await, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{query}: {told}");
    }
}
