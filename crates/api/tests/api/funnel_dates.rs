//! Which entry dates the figures of `GET /kpis/funnel` are of.

use serde_json::{Value, json};

use crate::funnel::{column, sql, three_months};
use crate::overview::numbers;
use crate::support::{NOW, Servers};

#[tokio::test]
async fn with_matured_only_mature_dates_count_and_percentiles_are_of_other_dates() {
    let servers = three_months().await;
    let answer = servers.get("/kpis/funnel?matured=true").await;
    let steps = "select steps('[2024-10-19,2024-11-03)', '[2024-10-19,2024-11-03)', null)";
    assert_eq!(numbers(&answer["funnel"]), sql(&servers, steps).await);
    assert_eq!(answer["insights"]["immatureDates"], 0);
    assert_eq!(
        answer["meta"]["isPartial"], false,
        "everyone who entered on them is there"
    );
    assert_eq!(answer["meta"]["missingBuckets"], json!([]));

    // No date of the last week is mature.
    let answer = servers.get("/kpis/funnel?matured=true&timeframe=7d").await;
    assert_eq!(
        (&answer["funnel"], &answer["stepConversions"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(answer["insights"]["totalUsers"], Value::Null);
    assert_eq!(
        (&answer["meta"]["empty"], &answer["meta"]["averagesPartial"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        servers.get("/kpis/funnel?matured=false").await,
        servers.get("/kpis/funnel").await
    );
}

#[tokio::test]
async fn percentiles_are_those_of_7_30_and_90_dates_with_the_same_end_and_null_for_others() {
    let servers = three_months().await;
    for (query, days) in [
        ("timeframe=7d", 7),
        ("range=1w", 7),
        ("from=2024-10-10&to=2024-11-09", 30),
        ("range=90d", 90),
    ] {
        let answer = servers.get(&format!("/kpis/funnel?{query}")).await;
        let median = (10.04 + f64::from(days)) * 10.0;
        assert_eq!(
            column(&answer, "medianTimeToConvertSeconds")[0],
            &json!(median.round() / 10.0),
            "{query}"
        );
    }
    for query in [
        "timeframe=8d",
        "from=2024-10-10&to=2024-11-10",
        "from=2024-09-01&to=2024-09-08",
    ] {
        let answer = servers.get(&format!("/kpis/funnel?{query}")).await;
        for field in ["medianTimeToConvertSeconds", "p90TimeToConvertSeconds"] {
            assert!(column(&answer, field).iter().all(|value| value.is_null()), "{query}");
        }
        assert!(column(&answer, "avgTimeToConvertSeconds")[0].is_number(), "{query}");
    }
}

#[tokio::test]
async fn the_complete_dates_are_compared_with_as_many_before_the_window() {
    let servers = three_months().await;
    let whole = "
        select json_agg(json_build_array(first, last, round(100 * last / first, 1)) order by period) from (
            select case when date < '2024-10-19' then 1 else 2 end as period,
                sum(total_users) filter (where step_order = 1) as first,
                sum(total_users) filter (where step_order = 8) as last
            from conversion_funnels
            where funnel_name = 'onboarding' and date between '2024-09-20' and '2024-11-16' group by period
        ) as sums";
    let whole = sql(&servers, whole).await;
    let comparison = &servers.get("/kpis/funnel?compare=previous").await["comparison"];
    assert_eq!(
        comparison["range"],
        json!({"startDate": "2024-09-20T00:00:00.000Z", "endDate": "2024-10-19T00:00:00.000Z"})
    );
    for (at, figure) in ["totalUsers", "finalConversions", "overallConversionRate"]
        .iter()
        .enumerate()
    {
        let of = numbers(&comparison[figure]);
        assert_eq!(
            (&of["previous"], &of["current"]),
            (&whole[0][at], &whole[1][at]),
            "{figure}"
        );
        assert!(of["change"].is_number());
    }
    let mature = servers.get("/kpis/funnel?compare=previous&matured=true").await;
    assert_eq!(
        mature["comparison"]["range"],
        json!({"startDate": "2024-10-04T00:00:00.000Z", "endDate": "2024-10-19T00:00:00.000Z"})
    );
    assert_eq!(
        mature["comparison"]["totalUsers"]["current"],
        mature["insights"]["totalUsers"]
    );
}

#[tokio::test]
async fn what_lacks_a_date_is_not_compared_with_and_missing_dates_are_named() {
    let servers = three_months().await;
    servers
        .execute("delete from conversion_funnels where date in ('2024-10-10', '2024-11-15')")
        .await;
    let answer = servers.get("/kpis/funnel?compare=previous").await;
    assert_eq!(answer["meta"]["missingBuckets"], json!(["2024-11-15T00:00:00.000Z"]));
    let users = &answer["comparison"]["totalUsers"];
    assert!(users["current"].is_i64() && users["previous"].is_null() && users["change"].is_null());
    // 28 complete dates are left.
    let average = numbers(&answer["funnel"][0]["averageUsers"]);
    let expected = "select to_json(round(sum(total_users) / 28, 2)) from conversion_funnels
                    where funnel_name = 'onboarding' and step_order = 1 and date between '2024-10-19' and '2024-11-16'";
    assert_eq!(average, sql(&servers, expected).await);
}

#[tokio::test]
async fn a_date_is_complete_when_the_sources_were_read_beyond_it() {
    let servers = three_months().await;
    servers
        .execute("update source_watermarks set extracted_to = '2024-11-16 22:00+00'")
        .await;
    let answer = servers.get("/kpis/funnel").await;
    let steps = "select steps('[2024-10-19,2024-11-18)', '[2024-10-19,2024-11-16)', 30)";
    assert_eq!(numbers(&answer["funnel"]), sql(&servers, steps).await);
    let past = servers.get("/kpis/funnel?from=2024-11-10&to=2024-11-17").await;
    assert_eq!(past["meta"]["isPartial"], true);
    let past = servers.get("/kpis/funnel?from=2024-11-10&to=2024-11-16").await;
    assert_eq!(past["meta"]["isPartial"], false);
}

#[tokio::test]
async fn a_fresh_installation_uses_its_partial_date_and_says_so() {
    let servers = three_months().await;
    servers
        .execute("delete from conversion_funnels where date < '2024-11-17'")
        .await;
    let answer = servers.get("/kpis/funnel?timeframe=2d&compare=previous").await;
    assert_eq!(
        (&answer["meta"]["isPartial"], &answer["meta"]["averagesPartial"]),
        (&json!(true), &json!(true))
    );
    let first = &answer["funnel"][0];
    assert_eq!(first["averageUsers"].as_f64(), first["users"].as_f64());
    let nothing = json!({"current": null, "previous": null, "change": null});
    assert_eq!(
        answer["comparison"]["totalUsers"], nothing,
        "only complete dates are compared"
    );
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_empty_lists_and_says_so() {
    let answer = Servers::start()
        .await
        .get("/kpis/funnel?funnel=onboarding&compare=previous")
        .await;
    assert_eq!(
        (&answer["funnel"], &answer["stepConversions"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        answer["insights"],
        json!({
            "biggestDropOff": null, "overallConversionRate": null, "totalUsers": null, "finalConversions": null,
            "immatureDates": 0,
        })
    );
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": null, "isPartial": false, "averagesPartial": false, "missingBuckets": [],
            "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": true,
        })
    );
}
