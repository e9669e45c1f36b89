//! Asking for the erasure of a person, and being told how far it has come. Keys of users are the lengths of their ids here.

use kindred_model::RunStatus;
use kindred_testkit::at;
use kindred_warehouse::Erasure;
use reqwest::Method;
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{NOW, Servers, outcome, problem};

async fn asked(servers: &Servers, body: Value) -> reqwest::Response {
    let request = servers.client().post(servers.control_url("/erasure")).json(&body);
    request.send().await.unwrap()
}

#[tokio::test]
async fn an_erasure_is_asked_for_once_and_told_of_by_the_persons_key() {
    let servers = Servers::start().await;
    let expected = json!({
        "id": "7", "status": "requested", "requestedAt": NOW, "completedAt": null, "rowsErased": 0, "report": {},
    });
    for _ in 0..2 {
        let answer = asked(&servers, json!({ "userId": "user-42" })).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[LOCATION]),
            (202, &"/erasure/7".parse().unwrap())
        );
        assert_eq!(answer.json::<Value>().await.unwrap(), expected);
        assert_eq!(servers.answer(Method::GET, "/erasure/7", 200).await, expected);
    }
    assert_eq!(servers.warehouse.erased_keys().await.unwrap(), [7]);
}

#[tokio::test]
async fn an_erasure_that_failed_says_why_and_one_that_is_complete_what_it_removed() {
    let servers = Servers::start().await;
    let (warehouse, owner) = (&servers.warehouse, Uuid::new_v4());
    warehouse.request_erasure(7, at(NOW)).await.unwrap();
    warehouse
        .defer_erasure(7, "the lake could not be read", at(NOW))
        .await
        .unwrap();
    let answer = servers.answer(Method::GET, "/erasure/7", 200).await;
    assert_eq!(
        (&answer["status"], &answer["report"]["error"]),
        (&json!("failed"), &json!("the lake could not be read"))
    );

    let run_id = warehouse
        .begin_erasure(7, owner, at(NOW))
        .await
        .unwrap()
        .expect("nothing runs");
    let erasure = Erasure {
        report: json!({ "devices": 1 }),
        ..warehouse.erasure(7).await.unwrap().unwrap()
    };
    let completed = warehouse
        .complete_erasure(&erasure, run_id, owner, at(NOW), &outcome(RunStatus::Completed))
        .await;
    assert!(completed.unwrap());
    let answer = servers.answer(Method::GET, "/erasure/7", 200).await;
    assert_eq!(
        (&answer["status"], &answer["completedAt"]),
        (&json!("completed"), &json!(NOW))
    );
    assert_eq!(answer["report"], json!({ "devices": 1 }));
    let runs = servers.answer(Method::GET, "/runs", 200).await;
    assert_eq!(runs["runs"], json!([]), "an erasure is no run of a job");

    asked(&servers, json!({ "userId": "user-42" })).await;
    let answer = servers.answer(Method::GET, "/erasure/7", 200).await;
    assert_eq!(answer["status"], "requested", "asked for again, it is done again");
}

#[tokio::test]
async fn without_an_id_or_of_nobody_there_is_no_erasure() {
    let servers = Servers::start().await;
    for body in [
        json!({}),
        json!({ "userId": " " }),
        json!({ "userId": 7 }),
        json!({ "userId": "u", "also": 1 }),
    ] {
        problem(asked(&servers, body).await, 400).await;
    }
    for id in ["7", "user-42", "99999999999999999999", "1%00"] {
        servers.answer(Method::GET, &format!("/erasure/{id}"), 404).await;
    }
    assert!(servers.warehouse.erased_keys().await.unwrap().is_empty());
}
