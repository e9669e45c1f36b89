use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};

use crate::forms::{accepting, batch};
use crate::overview::numbers;
use crate::support::{NOW, Servers, problem};

/// 31 weeks of registration up to the current one, 2024-11-11, and every week since each; nobody registered in that of
/// 2024-10-07. The rates that stand beside the counts are wrong, so that nobody can answer them.
const COHORTS: &str = "
    insert into retention_cohorts
    select cohort, p, size, returned, case when p < n then 12.3 end, (n + p) / 8.0, (n * p) / 16.0, p + n * 0.005,
        100.0 * p / size, p = n, gen_random_uuid(), now()
    from (
        select n, date '2024-11-11' - 7 * n as cohort, 16 + 37 * n % 50 as size
        from generate_series(0, 30) as n where n <> 5
    ) c
    cross join lateral generate_series(0, least(12, n)) as p
    cross join lateral (
        select case p when 0 then size when 7 then 0 else size * (70 - 5 * p + 11 * n % 7) / 100 end as returned
    ) r";

pub(crate) async fn servers() -> Servers {
    let servers = Servers::start().await;
    servers.execute(COHORTS).await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    servers
}

/// The answer, in plain SQL over the same rows, with the cohorts weighed as they are told.
async fn expected(servers: &Servers, cohort_count: i32, average: &str) -> Value {
    sqlx::query_scalar(
        "with cell as (select * from retention_cohorts where cohort_week > date '2024-11-11' - 7 * $1),
              mature as (select *, 100.0 * users_returned / cohort_size as rate from cell where not is_partial),
              cohort as (
                  select cohort_week, json_build_object(
                      'cohortWeek', cohort_week, 'cohortSize', max(cohort_size), 'retentionRates', (
                          select json_agg(json_build_object(
                              'period', p,
                              'retentionRate', round(m.rate, 1),
                              'usersReturned', c.users_returned,
                              'avgSessionsPerUser', round(c.avg_sessions_per_user::numeric, 2),
                              'avgMatchesPerUser', round(c.avg_matches_per_user::numeric, 2),
                              'avgRevenuePerUser', round(c.avg_revenue_per_user, 2),
                              'subscriptionConversionRate', round(c.subscription_conversion_rate, 1),
                              'isPartial', cell.cohort_week + 7 * p >= date '2024-11-11') order by p)
                          from generate_series(0, 12) as p
                          left join cell c on (c.cohort_week, c.period_number) = (cell.cohort_week, p)
                          left join mature m on (m.cohort_week, m.period_number) = (cell.cohort_week, p)
                      )) as item
                  from cell group by cohort_week),
              average as (
                  select p, count(rate) as cohorts, round(case $2
                      when 'weighted' then 100.0 * sum(users_returned) / sum(cohort_size) else avg(rate) end, 1) as rate
                  from generate_series(0, 12) as p left join mature on period_number = p group by p),
              strongest as (
                  select json_build_object('cohortWeek', cohort_week, 'period', period_number,
                      'retentionRate', round(rate, 1), 'cohortSize', cohort_size) as item
                  from mature where period_number = (select max(p) from average where cohorts >= 3)
                  order by rate desc, cohort_week desc limit 1)
         select json_build_object(
             'cohortTable', (select json_agg(item order by cohort_week desc) from cohort),
             'periodAverages', (select json_agg(
                 json_build_object('period', p, 'averageRetention', rate, 'cohortCount', cohorts) order by p)
                 from average),
             'insights', json_build_object(
                 'strongestCohort', (select item from strongest),
                 'overallRetentionTrend', (select json_agg(rate order by p) from average where p > 0)))",
    )
    .bind(cohort_count)
    .bind(average)
    .fetch_one(servers.warehouse.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn every_figure_is_the_one_that_sql_computes_from_the_same_counts() {
    let servers = servers().await;
    for (query, cohort_count, average) in [
        ("", 12, "weighted"),
        ("?period=weekly&cohortCount=12&average=weighted", 12, "weighted"),
        ("?average=simple", 12, "simple"),
        ("?cohortCount=1", 1, "weighted"),
        ("?cohortCount=4", 4, "weighted"),
        ("?cohortCount=52", 52, "weighted"),
        ("?cohortCount=52&average=simple", 52, "simple"),
    ] {
        let answer = servers.get(&format!("/kpis/retention{query}")).await;
        let expected = expected(&servers, cohort_count, average).await;
        for part in ["cohortTable", "periodAverages", "insights"] {
            assert_eq!(numbers(&answer[part]), numbers(&expected[part]), "{query}: {part}");
        }
    }
    let weighted = servers.get("/kpis/retention?cohortCount=52").await;
    let simple = servers.get("/kpis/retention?cohortCount=52&average=simple").await;
    assert_ne!(weighted["periodAverages"], simple["periodAverages"]);
}

#[tokio::test]
async fn the_window_is_the_latest_weeks_and_leaves_out_those_in_which_nobody_registered() {
    let answer = servers().await.get("/kpis/retention").await;
    assert_eq!(
        weeks(&answer),
        [
            "2024-11-11",
            "2024-11-04",
            "2024-10-28",
            "2024-10-21",
            "2024-10-14",
            "2024-09-30",
            "2024-09-23",
            "2024-09-16",
            "2024-09-09",
            "2024-09-02",
            "2024-08-26"
        ],
        "the newest first, without 2024-10-07"
    );
    assert_eq!(
        answer["meta"],
        json!({
            "asOf": "2024-11-17T14:05:00.000Z", "isPartial": true, "averagesPartial": false, "missingBuckets": [],
            "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": false,
        })
    );
}

#[tokio::test]
async fn a_week_that_is_not_over_has_no_rate_and_one_that_has_not_begun_no_figure() {
    let answer = servers().await.get("/kpis/retention?cohortCount=2").await;
    let cells = |cohort: usize| {
        answer["cohortTable"][cohort]["retentionRates"]
            .as_array()
            .unwrap()
            .clone()
    };
    for cohort in [0, 1] {
        let periods: Vec<_> = cells(cohort)
            .iter()
            .map(|cell| cell["period"].as_i64().unwrap())
            .collect();
        assert_eq!(periods, (0..=12).collect::<Vec<_>>());
    }
    // Size 16, registered in the current week: all of them were there, but the week is not over.
    let current = &cells(0)[0];
    assert_eq!(
        (&current["usersReturned"], &current["retentionRate"]),
        (&json!(16), &Value::Null)
    );
    assert_eq!(current["isPartial"], true);
    let [over, open, to_come] = &cells(1)[..3] else {
        panic!("13 periods")
    };
    assert_eq!(
        (&over["retentionRate"], &over["isPartial"]),
        (&json!(100.0), &json!(false))
    );
    assert_eq!(
        (&open["usersReturned"], &open["retentionRate"]),
        (&json!(36), &Value::Null)
    );
    assert_eq!(open["avgSessionsPerUser"], json!(0.25), "so far");
    assert_eq!(
        *to_come,
        json!({
            "period": 2, "retentionRate": null, "usersReturned": null, "avgSessionsPerUser": null,
            "avgMatchesPerUser": null, "avgRevenuePerUser": null, "subscriptionConversionRate": null, "isPartial": true,
        })
    );
}

#[tokio::test]
async fn a_cohort_of_which_nobody_came_back_counts_in_the_average() {
    let servers = servers().await;
    let answer = servers.get("/kpis/retention").await;
    let [seventh, ninth] = [7, 9].map(|period| answer["periodAverages"][period].clone());
    assert_eq!(seventh, json!({"period": 7, "averageRetention": 0.0, "cohortCount": 4}));
    assert_eq!(ninth["cohortCount"], 2);
    assert_eq!(
        answer["periodAverages"][11],
        json!({"period": 11, "averageRetention": null, "cohortCount": 0})
    );
    assert_eq!(
        answer["insights"]["overallRetentionTrend"].as_array().unwrap().len(),
        12
    );
    assert_eq!(answer["insights"]["overallRetentionTrend"][11], Value::Null);
}

#[tokio::test]
async fn the_strongest_cohort_is_the_best_where_three_can_be_compared_and_of_equals_the_newest() {
    let servers = servers().await;
    let strongest = async || servers.get("/kpis/retention").await["insights"]["strongestCohort"].clone();
    assert_eq!(
        strongest().await["period"],
        8,
        "2 cohorts only were followed for 9 weeks"
    );
    // 1 of 3 is as good as 7 of 21, and better than 33 of 100.
    servers
        .execute(
            "update retention_cohorts set cohort_size = 100, users_returned = 33 where period_number = 8;
             update retention_cohorts set cohort_size = 21, users_returned = 7
             where period_number = 8 and cohort_week = '2024-09-02';
             update retention_cohorts set cohort_size = 3, users_returned = 1
             where period_number = 8 and cohort_week = '2024-08-26'",
        )
        .await;
    assert_eq!(
        strongest().await,
        json!({"cohortWeek": "2024-09-02", "period": 8, "retentionRate": 33.3, "cohortSize": 21})
    );
    let few = servers.get("/kpis/retention?cohortCount=3").await;
    assert_eq!(few["insights"]["strongestCohort"], Value::Null, "2 weeks are over");
}

#[tokio::test]
async fn weeks_that_no_run_has_computed_are_missing() {
    let servers = servers().await;
    let before_the_first = servers.get("/kpis/retention?cohortCount=52").await["meta"]["missingBuckets"].clone();
    assert_eq!(before_the_first.as_array().unwrap().len(), 52 - 31);
    assert_eq!(before_the_first[20], "2024-04-08T00:00:00.000Z");

    // As if the last run had been for the week of 2024-10-28.
    servers
        .execute("delete from retention_cohorts where cohort_week + 7 * period_number::integer > '2024-10-28'")
        .await;
    let answer = servers.get("/kpis/retention?cohortCount=4").await;
    assert_eq!(weeks(&answer), ["2024-10-28", "2024-10-21"]);
    let missing = json!(["2024-11-04T00:00:00.000Z", "2024-11-11T00:00:00.000Z"]);
    assert_eq!(answer["meta"]["missingBuckets"], missing);
    assert_eq!(answer["meta"]["isPartial"], true);
    let cells = &answer["cohortTable"][0]["retentionRates"];
    assert_eq!(
        (&cells[1]["usersReturned"], &cells[1]["isPartial"]),
        (&Value::Null, &json!(false)),
        "the week of 2024-11-04 is over, though nobody has looked at it"
    );
    assert_eq!(cells[2]["isPartial"], true);

    // The week in which nobody registered is known by the older cohorts, though none of these stands in the window.
    servers
        .execute("delete from retention_cohorts where cohort_week + 7 * period_number::integer > '2024-10-07'")
        .await;
    let answer = servers.get("/kpis/retention?cohortCount=6").await;
    assert_eq!((weeks(&answer).len(), &answer["meta"]["empty"]), (0, &json!(false)));
    assert_eq!(answer["meta"]["missingBuckets"].as_array().unwrap().len(), 5);
    assert_eq!(answer["meta"]["missingBuckets"][0], "2024-10-14T00:00:00.000Z");
    assert_eq!(answer["periodAverages"].as_array().unwrap().len(), 13);
}

#[tokio::test]
async fn an_empty_warehouse_answers_with_nulls_and_says_so() {
    let answer = Servers::start().await.get("/kpis/retention").await;
    assert_eq!(
        answer,
        json!({
            "cohortTable": [], "periodAverages": [],
            "insights": {"strongestCohort": null, "overallRetentionTrend": []},
            "meta": {
                "asOf": null, "isPartial": false, "averagesPartial": false, "missingBuckets": [],
                "definitionsVersion": "1", "timezone": "UTC", "generatedAt": NOW, "empty": true,
            },
        })
    );
}

#[tokio::test]
async fn a_fresh_installation_has_a_cohort_and_no_rate() {
    let servers = servers().await;
    servers
        .execute("delete from retention_cohorts where cohort_week < '2024-11-11'")
        .await;
    let answer = servers.get("/kpis/retention?cohortCount=1").await;
    assert_eq!(weeks(&answer), ["2024-11-11"]);
    let averages = answer["periodAverages"].as_array().unwrap();
    assert!(
        averages
            .iter()
            .all(|of| of["averageRetention"].is_null() && of["cohortCount"] == 0)
    );
    assert_eq!(answer["insights"]["strongestCohort"], Value::Null);
    assert_eq!(answer["meta"]["empty"], false);
    assert_eq!(answer["meta"]["missingBuckets"], json!([]));
}

#[tokio::test]
async fn the_table_has_a_row_for_each_cohort_and_period() {
    let servers = servers().await;
    let path = "/kpis/retention?cohortCount=2";
    let csv = accepting(&servers, "text/csv", path).await.text().await.unwrap();
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 2 * 13);
    assert_eq!(
        lines[0],
        "cohortWeek,cohortSize,period,retentionRate,usersReturned,avgSessionsPerUser,avgMatchesPerUser,\
         avgRevenuePerUser,subscriptionConversionRate,isPartial"
    );
    assert_eq!(lines[1], "2024-11-11,16,0,,16,0.0,0.0,0.0,0.0,true");
    assert_eq!(lines[14], "2024-11-04,53,0,100.0,53,0.13,0.0,0.01,0.0,false");
    assert_eq!(lines[16], "2024-11-04,53,2,,,,,,,true");

    let batch = batch(accepting(&servers, "application/vnd.apache.arrow.stream", path).await).await;
    assert_eq!(batch.num_rows(), 26);
    let weeks = batch.column(0).as_primitive::<Date32Type>();
    assert_eq!(weeks.value_as_date(25).unwrap().to_string(), "2024-11-04");
    assert_eq!(batch.column(2).as_primitive::<Int64Type>().value(25), 12);
    assert_eq!(batch.column(3).data_type(), &DataType::Float64);
    assert!(batch.column(4).is_null(25));
}

#[tokio::test]
async fn a_mistake_in_the_query_is_told_in_its_own_words() {
    let servers = Servers::start().await;
    for (query, detail) in [
        ("period=monthly", "period"),
        ("period=Weekly", "expected `weekly`"),
        ("period=", "period"),
        ("average=median", "expected `weighted` or `simple`"),
        ("cohortCount=0", "cohortCount: write a whole number from 1 to 52"),
        ("cohortCount=53", "from 1 to 52"),
        ("cohortCount=-1", "from 1 to 52"),
        ("cohortCount=1.5", "from 1 to 52"),
        ("cohortCount=", "from 1 to 52"),
        ("cohortCount=12&cohortCount=13", "duplicate field `cohortCount`"),
        ("timeframe=30d", "unknown field `timeframe`"),
        ("compare=previous", "unknown field `compare`"),
    ] {
        let problem = problem(servers.kpi(Method::GET, &format!("/kpis/retention?{query}")).await, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{query}: {told}");
    }
}

fn weeks(answer: &Value) -> Vec<&str> {
    let cohorts = answer["cohortTable"].as_array().unwrap();
    cohorts
        .iter()
        .map(|cohort| cohort["cohortWeek"].as_str().unwrap())
        .collect()
}
