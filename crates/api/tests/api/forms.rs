//! The forms of an answer, by what the caller accepts.

use std::io::Cursor;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType};
use arrow::ipc::reader::StreamReader;
use reqwest::header::ACCEPT;
use reqwest::{Response, StatusCode};

use crate::support::{Servers, day_of_key_figures, problem};

pub(crate) async fn accepting(servers: &Servers, accept: &str, path: &str) -> Response {
    let request = servers.client().get(servers.kpi_url(path)).header(ACCEPT, accept);
    request.send().await.unwrap()
}

async fn two_days() -> Servers {
    let servers = Servers::start().await;
    day_of_key_figures(&servers, "2024-11-15", 1_000).await;
    day_of_key_figures(&servers, "2024-11-16", 1_055).await;
    servers
}

#[tokio::test]
async fn each_form_is_given_to_who_accepts_it() {
    let servers = two_days().await;
    let csv = "text/csv; charset=utf-8; header=present";
    let arrow = "application/vnd.apache.arrow.stream";
    for (accept, expected) in [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/*", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/csv", csv),
        ("text/*", csv),
        ("text/csv;q=0.5, application/json;q=0.4", csv),
        ("text/csv;q=0.4, application/json;q=0.5", "application/json"),
        ("application/json;q=0, */*;q=0.1", csv),
        ("application/vnd.apache.arrow.stream", arrow),
        ("text/html, application/vnd.apache.arrow.stream;q=0.2", arrow),
    ] {
        let response = accepting(&servers, accept, "/kpis/overview").await;
        assert_eq!(response.status(), StatusCode::OK, "{accept}");
        assert_eq!(response.headers()["content-type"], expected, "{accept}");
    }
}

#[tokio::test]
async fn a_form_that_there_is_not_is_406_and_a_header_that_cannot_be_read_400() {
    let servers = two_days().await;
    for accept in ["text/html", "application/xml, image/*", "application/json;q=0"] {
        let problem = problem(accepting(&servers, accept, "/kpis/overview").await, 406).await;
        assert!(problem["detail"].as_str().unwrap().contains("text/csv"));
    }
    problem(accepting(&servers, "json", "/kpis/overview").await, 400).await;
}

#[tokio::test]
async fn csv_is_the_main_table_with_a_line_of_names() {
    let servers = two_days().await;
    let overview = accepting(&servers, "text/csv", "/kpis/overview").await;
    assert_eq!(
        overview.text().await.unwrap(),
        "date,activeUsers,newRegistrations,growthRate\n2024-11-15,1000,0,\n2024-11-16,1055,0,5.5\n"
    );
    let buckets = accepting(&servers, "text/csv", "/kpis/active-users?from=2024-11-15&to=2024-11-16").await;
    // Nothing was computed at all: a table without rows.
    assert_eq!(
        buckets.text().await.unwrap(),
        "label,startDate,endDate,endExclusive,activeUsers,isPartial,newRegistrations,totalSessions\n"
    );
    servers.execute(
        "insert into active_user_buckets values ('daily', '2024-11-15', '2024-11-16', 7, 1, 9, false, gen_random_uuid(), now())",
    ).await;
    let buckets = accepting(&servers, "text/csv", "/kpis/active-users?from=2024-11-15&to=2024-11-17").await;
    assert_eq!(
        buckets.text().await.unwrap().lines().skip(1).collect::<Vec<_>>(),
        [
            "2024-11-15,2024-11-15T00:00:00.000Z,2024-11-15T00:00:00.000Z,2024-11-16T00:00:00.000Z,7,false,1,9",
            "2024-11-16,2024-11-16T00:00:00.000Z,2024-11-16T00:00:00.000Z,2024-11-17T00:00:00.000Z,,false,,",
        ]
    );
}

#[tokio::test]
async fn an_arrow_stream_has_the_types_of_the_figures() {
    let servers = two_days().await;
    let stream = accepting(&servers, "application/vnd.apache.arrow.stream", "/kpis/overview").await;
    let batch = batch(stream).await;
    let columns: Vec<_> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.data_type().clone())
        .collect();
    assert_eq!(
        columns,
        [DataType::Date32, DataType::Int64, DataType::Int64, DataType::Float64]
    );
    let days = batch.column(0).as_primitive::<Date32Type>();
    assert_eq!(days.value_as_date(1).unwrap().to_string(), "2024-11-16");
    assert_eq!(batch.column(1).as_primitive::<Int64Type>().values(), &[1_000, 1_055]);
    let growth = batch.column(3).as_primitive::<Float64Type>();
    assert!(growth.is_null(0));
    assert!((growth.value(1) - 5.5).abs() < f64::EPSILON);
}

#[tokio::test]
async fn instants_are_milliseconds_in_utc() {
    let servers = two_days().await;
    servers.execute(
        "insert into active_user_buckets values ('daily', '2024-11-15', '2024-11-16', 7, 1, 9, false, gen_random_uuid(), now())",
    ).await;
    let path = "/kpis/active-users?from=2024-11-15&to=2024-11-16";
    let batch = batch(accepting(&servers, "application/vnd.apache.arrow.stream", path).await).await;
    let start = batch.column_by_name("startDate").unwrap();
    assert_eq!(
        start.data_type(),
        &DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
    );
    assert_eq!(
        start.as_primitive::<TimestampMillisecondType>().value(0),
        1_731_628_800_000
    );
    assert!(!batch.column_by_name("isPartial").unwrap().as_boolean().value(0));
}

pub(crate) async fn batch(response: Response) -> RecordBatch {
    let bytes = response.bytes().await.unwrap();
    let mut reader = StreamReader::try_new(Cursor::new(bytes), None).unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(reader.next().is_none(), "one batch");
    batch
}
