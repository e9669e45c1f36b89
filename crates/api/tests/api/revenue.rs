use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Float64Type, Int64Type};
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};

use crate::forms::{accepting, batch};
use crate::overview::numbers;
use crate::support::{NOW, Servers, problem};

/// 90 days up to today, which is partial, of five plans, one of them sold no more. Every figure is another function of the
/// day's number, 0 to 89, and of the plan's.
const DAYS: &str = "
    insert into revenue_metrics
    select date '2024-08-20' + n, plan, fresh, renewed, 1, churned, 200 * p + n, 200 * p + n + fresh - churned,
        gross, back, gross - back, mrr, 12 * mrr, null, null, n = 89, gen_random_uuid(), now()
    from generate_series(0, 89) as n,
         (values (1, 'premium_monthly'), (2, 'premium_annual'), (3, 'basic_weekly'), (4, 'one_off'), (5, 'legacy'))
             as plans (p, plan),
         lateral (select case when p < 4 then (n * p + 1) % 5 else 0 end as fresh,
                         case when p < 4 then (n + p) % 4 else 0 end as renewed,
                         case when p < 4 or p = 5 then (n + p) % 3 else 0 end as churned) as counts,
         lateral (select case when p = 4 then 3.335 * (n % 4) else 10.015 * fresh + 5.25 * renewed end as gross,
                         case when p = 1 and n % 7 = 0 then 2.5 else 0 end as back,
                         case when p = 4 then 0 else 1000.123456 * p + n end as mrr) as money;
    insert into revenue_metrics
    select date, 'all', sum(new_subscriptions), sum(renewed_subscriptions), sum(canceled_subscriptions),
        sum(churned_subscriptions), sum(active_at_start), sum(active_at_end), sum(gross_revenue), sum(refunds),
        sum(total_revenue), sum(monthly_recurring_revenue), sum(annual_recurring_revenue),
        150.005 + (date - date '2024-08-20'), null, bool_or(is_partial), gen_random_uuid(), now()
    from revenue_metrics group by date;
    insert into mrr_movements_daily
    select date, coalesce(opening, 7), 10 + n % 3, 2 + n % 5, 3.125, 1 + n % 2,
        coalesce(opening, 7) + 10 + n % 3 + 2 + n % 5 + 3.125 - (1 + n % 2) - closing, closing, gen_random_uuid(), now()
    from (select date, date - date '2024-08-20' as n, monthly_recurring_revenue as closing,
              lag(monthly_recurring_revenue) over (order by date) as opening
          from revenue_metrics where subscription_plan = 'all') as days;
    insert into daily_kpi_summaries
    select date '2024-08-20' + n, case when n = 89 then 3 else 20 + n end, 0, 0, 0, 0, null, 0, 0, 0, 0, 0, 0, 0, null, 0, 0, 0, 0, 0, 0, 0, 0,
        null, null, null, null, 0, 0, 0, 0, 0, 0, null, null, n = 89, gen_random_uuid(), now()
    from generate_series(0, 89) as n";

/// The summary of the days of a window: `totals` are all of them, `steady` the complete ones.
const SUMMARY: &str = "
    create function summary(totals daterange, steady daterange) returns json language sql as $$
        with everything as (
            select m.*, d.total_active_users from revenue_metrics m join daily_kpi_summaries d using (date)
            where subscription_plan = 'all'),
        all_days as (select * from everything where totals @> date),
        complete as (select * from everything where steady @> date),
        latest as (select * from all_days order by date desc limit 1)
        select json_build_object(
            'totalRevenue', round(sum(total_revenue), 2),
            'totalNewSubscriptions', sum(new_subscriptions),
            'totalChurnedSubscriptions', sum(churned_subscriptions),
            'netSubscriptionGrowth', sum(new_subscriptions) - sum(churned_subscriptions),
            'averageMRR', (select round(avg(monthly_recurring_revenue), 2) from complete),
            'averageChurnRate', (select round(100 * sum(churned_subscriptions)
                / (select active_at_start from complete order by date limit 1), 1) from complete),
            'averageRevenuePerUser', round(sum(total_revenue) / sum(new_subscriptions), 2),
            'currentMRR', (select round(monthly_recurring_revenue, 2) from latest),
            'currentARR', (select round(12 * monthly_recurring_revenue, 2) from latest),
            'arpdau', (select round(sum(total_revenue) / sum(total_active_users), 2) from complete),
            'arpa', (select round(monthly_recurring_revenue / active_at_end, 2) from latest),
            'customerLifetimeValue', (select round(customer_lifetime_value, 2) from complete order by date desc limit 1))
        from all_days
    $$";

