use kindred_testkit::at;
use serde_json::{Value, json};

use crate::support::{NOW, Servers};

/// 40 days up to yesterday, closed, and today so far. Every figure is another function of the day's number, 1 to 41.
pub(crate) const DAYS: &str = "
    insert into daily_kpi_summaries
    select date '2024-10-08' + n, 1000 + 7 * n, 0, 0, 40 + n % 5,
        3 * n, 900.5 + n, 2 * n, 1000.0 * n, 0, 500 + 3 * n, 2000 + 11 * n, 0, 0, null, 0, 0, 0, 1000.005 + n,
        0, 0, 700 + n, 20 + n % 3, 99, 99, 99, 99,
        100 + n, 90 + n, 80 + n, 40 + n % 7, 30 + n % 7, 10 + n % 7, null, null, n = 40, gen_random_uuid(), now()
    from generate_series(0, 40) as n";

#[tokio::test]
async fn every_figure_is_the_one_that_sql_computes_from_the_same_rows() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    let answer = servers.get("/kpis/overview").await;

    let expected: Value = sqlx::query_scalar(
        "with day as (select * from daily_kpi_summaries where date = '2024-11-17'),
              month as (select * from daily_kpi_summaries where date between '2024-10-18' and '2024-11-16'),
              growth as (
                  select m.date, json_build_object(
                      'date', m.date, 'activeUsers', m.total_active_users, 'newRegistrations', m.new_registrations,
                      'growthRate', round(100.0 * (m.total_active_users - b.total_active_users) / b.total_active_users, 1)
                  ) as item
                  from month m join daily_kpi_summaries b on b.date = m.date - 1)
         select json_build_object(
             'currentMetrics', (select json_build_object(
                 'dailyActiveUsers', total_active_users, 'newRegistrations', new_registrations,
                 'totalMatches', total_matches, 'totalMessages', total_messages,
                 'dailyRevenue', round(total_revenue, 2),
                 'avgSessionDuration', round(avg_session_duration::numeric / 60, 1),
                 'avgSessionDurationSeconds', round(avg_session_duration::numeric, 1),
                 'conversionRate', round(100.0 * converted_non_subscribers / active_non_subscribers, 1)) from day),
             'trends', (select json_build_object(
                 'avgDailyActiveUsers', round(avg(total_active_users), 2),
                 'avgDailyRevenue', round(avg(total_revenue), 2),
                 'avgMatchesPerUser', round(sum(total_matches) / sum(total_active_users), 2),
                 'avgMessagesPerUser', round(sum(total_messages) / sum(total_active_users), 2),
                 'userGrowth', (select json_agg(item order by date) from growth)) from month),
             'businessMetrics', (select json_build_object(
                 'totalRevenue30Days', round(sum(total_revenue), 2),
                 'avgRevenuePerUser', round(sum(total_revenue) / avg(total_active_users), 2),
                 'userRetentionDay1', round(100 * sum(retention_day1_returned) / sum(retention_day1_cohort), 1),
                 'userRetentionDay7', round(100 * sum(retention_day7_returned) / sum(retention_day7_cohort), 1),
                 'userRetentionDay30', round(100 * sum(retention_day30_returned) / sum(retention_day30_cohort), 1))
                 from month))",
    )
    .fetch_one(servers.warehouse.pool())
    .await
    .unwrap();
    for part in ["currentMetrics", "trends", "businessMetrics"] {
        assert_eq!(numbers(&answer[part]), numbers(&expected[part]), "{part}");
    }
    assert_eq!(answer["trends"]["userGrowth"].as_array().unwrap().len(), 30);
    assert_eq!(
        answer["currentMetrics"]["dailyRevenue"],
        json!(1040.01),
        "half away from zero"
    );
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": "2024-11-17T14:05:00.000Z", "date": "2024-11-17", "isPartial": true, "averagesPartial": false,
            "missingBuckets": [], "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": false,
        })
    );
}

