//! Which days the figures of `GET /kpis/revenue` are of.

use serde_json::{Value, json};

use crate::revenue::three_months;
use crate::support::{NOW, Servers};

#[tokio::test]
async fn a_window_may_be_named_in_three_ways_and_lie_in_the_past() {
    let servers = three_months().await;
    let month = servers.get("/kpis/revenue").await;
    for same in [
        "timeframe=30d",
        "range=30d",
        "from=2024-10-19&to=2024-11-18",
        "from=2024-10-19&to=2025-01-01",
    ] {
        assert_eq!(servers.get(&format!("/kpis/revenue?{same}")).await, month, "{same}");
    }
    let past = servers
        .get("/kpis/revenue?from=2024-10-01&to=2024-10-04&compare=previous")
        .await;
    let dates: Vec<_> = past["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["date"])
        .collect();
    assert_eq!(dates, ["2024-10-01", "2024-10-02", "2024-10-03"]);
    assert_eq!(past["meta"]["isPartial"], false);
    assert_eq!(
        past["comparison"]["range"],
        json!({"startDate": "2024-09-28T00:00:00.000Z", "endDate": "2024-10-01T00:00:00.000Z"})
    );
    assert_eq!(past["summary"]["currentMRR"], past["timeline"][2]["mrr"]);
    assert_eq!(past["movements"]["closingMrr"], past["timeline"][2]["mrr"]);
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_nulls_and_says_so() {
    let answer = Servers::start().await.get("/kpis/revenue?compare=previous").await;
    for part in ["summary", "movements", "insights"] {
        assert!(
            answer[part].as_object().unwrap().values().all(Value::is_null),
            "{part}: {}",
            answer[part]
        );
    }
    assert_eq!(
        (&answer["planBreakdown"], &answer["timeline"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        answer["comparison"]["totalRevenue"],
        json!({"current": null, "previous": null, "change": null})
    );
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": null, "isPartial": false, "averagesPartial": false, "missingBuckets": [],
            "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": true,
        })
    );
}

#[tokio::test]
async fn a_window_before_the_first_day_is_missing_but_the_warehouse_not_empty() {
    let servers = three_months().await;
    let answer = servers.get("/kpis/revenue?from=2024-01-01&to=2024-01-03").await;
    assert_eq!(answer["summary"]["totalRevenue"], Value::Null);
    assert_eq!(answer["meta"]["empty"], false);
    assert_eq!(
        answer["meta"]["missingBuckets"],
        json!(["2024-01-01T00:00:00.000Z", "2024-01-02T00:00:00.000Z"])
    );
}

#[tokio::test]
async fn a_fresh_installation_uses_its_partial_day_and_says_so() {
    let servers = three_months().await;
    servers
        .execute("delete from revenue_metrics where not is_partial; delete from mrr_movements_daily where date < '2024-11-17'")
        .await;
    let answer = servers.get("/kpis/revenue?timeframe=2d&compare=previous").await;
    assert_eq!(
        (&answer["meta"]["isPartial"], &answer["meta"]["averagesPartial"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(answer["meta"]["missingBuckets"], json!(["2024-11-16T00:00:00.000Z"]));
    let summary = &answer["summary"];
    assert_eq!(summary["averageMRR"], summary["currentMRR"]);
    assert_eq!(summary["customerLifetimeValue"], json!(239.01));
    assert!(summary["arpdau"].is_number() && summary["averageChurnRate"].is_number());
    assert_eq!(answer["insights"]["revenueGrowthRate"], Value::Null);
    assert_eq!(
        answer["comparison"]["averageMRR"],
        json!({"current": null, "previous": null, "change": null}),
        "only complete days are compared"
    );
}

#[tokio::test]
async fn days_never_computed_are_named_and_what_lacks_one_is_not_compared_with() {
    let servers = three_months().await;
    let whole = servers.get("/kpis/revenue?timeframe=5d&compare=previous").await;
    let day = |answer: &Value, at: usize| answer["timeline"][at]["revenue"].as_f64().unwrap();
    servers
        .execute("delete from revenue_metrics where date = '2024-11-14'")
        .await;
    let answer = servers.get("/kpis/revenue?timeframe=5d&compare=previous").await;
    assert_eq!(answer["meta"]["missingBuckets"], json!(["2024-11-14T00:00:00.000Z"]));
    let total = |answer: &Value| answer["summary"]["totalRevenue"].as_f64().unwrap();
    assert!((total(&whole) - day(&whole, 1) - total(&answer)).abs() < 0.016);
    assert_eq!(
        answer["comparison"]["range"],
        json!({"startDate": "2024-11-10T00:00:00.000Z", "endDate": "2024-11-13T00:00:00.000Z"}),
        "three complete days against three"
    );
    assert!(answer["insights"]["revenueGrowthRate"].is_number());

    // A day before the window that is partial, or was never computed, leaves nothing to compare with.
    for lacking in [
        "update revenue_metrics set is_partial = true where date = '2024-11-11'",
        "delete from revenue_metrics where date = '2024-11-11'",
    ] {
        servers.execute(lacking).await;
        let answer = servers.get("/kpis/revenue?timeframe=5d&compare=previous").await;
        assert_eq!(answer["insights"]["revenueGrowthRate"], Value::Null);
        let compared = &answer["comparison"]["totalNewSubscriptions"];
        assert!(compared["current"].is_i64() && compared["previous"].is_null() && compared["change"].is_null());
    }
}

#[tokio::test]
async fn a_day_that_is_over_but_was_not_closed_is_partial_too() {
    let servers = three_months().await;
    servers
        .execute("update revenue_metrics set is_partial = true where date = '2024-10-02'")
        .await;
    let answer = servers.get("/kpis/revenue?from=2024-10-01&to=2024-10-04").await;
    assert_eq!(answer["meta"]["isPartial"], true);
    let partial: Vec<_> = answer["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| &day["isPartial"])
        .collect();
    assert_eq!(partial, [false, true, false]);
    let mrr = |at: usize| answer["timeline"][at]["mrr"].as_f64().unwrap();
    let average = answer["summary"]["averageMRR"].as_f64().unwrap();
    assert!((average - (mrr(0) + mrr(2)) / 2.0).abs() < 0.011, "{average}");
}

#[tokio::test]
async fn revenue_by_active_users_is_of_the_days_on_which_both_are_known() {
    let servers = three_months().await;
    servers
        .execute("delete from daily_kpi_summaries where date <> '2024-11-15'")
        .await;
    let answer = servers.get("/kpis/revenue?timeframe=4d").await;
    let expected = "select round(m.total_revenue / d.total_active_users, 2)::float8
                    from revenue_metrics m join daily_kpi_summaries d using (date) where subscription_plan = 'all'";
    let expected: f64 = sqlx::query_scalar(expected)
        .fetch_one(servers.warehouse.pool())
        .await
        .unwrap();
    assert_eq!(answer["summary"]["arpdau"], json!(expected));
}
