//! `kindred erase`, and the same asked of a server.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DAY, Platform, Server};

/// A user with sessions.
const SOMEBODY: &str =
    "select user_id::text from user_sessions group by user_id order by count(*) desc, user_id limit 1";

async fn sessions_of(kindred: &crate::support::Kindred, key: &str) -> Value {
    let sql = format!("select count(*) as sessions from user_sessions where user_key = {key}");
    let told = kindred.run(&["query", "--format", "json", &sql]).await.expect(0).out;
    serde_json::from_str::<Value>(&told).unwrap()["sessions"].clone()
}

#[tokio::test]
async fn a_person_is_erased_by_a_command_which_says_what_it_removed() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    kindred.run(&["run", "daily", "--date", DAY]).await.expect(0);
    let id: String = sqlx::query_scalar(SOMEBODY)
        .fetch_one(platform.sources.pool())
        .await
        .unwrap();
    let key = kindred.run(&["user-key", &id]).await.expect(0).out;
    let key = key.trim();
    assert!(sessions_of(&kindred, key).await.as_i64() > Some(0));

    let answer = kindred.run(&["erase", &id]).await.expect(0);
    answer.says(&[
        &format!("user key   {key}"),
        "completed  ",
        "\"rowsLeft\": 0",
        "\"facts/user_sessions\"",
    ]);
    assert!(!answer.to_string().contains(&id), "{answer}");
    assert_eq!(sessions_of(&kindred, key).await, 0);

    kindred.run(&["run", "daily", "--date", DAY]).await.expect(0);
    assert_eq!(sessions_of(&kindred, key).await, 0);
    let again = kindred.run(&["erase", &id]).await.expect(0);
    again.says(&["\"lake\": {}"]);
}

#[tokio::test]
async fn a_server_erases_whom_it_is_asked_to() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    kindred.run(&["run", "daily", "--date", DAY]).await.expect(0);
    let id: String = sqlx::query_scalar(SOMEBODY)
        .fetch_one(platform.sources.pool())
        .await
        .unwrap();
    let key = kindred.run(&["user-key", &id]).await.expect(0).out.trim().to_owned();
    let server = Server::start(&kindred, &["serve"]).await;
    let (status, asked) = server.post("/erasure", &json!({ "userId": id })).await;
    assert_eq!((status.as_u16(), &asked["id"]), (202, &json!(key)), "{asked}");
    let mut told = asked;
    for _ in 0..600 {
        if told["status"] != "requested" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        told = server.control(Method::GET, &format!("/erasure/{key}")).await.1;
    }
    assert_eq!(
        (&told["status"], &told["report"]["verified"]["rowsLeft"]),
        (&json!("completed"), &json!(0)),
        "{told}"
    );
    let said = server.stop().await.expect(0).to_string();
    assert!(!said.contains(&id), "the log tells who was erased: {said}");
    assert_eq!(sessions_of(&kindred, &key).await, 0);
}