/// The same JSON with every number as a float: 3 and 3.0 are one.
pub(crate) fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), numbers(value)))
            .collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_nulls_and_says_so() {
    let answer = Servers::start().await.get("/kpis/overview").await;
    let nulls = |part: &str| answer[part].as_object().unwrap().values().all(Value::is_null);
    assert!(nulls("currentMetrics") && nulls("businessMetrics"));
    assert_eq!(
        answer["trends"],
        json!({
            "avgDailyActiveUsers": null, "avgDailyRevenue": null, "avgMatchesPerUser": null,
            "avgMessagesPerUser": null, "userGrowth": [],
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

#[tokio::test]
async fn a_fresh_installation_uses_its_partial_day_and_says_so() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers
        .execute("delete from daily_kpi_summaries where not is_partial")
        .await;
    let answer = servers.get("/kpis/overview").await;
    assert_eq!(
        (&answer["meta"]["isPartial"], &answer["meta"]["averagesPartial"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(answer["meta"]["missingBuckets"], json!([]));
    assert_eq!(answer["trends"]["avgDailyActiveUsers"], json!(1280.0));
    assert_eq!(
        answer["trends"]["userGrowth"],
        json!([{"date": "2024-11-17", "activeUsers": 1280, "newRegistrations": 40, "growthRate": null}])
    );
    assert_eq!(answer["businessMetrics"]["totalRevenue30Days"], json!(1040.01));
}

#[tokio::test]
async fn days_never_computed_are_named_and_growth_does_not_reach_over_them() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers
        .execute("delete from daily_kpi_summaries where date in ('2024-10-17', '2024-11-10', '2024-11-17')")
        .await;
    servers
        .execute("update daily_kpi_summaries set total_active_users = 0 where date = '2024-11-13'")
        .await;
    servers
        .execute("update daily_kpi_summaries set is_partial = true where date = '2024-11-15'")
        .await;
    let answer = servers.get("/kpis/overview").await;
    assert_eq!(answer["meta"]["date"], json!("2024-11-16"));
    assert_eq!(answer["meta"]["isPartial"], json!(false));
    assert_eq!(answer["meta"]["missingBuckets"], json!(["2024-11-10T00:00:00.000Z"]));
    let growth = answer["trends"]["userGrowth"].as_array().unwrap();
    assert_eq!(growth.len(), 28, "30 days less one missing and one partial");
    let without_rate: Vec<_> = growth
        .iter()
        .filter(|day| day["growthRate"].is_null())
        .map(|day| day["date"].as_str().unwrap())
        .collect();
    // The day before was never computed, is missing, had no active users, is partial.
    assert_eq!(without_rate, ["2024-10-18", "2024-11-11", "2024-11-14", "2024-11-16"]);
    let fell = growth.iter().find(|day| day["date"] == "2024-11-13").unwrap();
    assert_eq!(fell["growthRate"], json!(-100.0));
}

#[tokio::test]
async fn what_cannot_be_known_is_null_and_what_is_zero_is_zero() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers
        .execute(
            "update daily_kpi_summaries set total_active_users = 0, total_matches = 0, total_revenue = 0,
                 avg_session_duration = null, active_non_subscribers = 0, converted_non_subscribers = 0,
                 retention_day7_cohort = 0, retention_day7_returned = 0, retention_day1_returned = 0",
        )
        .await;
    let answer = servers.get("/kpis/overview").await;
    let current = &answer["currentMetrics"];
    assert_eq!(
        (&current["dailyActiveUsers"], &current["dailyRevenue"]),
        (&json!(0), &json!(0.0))
    );
    assert_eq!(
        (&current["avgSessionDuration"], &current["conversionRate"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(answer["trends"]["avgMatchesPerUser"], Value::Null);
    let business = &answer["businessMetrics"];
    assert_eq!(
        (&business["avgRevenuePerUser"], &business["totalRevenue30Days"]),
        (&Value::Null, &json!(0.0))
    );
    assert_eq!(
        (&business["userRetentionDay1"], &business["userRetentionDay7"]),
        (&json!(0.0), &Value::Null)
    );
}

#[tokio::test]
async fn thirty_days_are_compared_with_the_thirty_before_them() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    // 61 closed days up to yesterday: the 30 before the window begin with the second of them.
    servers
        .execute(
            "insert into daily_kpi_summaries
             select (jsonb_populate_record(day, jsonb_build_object('date', day.date - 30,
                 'total_active_users', day.total_active_users - 300, 'total_revenue', day.total_revenue / 2,
                 'retention_day7_returned', 0))).*
             from daily_kpi_summaries as day where date between '2024-10-17' and '2024-11-06'",
        )
        .await;
    let answer = servers.get("/kpis/overview?compare=previous").await;
    let comparison = &answer["comparison"];
    assert_eq!(
        comparison["range"],
        json!({"startDate": "2024-09-18T00:00:00.000Z", "endDate": "2024-10-18T00:00:00.000Z"})
    );
    let expected: Value = sqlx::query_scalar(
        "with span as (select case when date < '2024-10-18' then 'previous' else 'current' end as span, d.*
                       from daily_kpi_summaries as d where date between '2024-09-18' and '2024-11-16'),
              figures as (
                  select span, jsonb_build_object(
                      'avgDailyActiveUsers', avg(total_active_users), 'avgDailyRevenue', avg(total_revenue),
                      'avgMatchesPerUser', sum(total_matches) / sum(total_active_users),
                      'avgMessagesPerUser', sum(total_messages) / sum(total_active_users),
                      'totalRevenue30Days', sum(total_revenue),
                      'avgRevenuePerUser', sum(total_revenue) / avg(total_active_users),
                      'userRetentionDay1', 100 * sum(retention_day1_returned) / sum(retention_day1_cohort),
                      'userRetentionDay7', 100 * sum(retention_day7_returned) / sum(retention_day7_cohort),
                      'userRetentionDay30', 100 * sum(retention_day30_returned) / sum(retention_day30_cohort)) as of
                  from span group by span),
              both_spans as (
                  select key, c.value::numeric as current, (p.of ->> key)::numeric as previous
                  from figures f, jsonb_each_text(f.of) as c, figures p
                  where f.span = 'current' and p.span = 'previous')
         select jsonb_object_agg(key, jsonb_build_object(
             'current', round(current, digits), 'previous', round(previous, digits),
             'change', round(100 * (current - previous) / nullif(previous, 0), 1)))
         from both_spans, lateral (select case when key like 'userRetention%' then 1 else 2 end as digits) as d",
    )
    .fetch_one(servers.warehouse.pool())
    .await
    .unwrap();
    for (figure, expected) in expected.as_object().unwrap() {
        assert_eq!(numbers(&comparison[figure]), numbers(expected), "{figure}");
    }
    assert_eq!(expected.as_object().unwrap().len(), 9);
    assert_eq!(
        comparison.as_object().unwrap().len(),
        10,
        "the range, and nothing that is not checked"
    );
    // Everything but the comparison is what it is without one.
    let mut without = answer.clone();
    without.as_object_mut().unwrap().remove("comparison");
    assert_eq!(without, servers.get("/kpis/overview").await);
}

#[tokio::test]
async fn with_a_day_missing_before_there_is_nothing_to_compare_with() {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    let answer = servers.get("/kpis/overview?compare=previous").await;
    let compared = &answer["comparison"]["totalRevenue30Days"];
    assert!(compared["current"].is_number() && compared["previous"].is_null() && compared["change"].is_null());
    let fresh = Servers::start().await.get("/kpis/overview?compare=previous").await;
    assert!(fresh.get("comparison").is_none(), "an empty warehouse compares nothing");
}