pub(crate) async fn three_months() -> Servers {
    let servers = Servers::start().await;
    servers.execute(DAYS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    servers
}

async fn sql(servers: &Servers, query: &'static str) -> Value {
    let answer: Value = sqlx::query_scalar(query)
        .fetch_one(servers.warehouse.pool())
        .await
        .unwrap();
    numbers(&answer)
}

#[tokio::test]
async fn every_figure_is_the_one_that_sql_computes_from_the_same_rows() {
    let servers = three_months().await;
    servers.execute(SUMMARY).await;
    let answer = servers.get("/kpis/revenue").await;

    // 30 days up to today, 29 of them complete.
    let summary = "select summary('[2024-10-19,2024-11-18)', '[2024-10-19,2024-11-17)')";
    assert_eq!(numbers(&answer["summary"]), sql(&servers, summary).await);
    let plans = "
        select json_agg(item order by revenue desc, plan) from (
            select subscription_plan as plan, sum(total_revenue) as revenue, json_build_object(
                'plan', subscription_plan, 'totalRevenue', round(sum(total_revenue), 2),
                'totalSubscriptions', sum(new_subscriptions),
                'avgRevenuePerUser', round(sum(total_revenue) / nullif(sum(new_subscriptions), 0), 2),
                'churnedSubscriptions', sum(churned_subscriptions),
                'mrr', round(sum(monthly_recurring_revenue) filter (where date = '2024-11-17'), 2)) as item
            from revenue_metrics
            where date between '2024-10-19' and '2024-11-17' and subscription_plan not in ('all', 'legacy')
            group by subscription_plan) as plans";
    assert_eq!(numbers(&answer["planBreakdown"]), sql(&servers, plans).await);
    let timeline = "
        select json_agg(json_build_object('date', date, 'revenue', round(total_revenue, 2),
            'newSubscriptions', new_subscriptions, 'churnedSubscriptions', churned_subscriptions,
            'mrr', round(monthly_recurring_revenue, 2), 'isPartial', date = '2024-11-17') order by date)
        from revenue_metrics where date between '2024-10-19' and '2024-11-17' and subscription_plan = 'all'";
    assert_eq!(numbers(&answer["timeline"]), sql(&servers, timeline).await);
    let movements = "
        select json_build_object(
            'openingMrr', (select round(opening_mrr, 2) from mrr_movements_daily where date = '2024-10-19'),
            'new', round(sum(new), 2), 'reactivation', round(sum(reactivation), 2),
            'expansion', round(sum(expansion), 2), 'contraction', round(sum(contraction), 2),
            'churn', round(sum(churn), 2),
            'closingMrr', (select round(closing_mrr, 2) from mrr_movements_daily where date = '2024-11-17'))
        from mrr_movements_daily where date between '2024-10-19' and '2024-11-17'";
    assert_eq!(numbers(&answer["movements"]), sql(&servers, movements).await);
    let insights = "
        with days as (select * from revenue_metrics where subscription_plan = 'all'),
             sums as (select sum(total_revenue) filter (where date between '2024-10-19' and '2024-11-16') as now,
                          sum(total_revenue) filter (where date between '2024-09-20' and '2024-10-18') as before
                      from days)
        select json_build_object(
            'topPerformingPlan', (
                select json_build_object('plan', subscription_plan, 'totalRevenue', round(sum(total_revenue), 2))
                from revenue_metrics where date between '2024-10-19' and '2024-11-17' and subscription_plan <> 'all'
                group by subscription_plan order by sum(total_revenue) desc limit 1),
            'revenueGrowthRate', round(100 * (now - before) / before, 1))
        from sums";
    assert_eq!(numbers(&answer["insights"]), sql(&servers, insights).await);
    assert!(answer.get("comparison").is_none());
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": "2024-11-17T14:05:00.000Z", "isPartial": true, "averagesPartial": false, "missingBuckets": [],
            "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": false,
        })
    );
}

#[tokio::test]
async fn the_complete_days_are_compared_with_as_many_before_the_window() {
    let servers = three_months().await;
    servers.execute(SUMMARY).await;
    let comparison = &servers.get("/kpis/revenue?compare=previous").await["comparison"];
    assert_eq!(
        comparison["range"],
        json!({"startDate": "2024-09-20T00:00:00.000Z", "endDate": "2024-10-19T00:00:00.000Z"})
    );
    let current = sql(
        &servers,
        "select summary('[2024-10-19,2024-11-17)', '[2024-10-19,2024-11-17)')",
    )
    .await;
    let previous = sql(
        &servers,
        "select summary('[2024-09-20,2024-10-19)', '[2024-09-20,2024-10-19)')",
    )
    .await;
    let compared = comparison.as_object().unwrap();
    assert_eq!(compared.len(), 1 + current.as_object().unwrap().len());
    for (figure, value) in current.as_object().unwrap() {
        let of = numbers(&compared[figure]);
        assert_eq!(
            (&of["current"], &of["previous"]),
            (value, &previous[figure]),
            "{figure}"
        );
        assert!(of["change"].is_number(), "{figure}");
    }
    let growth = &servers.get("/kpis/revenue").await["insights"]["revenueGrowthRate"];
    assert_eq!(&compared["totalRevenue"]["change"], growth);
}

