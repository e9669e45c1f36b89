//! `POST /api/auth/login`, `POST /api/auth/logout`, and what every call does to its session.

use reqwest::Method;
use serde_json::{Value, json};

use crate::town::{Citizen, PASSWORD, Town, answer, refused};

const LOGIN: &str = "/api/auth/login";
const PROFILE: &str = "/api/users/profile";

#[tokio::test]
async fn a_login_opens_a_session_with_its_telemetry_and_answers_a_token() {
    let town = Town::found().await;
    let (_, registered) = town.register("ann").await;
    let at = town.wait(60);
    let body = json!({ "email": " Ann@Example.com ", "password": PASSWORD });
    let request = town.request(Method::POST, LOGIN).json(&body);
    let (status, body) = answer(request.header("X-Platform", "ios").header("X-App-Version", "4.2.0")).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["userId"], registered["userId"]);
    assert_eq!(
        (&body["tokenType"], &body["expiresAt"]),
        (&json!("Bearer"), &json!("2026-03-11T12:01:00Z"))
    );
    let sessions = town
        .rows(
            "select user_id, platform, app_version, started_at = last_seen_at, started_at at time zone 'UTC', ended_at
            from user_sessions",
        )
        .await;
    let user = registered["userId"].as_str().unwrap();
    assert_eq!(sessions, [format!("{user}|ios|4.2.0|t|2026-03-10 12:01:00")]);
    let telemetry = town
        .rows(
            "select t.user_id = s.user_id, t.started_at = s.started_at, screens_viewed, actions_taken
            from session_telemetry t join user_sessions s on s.id = session_id",
        )
        .await;
    assert_eq!(telemetry, ["t|t|0|0"]);
    assert_eq!(town.clock.now(), at);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_by_the_same_words() {
    let town = Town::found().await;
    town.register("ann").await;
    town.alter(
        "insert into users (id, email, username, password_hash) values
        (gen_random_uuid(), 'simulated@example.com', 'simulated', 'simulated-not-a-hash-0')",
    )
    .await;
    let mut told = Vec::new();
    for (email, password) in [
        ("ann@example.com", "password124"),
        ("ann@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("simulated@example.com", "simulated-not-a-hash-0"),
        ("ann@example.com\0", PASSWORD),
        ("' or true --", "' or true --"),
    ] {
        let (status, body) = town.post(LOGIN, json!({ "email": email, "password": password })).await;
        assert_eq!(status, 401, "{email}: {body}");
        told.push(body);
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
    assert_eq!(town.count("user_sessions").await, 0);
}

#[tokio::test]
async fn an_account_that_was_closed_lets_nobody_in_and_ends_what_is_open() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    town.alter("update users set status = 'banned'").await;
    let login = json!({ "email": "ann@example.com", "password": PASSWORD });
    refused(&town.post(LOGIN, login).await, 403, &["banned"]);
    let wrong = json!({ "email": "ann@example.com", "password": "password124" });
    refused(&town.post(LOGIN, wrong).await, 401, &["wrong"]);
    refused(&town.get_as(&ann, "/api/subscriptions").await, 401, &["token"]);
}

#[tokio::test]
async fn every_later_call_of_any_service_moves_the_last_sign_of_life() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    for (path, body) in [
        (
            "/api/subscriptions",
            json!({ "plan": "nonsense", "paymentMethod": "shells" }),
        ),
        ("/api/matches", json!({ "targetUserId": bob.id, "action": "like" })),
        ("/api/messages", json!({ "recipientId": bob.id, "content": "Hello" })),
    ] {
        let at = town.wait(30);
        town.post_as(&ann, path, body).await;
        let moved = town
            .rows(
                "select user_id, last_seen_at at time zone 'UTC' as at, updated_at = last_seen_at
            from user_sessions where last_seen_at > started_at",
            )
            .await;
        let at = at.format("%Y-%m-%d %H:%M:%S");
        assert_eq!(moved, [format!("{}|{at}|t", ann.id)], "{path}");
    }
}

#[tokio::test]
async fn a_logout_ends_the_session_and_its_token_and_no_other() {
    let town = Town::found().await;
    let phone = town.settle("ann").await;
    town.wait(5);
    let laptop = town.login("ann").await;
    town.wait(90);
    let logout = town.request(Method::POST, "/api/auth/logout").bearer_auth(&phone.token);
    assert_eq!(answer(logout).await, (204, Value::Null));
    refused(&town.get_as(&phone, "/api/subscriptions").await, 401, &["token"]);
    assert_eq!(town.get_as(&laptop, "/api/subscriptions").await.0, 200);
    let sessions = town
        .rows(
            "select extract(epoch from ended_at - started_at)::int, exit_reason
        from user_sessions order by started_at",
        )
        .await;
    assert_eq!(sessions, ["95|logout", ""]);
}

#[tokio::test]
async fn a_token_is_good_for_a_day_and_only_as_it_was_given() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    let (first, rest) = ann.token.split_at(1);
    let other = if first == "0" { "1" } else { "0" };
    for token in [
        format!("{other}{rest}"),
        ann.token[1..].to_owned(),
        String::new(),
        "x".repeat(5_000),
    ] {
        let stranger = Citizen { token, ..ann.clone() };
        refused(&town.get_as(&stranger, PROFILE).await, 401, &["/api/auth/login"]);
    }
    for header in ["", "Basic YW5uOmFubg==", &ann.token, "Bearer"] {
        let request = town.request(Method::GET, PROFILE).header("Authorization", header);
        refused(&answer(request).await, 401, &["Bearer"]);
    }
    refused(&answer(town.request(Method::GET, PROFILE)).await, 401, &["Bearer"]);
    town.wait(24 * 3_600 - 1);
    assert_eq!(town.get_as(&ann, "/api/subscriptions").await.0, 200);
    town.wait(1);
    refused(&town.get_as(&ann, "/api/subscriptions").await, 401, &["token"]);
}

#[tokio::test]
async fn platforms_are_those_that_there_are() {
    let town = Town::found().await;
    town.register("ann").await;
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    let request = town
        .request(Method::POST, LOGIN)
        .header("X-Platform", "toaster")
        .json(&body);
    refused(&answer(request).await, 400, &["X-Platform", "ios, android, web"]);
}
