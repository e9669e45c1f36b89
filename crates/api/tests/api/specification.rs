//! The examples of the specification: every field of theirs is answered, under its name and with its type.

use serde_json::{Value, json};

use crate::support::Servers;
use crate::{active_users, funnel, overview, retention, revenue, user_behavior};

/// Every field of the example is in the answer, with a value of the same type; null is none. Of a list, the first item
/// stands for all. `where_at` is the way to it, for the message.
fn assert_has(answer: &Value, example: &Value, where_at: &str) {
    match (answer, example) {
        (Value::Object(answered), Value::Object(wanted)) => {
            for (field, wanted) in wanted {
                let found = answered.get(field);
                assert_has(found.unwrap_or(&Value::Null), wanted, &format!("{where_at}.{field}"));
            }
        }
        (Value::Array(answered), Value::Array(wanted)) => {
            assert!(!answered.is_empty(), "{where_at} is empty");
            for wanted in wanted {
                assert_has(&answered[0], wanted, &format!("{where_at}[]"));
            }
        }
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => {}
        (Value::String(answered), Value::String(wanted)) => {
            let shape = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "0");
            let is_instant_or_day = wanted.starts_with(|letter: char| letter.is_ascii_digit());
            assert!(
                !is_instant_or_day || shape(answered) == shape(wanted),
                "{where_at}: {answered} is not written as {wanted}"
            );
        }
        _ => panic!("{where_at}: {answer} is not of the type of {example}"),
    }
}

async fn assert_answers(servers: &Servers, path: &str, example: Value) {
    assert_has(&servers.get(path).await, &example, path);
}

#[tokio::test]
async fn the_overview_has_every_field_of_its_example() {
    let servers = Servers::start().await;
    servers.execute(overview::DAYS).await;
    let example = json!({
        "currentMetrics": {
            "dailyActiveUsers": 1639, "newRegistrations": 45, "totalMatches": 892, "totalMessages": 3421,
            "dailyRevenue": 1250.50, "avgSessionDuration": 18.5, "conversionRate": 3.2
        },
        "trends": {
            "avgDailyActiveUsers": 1580, "avgDailyRevenue": 1180.25, "avgMatchesPerUser": 0.56,
            "avgMessagesPerUser": 2.16,
            "userGrowth": [{"date": "2024-11-17", "activeUsers": 1, "newRegistrations": 1, "growthRate": 1.0}]
        },
        "businessMetrics": {
            "totalRevenue30Days": 35407.50, "avgRevenuePerUser": 22.41, "userRetentionDay7": 42.5,
            "userRetentionDay30": 18.3
        }
    });
    assert_answers(&servers, "/kpis/overview", example).await;
}

#[tokio::test]
async fn active_users_have_every_field_of_their_example() {
    let servers = Servers::start().await;
    servers.execute(active_users::BUCKETS).await;
    let example = json!({
        "summary": {
            "latestBucketActiveUsers": 1639, "averageBucketActiveUsers": 1580.25, "totalBuckets": 30,
            "granularity": "daily",
            "range": {"startDate": "2024-11-17T00:00:00.000Z", "endDate": "2024-12-17T00:00:00.000Z"}
        },
        "breakdown": [{
            "label": "2024-11-17", "startDate": "2024-11-17T00:00:00.000Z", "endDate": "2024-11-17T00:00:00.000Z",
            "activeUsers": 1520, "metadata": {"newRegistrations": 42, "totalSessions": 3840}
        }]
    });
    assert_answers(&servers, "/kpis/active-users?granularity=daily&range=30d", example).await;
}

#[tokio::test]
async fn retention_has_every_field_of_its_example() {
    let servers = retention::servers().await;
    let answer = servers.get("/kpis/retention?period=weekly&cohortCount=12").await;
    let example = json!({
        "cohortTable": [{
            "cohortWeek": "2024-12-09", "cohortSize": 150, "retentionRates": [{"period": 0, "usersReturned": 150}]
        }],
        "periodAverages": [{"period": 0, "averageRetention": 100, "cohortCount": 12}],
        "insights": {
            "strongestCohort": {"cohortWeek": "2024-12-09", "period": 4, "retentionRate": 1.0, "cohortSize": 1},
            "overallRetentionTrend": [62.5]
        }
    });
    assert_has(&answer, &example, "/kpis/retention");
    // The newest cohort's own week is not over: an older one has rates.
    let rate = json!({"period": 0, "retentionRate": 100, "usersReturned": 150});
    assert_has(
        &answer["cohortTable"][1]["retentionRates"][0],
        &rate,
        "retentionRates[]",
    );
}

#[tokio::test]
async fn revenue_has_every_field_of_its_example() {
    let servers = revenue::three_months().await;
    let example = json!({
        "summary": {
            "totalRevenue": 35407.50, "totalNewSubscriptions": 142, "totalChurnedSubscriptions": 28,
            "netSubscriptionGrowth": 114, "averageMRR": 8500.25, "averageChurnRate": 2.8,
            "averageRevenuePerUser": 249.35
        },
        "planBreakdown": [{
            "plan": "premium_monthly", "totalRevenue": 18500.00, "totalSubscriptions": 85, "avgRevenuePerUser": 217.65
        }],
        "timeline": [{"date": "2024-11-17", "revenue": 1.0, "newSubscriptions": 1, "churnedSubscriptions": 1, "mrr": 1.0}],
        "insights": {"topPerformingPlan": {"plan": "premium_monthly", "totalRevenue": 1.0}, "revenueGrowthRate": 12.5}
    });
    assert_answers(&servers, "/kpis/revenue?timeframe=30d", example).await;
}

#[tokio::test]
async fn behaviour_has_every_field_of_its_example() {
    let servers = user_behavior::servers().await;
    let example = json!({
        "overview": {
            "totalEvents": 45820, "uniqueUsers": 1580, "avgEventsPerUser": 29.0, "topEventType": "profile_view"
        },
        "eventBreakdown": [{"eventName": "profile_view", "count": 12500}],
        "platformBreakdown": [{"platform": "ios", "count": 25000, "percentage": 54.5}],
        "temporalPatterns": {
            "hourlyPattern": [{"hour": 0, "eventCount": 1, "uniqueUsers": 1}],
            "peakHour": {"hour": 20, "eventCount": 3500, "uniqueUsers": 890}
        }
    });
    assert_answers(
        &servers,
        "/kpis/user-behavior?timeframe=7d&eventType=profile_view",
        example,
    )
    .await;
}

#[tokio::test]
async fn the_funnel_has_every_field_of_its_example() {
    let servers = funnel::three_months().await;
    let example = json!({
        "funnel": [{
            "step": "app_open", "averageUsers": 5000, "averageConverted": 3500, "conversionRate": 70.0,
            "dropOffCount": 1500
        }],
        "stepConversions": [{
            "fromStep": "app_open", "toStep": "registration_start", "conversionRate": 70.0, "dropOffRate": 30.0
        }],
        "insights": {
            "biggestDropOff": {"fromStep": "app_open", "toStep": "x", "dropOffRate": 1.0, "dropOffCount": 1.0},
            "overallConversionRate": 8.5, "totalUsers": 5000, "finalConversions": 425
        }
    });
    assert_answers(&servers, "/kpis/funnel?timeframe=30d", example).await;
}
