use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};

use crate::forms::{accepting, batch};
use crate::overview::numbers;
use crate::support::{NOW, Servers, problem};

/// 90 entry dates up to today of the onboarding funnel, every tenth without entries, mature up to 2 November, and ten of
/// another funnel. Every figure is another function of the date's number, 0 to 89, and of the step's.
const ENTRIES: &str = "
    insert into conversion_funnels
    select date, funnel, step, name, users, converted, 100.0 * converted / nullif(users, 0),
        case when converted > 0 then 100.25 * step + n end, 1, 2, date <= '2024-11-02', gen_random_uuid(), now()
    from (
        select date '2024-08-20' + n as date, n, funnel, step, names[step] as name,
            case when n % 10 = 3 then 0 else (900 + 5 * n) * (9 - step) / 8 - (n + step) % step end as users,
            case when step = cardinality(names) then null when n % 10 = 3 then 0
                else (900 + 5 * n) * (8 - step) / 8 - (n + step + 1) % (step + 1) end as converted
        from (values ('onboarding', 0, array['app_open', 'registration_start', 'registration_complete',
                          'first_session', 'first_match', 'first_message', 'subscription_view',
                          'subscription_purchase']),
                     ('first_like', 80, array['registered', 'looked_around', 'liked'])) as f (funnel, since, names),
             lateral generate_series(since, 89) as n, lateral generate_series(1, cardinality(names)) as step
    ) as entries;
    insert into funnel_windows
    select funnel, as_of::date, days || 'd', step, 1, 1, 5, 10.04 * step + days, 100.06 * step + days,
        gen_random_uuid(), now()
    from (values ('onboarding', 8), ('first_like', 3)) as f (funnel, last),
         generate_series(timestamp '2024-10-01', '2024-11-17', '1 day') as as_of,
         unnest(array[7, 30, 90]) as days, generate_series(1, last) as step";

/// The steps of the onboarding funnel: `counted` are the dates of the totals, `complete` those of the means.
const STEPS: &str = "
    create function steps(counted daterange, complete daterange, percentile_days integer) returns json language sql as $$
        select json_agg(json_build_object(
            'step', name, 'averageUsers', round(avg_users, 2), 'averageConverted', round(avg_converted, 2),
            'conversionRate', round(100.0 * converted / nullif(users, 0), 1),
            'dropOffCount', round(avg_users - avg_converted, 2),
            'users', users, 'converted', converted,
            'avgTimeToConvertSeconds', round((seconds / nullif(converted, 0))::numeric, 1),
            'medianTimeToConvertSeconds', round(10.04 * step + percentile_days, 1),
            'p90TimeToConvertSeconds', round(100.06 * step + percentile_days, 1)) order by step)
        from (
            select step_order as step, min(funnel_step) as name,
                sum(total_users) filter (where counted @> date) as users,
                sum(converted_users) filter (where counted @> date) as converted,
                sum(avg_time_to_convert * converted_users) filter (where counted @> date) as seconds,
                avg(total_users) filter (where complete @> date) as avg_users,
                avg(converted_users) filter (where complete @> date) as avg_converted
            from conversion_funnels where funnel_name = 'onboarding' group by step_order
        ) as steps
    $$";

pub(crate) async fn three_months() -> Servers {
    let servers = Servers::start().await;
    servers.execute(ENTRIES).await;
    servers.execute(STEPS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    servers
}

pub(crate) async fn sql(servers: &Servers, query: &'static str) -> Value {
    let answer: Value = sqlx::query_scalar(query)
        .fetch_one(servers.warehouse.pool())
        .await
        .unwrap();
    numbers(&answer)
}

pub(crate) fn column<'a>(answer: &'a Value, field: &str) -> Vec<&'a Value> {
    answer["funnel"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step[field])
        .collect()
}

