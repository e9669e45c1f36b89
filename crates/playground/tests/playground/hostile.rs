//! Calls that no app makes.

use reqwest::Method;
use serde_json::json;

use crate::town::{PASSWORD, Town, answer, refused};

const METACHARACTERS: [&str; 6] = [
    "'; drop table users; --",
    "\" or 1=1; --",
    "$1 %s \\' \\x00 \\",
    "Robert'); delete from messages; --",
    "{a,\"b\",NULL}",
    "<script>alert(1)</script> ünïcödé 😀",
];

#[tokio::test]
async fn what_means_something_to_sql_is_kept_as_the_text_it_is() {
    let town = Town::found().await;
    let bob = town.settle("bob").await;
    for (number, text) in METACHARACTERS.iter().enumerate() {
        let email = format!("o'hara{number}@example.com");
        let register = json!({
            "email": email, "password": format!("{text} long enough"), "username": text, "dateOfBirth": "1990-01-01"
        });
        assert_eq!(town.post("/api/auth/register", register).await.0, 201, "{text}");
        let login = json!({ "email": email, "password": format!("{text} long enough") });
        let (status, body) = town.post("/api/auth/login", login).await;
        assert_eq!(status, 200, "{text}: {body}");
        let token = body["token"].as_str().unwrap();
        let profile = json!({
            "displayName": text, "bio": text, "interests": [text, "plain"], "location": { "city": text }
        });
        let (status, body) = answer(
            town.request(Method::PUT, "/api/users/profile")
                .bearer_auth(token)
                .json(&profile),
        )
        .await;
        assert_eq!((status, &body["bio"]), (200, &json!(text)));
        let message = json!({ "recipientId": bob.id, "content": text });
        assert_eq!(
            answer(
                town.request(Method::POST, "/api/messages")
                    .bearer_auth(token)
                    .json(&message)
            )
            .await
            .0,
            201
        );
    }
    type Kept = (String, String, Vec<String>, String);
    let kept: Vec<Kept> = sqlx::query_as(
        "select username, bio, interests, content from users join user_profiles on user_id = id
        join messages on sender_id = users.id order by messages.id",
    )
    .fetch_all(town.database.pool())
    .await
    .unwrap();
    for ((username, bio, interests, content), text) in kept.iter().zip(METACHARACTERS) {
        assert_eq!([username, bio, content], [text; 3]);
        assert_eq!(interests, &[text, "plain"]);
    }
    assert_eq!(
        (kept.len(), town.count("users").await),
        (METACHARACTERS.len(), METACHARACTERS.len() as i64 + 1)
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_of_the_right_form_is_refused_with_a_reason() {
    let town = Town::found().await;
    for (body, word) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[]", "invalid"),
        ("null", "invalid"),
        (r#"{"email":"a@example.com"}"#, "missing field"),
        (r#"{"email":1,"password":"x"}"#, "email"),
        (r#"{"email":"a","email":"b","password":"x"}"#, "duplicate field"),
        (
            r#"{"email":"a@example.com","password":"x","admin":true}"#,
            "unknown field `admin`",
        ),
    ] {
        let request = town
            .request(Method::POST, "/api/auth/login")
            .header("Content-Type", "application/json");
        refused(&answer(request.body(body)).await, 400, &[word]);
    }
    let request = town.request(Method::POST, "/api/auth/login").body("email=a&password=b");
    refused(&answer(request).await, 415, &["application/json"]);
    let long = json!({ "email": "a@example.com", "password": "x".repeat(70_000) });
    refused(&town.post("/api/auth/login", long).await, 413, &["64 KiB"]);
    let deep = format!(r#"{{"email":{}"#, "[".repeat(20_000));
    let request = town
        .request(Method::POST, "/api/auth/login")
        .header("Content-Type", "application/json");
    refused(&answer(request.body(deep)).await, 400, &["email"]);
}

#[tokio::test]
async fn addresses_and_methods_that_there_are_not_are_refused_in_the_same_shape() {
    let town = Town::found().await;
    for path in [
        "/",
        "/api",
        "/api/auth",
        "/api/users/profile/",
        "/api/matches/1",
        "/api/messages/../users",
    ] {
        refused(&answer(town.request(Method::POST, path)).await, 404, &["nothing"]);
    }
    let refusal = town.request(Method::DELETE, "/api/messages").send().await.unwrap();
    assert_eq!(
        (refusal.status().as_u16(), &refusal.headers()["allow"]),
        (405, &"POST".parse().unwrap())
    );
    assert_eq!(refusal.headers()["x-content-type-options"], "nosniff");
    let answered = town.request(Method::GET, "/health").send().await.unwrap();
    assert_eq!(
        (answered.status().as_u16(), answered.text().await.unwrap()),
        (200, r#"{"status":"ok"}"#.to_owned())
    );
}

#[tokio::test]
async fn while_a_database_is_away_callers_are_told_to_come_again() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    town.playground.close().await;
    let login = json!({ "email": "ann@example.com", "password": PASSWORD });
    refused(&town.post("/api/auth/login", login).await, 503, &["try again soon"]);
    refused(&town.get_as(&ann, "/api/matches").await, 503, &["try again soon"]);
    let refusal = town.request(Method::GET, "/health").send().await.unwrap();
    assert_eq!(
        (refusal.status().as_u16(), &refusal.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
}