#[tokio::test]
async fn what_cannot_be_known_is_null_and_what_is_zero_is_zero() {
    let servers = three_months().await;
    servers
        .execute(
            "update revenue_metrics set new_subscriptions = 0, renewed_subscriptions = 0, churned_subscriptions = 0,
                 active_at_start = 0, active_at_end = 0, gross_revenue = 0, refunds = 0, total_revenue = 0,
                 monthly_recurring_revenue = 0, annual_recurring_revenue = 0, customer_lifetime_value = null;
             update daily_kpi_summaries set total_active_users = 0",
        )
        .await;
    let answer = servers.get("/kpis/revenue").await;
    assert_eq!(
        answer["summary"],
        json!({
            "totalRevenue": 0.0, "totalNewSubscriptions": 0, "totalChurnedSubscriptions": 0,
            "netSubscriptionGrowth": 0, "averageMRR": 0.0, "averageChurnRate": null, "averageRevenuePerUser": null,
            "currentMRR": 0.0, "currentARR": 0.0, "arpdau": null, "arpa": null, "customerLifetimeValue": null,
        })
    );
    assert_eq!(answer["planBreakdown"], json!([]));
    assert_eq!(
        answer["insights"],
        json!({"topPerformingPlan": null, "revenueGrowthRate": null})
    );
}

#[tokio::test]
async fn a_plan_stands_with_a_payment_a_refund_or_a_new_subscription_by_revenue_and_name() {
    let servers = Servers::start().await;
    servers
        .execute(
            "insert into revenue_metrics
             select '2024-11-16', plan, fresh, renewed, 9, 9, 9, 9, gross, back, gross - back, 1, 12, null, null, false,
                 gen_random_uuid(), now()
             from (values ('all', 9, 9, 30, 4), ('idle', 0, 0, 0, 0), ('refunded', 0, 0, 0, 4),
                          ('b_free', 1, 0, 0, 0), ('a_renewed_free', 0, 1, 0, 0), ('B_paid', 0, 0, 10, 0),
                          ('a_paid', 2, 0, 10, 0), ('one_off', 0, 0, 10.5, 0)) as plans (plan, fresh, renewed, gross, back)",
        )
        .await;
    let answer = servers.get("/kpis/revenue?timeframe=2d").await;
    let plans: Vec<_> = answer["planBreakdown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plan| &plan["plan"])
        .collect();
    assert_eq!(
        plans,
        ["one_off", "B_paid", "a_paid", "a_renewed_free", "b_free", "refunded"]
    );
    assert_eq!(
        answer["planBreakdown"][2],
        json!({
            "plan": "a_paid", "totalRevenue": 10.0, "totalSubscriptions": 2, "avgRevenuePerUser": 5.0,
            "churnedSubscriptions": 9, "mrr": 1.0,
        })
    );
    assert_eq!(answer["planBreakdown"][5]["totalRevenue"], json!(-4.0));
    assert_eq!(answer["planBreakdown"][5]["avgRevenuePerUser"], Value::Null);
    assert_eq!(
        answer["insights"]["topPerformingPlan"],
        json!({"plan": "one_off", "totalRevenue": 10.5})
    );
}

#[tokio::test]
async fn the_table_is_the_timeline() {
    let servers = three_months().await;
    let path = "/kpis/revenue?from=2024-11-16&to=2024-11-18";
    let days = &servers.get(path).await["timeline"];
    let csv = accepting(&servers, "text/csv", path).await.text().await.unwrap();
    let line = |day: &Value| {
        let fields = [
            "date",
            "revenue",
            "newSubscriptions",
            "churnedSubscriptions",
            "mrr",
            "isPartial",
        ];
        let cells = fields.map(|field| day[field].to_string().replace('"', ""));
        cells.join(",")
    };
    assert_eq!(
        csv.lines().collect::<Vec<_>>(),
        [
            "date,revenue,newSubscriptions,churnedSubscriptions,mrr,isPartial",
            &line(&days[0]),
            &line(&days[1])
        ]
    );
    let batch = batch(accepting(&servers, "application/vnd.apache.arrow.stream", path).await).await;
    assert_eq!(batch.num_rows(), 2);
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let date = column("date").as_primitive::<Date32Type>().value_as_date(1).unwrap();
    assert_eq!(date.to_string(), "2024-11-17");
    assert_eq!(
        json!(column("mrr").as_primitive::<Float64Type>().value(0)),
        days[0]["mrr"]
    );
    assert_eq!(
        json!(column("newSubscriptions").as_primitive::<Int64Type>().value(1)),
        days[1]["newSubscriptions"]
    );
    assert!(column("isPartial").as_boolean().value(1));
}

#[tokio::test]
async fn a_mistake_in_the_query_is_told() {
    let servers = Servers::start().await;
    for (query, told) in [
        ("timeframe=0d", "no timeframe"),
        ("timeframe=30d&range=30d", "the same"),
        ("timeframe=2001d", "more than 2000 daily buckets"),
        ("from=2024-11-01", "come together"),
        ("compare=next", "`previous` is all"),
        ("plan=premium", "unknown field `plan`"),
    ] {
        let problem = problem(servers.kpi(Method::GET, &format!("/kpis/revenue?{query}")).await, 400).await;
        assert!(problem["detail"].as_str().unwrap().contains(told), "{query}: {problem}");
    }
}