#[tokio::test]
async fn every_figure_is_the_one_that_sql_computes_from_the_same_rows() {
    let servers = three_months().await;
    let answer = servers.get("/kpis/funnel").await;
    // 30 dates up to today, 29 of them over.
    let steps = "select steps('[2024-10-19,2024-11-18)', '[2024-10-19,2024-11-17)', 30)";
    assert_eq!(numbers(&answer["funnel"]), sql(&servers, steps).await);
    let conversions = "
        select json_agg(json_build_object('fromStep', name, 'toStep', next,
            'conversionRate', round(100 * reached / users, 1),
            'dropOffRate', round(100 * (users - reached) / users, 1)) order by step) filter (where next is not null)
        from (
            select step_order as step, funnel_step as name, sum(total_users) as users,
                lead(funnel_step) over w as next, lead(sum(total_users)) over w as reached
            from conversion_funnels
            where funnel_name = 'onboarding' and date between '2024-10-19' and '2024-11-17'
            group by step_order, funnel_step window w as (order by step_order)
        ) as steps";
    assert_eq!(numbers(&answer["stepConversions"]), sql(&servers, conversions).await);
    let insights = "
        select json_build_object(
            'overallConversionRate', round(100 * last / first, 1), 'totalUsers', first, 'finalConversions', last,
            'immatureDates', 15,
            'biggestDropOff', json_build_object('fromStep', 'subscription_view', 'toStep', 'subscription_purchase',
                'dropOffRate', round(100 * (seventh - last) / seventh, 1),
                'dropOffCount', round((seventh - last - (today_seventh - today_last)) / 29, 2)))
        from (
            select sum(total_users) filter (where step_order = 1) as first,
                sum(total_users) filter (where step_order = 7) as seventh,
                sum(total_users) filter (where step_order = 8) as last,
                sum(total_users) filter (where step_order = 7 and date = '2024-11-17') as today_seventh,
                sum(total_users) filter (where step_order = 8 and date = '2024-11-17') as today_last
            from conversion_funnels
            where funnel_name = 'onboarding' and date between '2024-10-19' and '2024-11-17'
        ) as sums";
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
async fn without_entries_counts_are_zero_and_rates_null() {
    let servers = three_months().await;
    servers
        .execute(
            "update conversion_funnels set total_users = 0, converted_users = case when step_order < 8 then 0 end,
                 conversion_rate = null, avg_time_to_convert = null;
             update funnel_windows set median_time_to_convert = null, p90_time_to_convert = null",
        )
        .await;
    let answer = servers.get("/kpis/funnel").await;
    assert_eq!(
        answer["funnel"][0],
        json!({
            "step": "app_open", "averageUsers": 0.0, "averageConverted": 0.0, "conversionRate": null,
            "dropOffCount": 0.0, "users": 0, "converted": 0, "avgTimeToConvertSeconds": null,
            "medianTimeToConvertSeconds": null, "p90TimeToConvertSeconds": null,
        })
    );
    assert_eq!(answer["funnel"][7]["converted"], Value::Null);
    assert_eq!(answer["funnel"][7]["dropOffCount"], Value::Null);
    assert_eq!(
        answer["stepConversions"][0],
        json!({
            "fromStep": "app_open", "toStep": "registration_start", "conversionRate": null, "dropOffRate": null,
        })
    );
    let insights = &answer["insights"];
    assert_eq!(
        (&insights["totalUsers"], &insights["finalConversions"]),
        (&json!(0), &json!(0))
    );
    assert!(insights["overallConversionRate"].is_null() && insights["biggestDropOff"].is_null());
}

#[tokio::test]
async fn the_biggest_drop_off_is_by_rate_then_by_count_then_the_first() {
    let servers = Servers::start().await;
    let biggest = async |steps: &str| {
        servers.execute("truncate conversion_funnels").await;
        sqlx::query(
            "insert into conversion_funnels
             select '2024-11-16', 'onboarding', n, 'step ' || n, users, lead(users) over (order by n), null, null, null,
                 null, true, gen_random_uuid(), now()
             from unnest($1::text::bigint[]) with ordinality as steps (users, n)",
        )
        .bind(steps)
        .execute(servers.warehouse.pool())
        .await
        .unwrap();
        let answer = servers.get("/kpis/funnel?timeframe=2d").await;
        answer["insights"]["biggestDropOff"].clone()
    };
    let from = |step: &str, to: &str, rate: f64, count: f64| json!({"fromStep": step, "toStep": to, "dropOffRate": rate, "dropOffCount": count});
    assert_eq!(
        biggest("{100,60,20,15}").await,
        from("step 2", "step 3", 66.7, 40.0),
        "by rate"
    );
    assert_eq!(
        biggest("{100,50,25,20}").await,
        from("step 1", "step 2", 50.0, 50.0),
        "then by count"
    );
    assert_eq!(biggest("{8,8,0,0}").await, from("step 2", "step 3", 100.0, 8.0));
    assert_eq!(biggest("{10,10,10}").await, Value::Null, "nobody left");
    // 1 of 3 and 333 of 1,000 are the same when rounded, and are not.
    assert_eq!(biggest("{1000,667,3,2}").await, from("step 2", "step 3", 99.6, 664.0));
    assert_eq!(
        biggest("{3000,2001,1334}").await,
        from("step 2", "step 3", 33.3, 667.0),
        "by the exact rate"
    );
}

#[tokio::test]
async fn another_funnel_is_answered_by_name_and_an_unknown_one_refused_with_the_known() {
    let servers = three_months().await;
    let answer = servers.get("/kpis/funnel?funnel=first_like&timeframe=7d").await;
    assert_eq!(column(&answer, "step"), ["registered", "looked_around", "liked"]);
    assert_eq!(column(&answer, "medianTimeToConvertSeconds")[0], &json!(17.0));
    for unknown in ["funnel=", "funnel=Onboarding", "funnel=%00", "funnel=first_lik"] {
        let problem = problem(servers.kpi(Method::GET, &format!("/kpis/funnel?{unknown}")).await, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(
            told.contains("is no funnel; expected one of first_like, onboarding"),
            "{unknown}: {told}"
        );
    }
    let empty = Servers::start().await;
    let problem = problem(empty.kpi(Method::GET, "/kpis/funnel?funnel=first_like").await, 400).await;
    assert_eq!(
        problem["detail"],
        "`first_like` is no funnel; expected one of onboarding"
    );
}

#[tokio::test]
async fn the_table_is_the_steps() {
    let servers = three_months().await;
    let path = "/kpis/funnel?from=2024-11-01&to=2024-11-08";
    let steps = servers.get(path).await["funnel"].clone();
    let fields = [
        "step",
        "averageUsers",
        "averageConverted",
        "conversionRate",
        "dropOffCount",
        "users",
        "converted",
        "avgTimeToConvertSeconds",
        "medianTimeToConvertSeconds",
        "p90TimeToConvertSeconds",
    ];
    let cell = |value: &Value| {
        if value.is_null() {
            String::new()
        } else {
            value.to_string().replace('"', "")
        }
    };
    let line = |step: &Value| fields.map(|field| cell(&step[field])).join(",");
    let csv = accepting(&servers, "text/csv", path).await.text().await.unwrap();
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[0], fields.join(","));
    let expected: Vec<_> = steps.as_array().unwrap().iter().map(line).collect();
    assert_eq!(lines[1..], expected);

    let batch = batch(accepting(&servers, "application/vnd.apache.arrow.stream", path).await).await;
    let named: Vec<_> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(named, fields);
    assert_eq!(batch.column(0).as_string::<i32>().value(7), "subscription_purchase");
    assert_eq!(
        json!(batch.column(5).as_primitive::<Int64Type>().value(2)),
        steps[2]["users"]
    );
    assert!(batch.column(6).is_null(7));
    assert_eq!(
        json!(batch.column(8).as_primitive::<Float64Type>().value(0)),
        json!(17.0)
    );
}

#[tokio::test]
async fn a_mistake_in_the_query_is_told() {
    let servers = Servers::start().await;
    for (query, told) in [
        ("matured=yes", "matured"),
        ("timeframe=5y", "no timeframe"),
        ("compare=", "`previous` is all"),
        ("from=2024-11-18&to=2024-11-20", "in the future"),
        ("step=1", "unknown field `step`"),
    ] {
        let problem = problem(servers.kpi(Method::GET, &format!("/kpis/funnel?{query}")).await, 400).await;
        assert!(problem["detail"].as_str().unwrap().contains(told), "{query}: {problem}");
    }
}
