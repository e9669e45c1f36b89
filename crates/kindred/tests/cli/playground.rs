//! `kindred playground`: where it writes, who may reach it, what it logs, how it ends.

use std::net::TcpListener;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::support::{Kindred, Platform, Server, UNREACHABLE, embedded_server, home};

const READY: &str = "communication service listens on ";
const PASSWORD: &str = "canary-password";

/// With its ports left to the system.
fn quiet(kindred: Kindred) -> Kindred {
    [
        "USER_SERVICE_PORT",
        "INTERACTION_SERVICE_PORT",
        "COMMUNICATION_SERVICE_PORT",
    ]
    .into_iter()
    .fold(kindred, |kindred, setting| kindred.with(setting, "0"))
}

/// Where a service listens, by the log.
fn address(server: &Server, service: &str) -> String {
    let log = server.log();
    let (_, rest) = log.split_once(&format!("{service} listens on ")).unwrap();
    rest.split(['\n', '"'])
        .next()
        .unwrap()
        .replace("//0.0.0.0:", "//127.0.0.1:")
}

async fn post(url: &str, token: &str, body: Value) -> (StatusCode, Value) {
    let request = Client::new().post(url).bearer_auth(token).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// Registers somebody and signs them in: their id and token.
async fn settle(users: &str, name: &str) -> (String, String) {
    let email = format!("{name}@canary.example.com");
    let register = json!({
        "email": email, "password": PASSWORD, "username": name, "dateOfBirth": "1995-05-15"
    });
    let (status, body) = post(&format!("{users}/api/auth/register"), "", register).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let login = json!({ "email": email, "password": PASSWORD });
    let (_, body) = post(&format!("{users}/api/auth/login"), "", login).await;
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("userId"), text("token"))
}

#[tokio::test]
async fn it_writes_the_embedded_servers_databases_and_tells_no_secret() {
    let home = home();
    let _server = embedded_server(home.path()).await;
    let kindred = quiet(Kindred::new(home.path())).with("LOG_LEVEL", "trace");
    let server = Server::start_until(&kindred, &["playground"], READY).await;
    let [users, interactions, communications] =
        ["user service", "interaction service", "communication service"].map(|name| address(&server, name));
    assert!(users.starts_with("http://127.0.0.1:"), "{users}");
    assert!(
        server.printed().contains(&format!("curl -s {users}/api/auth/register")),
        "{}",
        server.printed()
    );
    let (ann, ann_token) = settle(&users, "ann").await;
    let (bob, bob_token) = settle(&users, "bob").await;
    for (token, whom) in [(&ann_token, &bob), (&bob_token, &ann)] {
        let like = json!({ "targetUserId": whom, "action": "like" });
        assert_eq!(
            post(&format!("{interactions}/api/matches"), token, like).await.0,
            StatusCode::CREATED
        );
        let message = json!({ "recipientId": whom, "content": "canary-message" });
        assert_eq!(
            post(&format!("{communications}/api/messages"), token, message).await.0,
            StatusCode::CREATED
        );
    }
    let wrong = json!({ "email": "ann@canary.example.com", "password": "canary-wrong" });
    assert_eq!(
        post(&format!("{users}/api/auth/login"), "", wrong).await.0,
        StatusCode::UNAUTHORIZED
    );
    for (database, table, rows) in [
        ("users", "users", "2"),
        ("users", "user_sessions", "2"),
        ("interactions", "swipes", "2"),
        ("interactions", "matches", "1"),
        ("communications", "messages", "2"),
    ] {
        let found = kindred.ask(database, &format!("select count(*) from {table}")).await;
        assert_eq!(found, rows, "{table}");
    }
    let answer = server.stop().await.expect(0);
    answer.complains(&["/api/auth/login", "status=401", "/api/messages"]);
    for secret in ["canary", &ann_token, &bob_token] {
        assert!(!answer.err.contains(secret), "`{secret}` is logged: {answer}");
    }
}

#[tokio::test]
async fn it_writes_the_databases_that_are_named_and_keeps_what_is_in_them() {
    let platform = Platform::simulated().await;
    let count = async || -> i64 {
        let count = sqlx::query_scalar("select count(*) from users").fetch_one(platform.sources.pool());
        count.await.unwrap()
    };
    let before = count().await;
    let server = Server::start_until(&quiet(platform.kindred()), &["playground"], READY).await;
    settle(&address(&server, "user service"), "ann").await;
    server.stop().await.expect(0);
    assert_eq!(count().await, before + 1);
    let tables = "select count(*) from pg_class where relnamespace = 'public'::regnamespace";
    assert_eq!(platform.count(tables).await, 0, "the warehouse is not its business");
}

#[tokio::test]
async fn an_address_that_others_reach_takes_a_word() {
    let home = home();
    let open = quiet(Kindred::new(home.path())).with("BIND_ADDRESS", "0.0.0.0");
    open.run(&["playground"])
        .await
        .expect(2)
        .complains(&["BIND_ADDRESS", "ALLOW_ANONYMOUS=true"]);
    let digest = "e87113050c8fb7f21026ed4bcddacf16b1378675463819db6d5c7ca5aec54c19";
    let tokens = open.clone().with("API_TOKENS", format!("ann:viewer:{digest}"));
    tokens
        .run(&["playground"])
        .await
        .expect(2)
        .complains(&["may register", "ALLOW_ANONYMOUS=true"]);
    assert!(!home.path().join("state").exists(), "nothing was made");
    let _server = embedded_server(home.path()).await;
    let permitted = open.with("ALLOW_ANONYMOUS", "true");
    let server = Server::start_until(&permitted, &["playground"], READY).await;
    let health = reqwest::get(format!("{}/health", address(&server, "user service"))).await;
    assert_eq!(health.unwrap().status(), StatusCode::OK);
    server.stop().await.expect(0).complains(&["0.0.0.0", "may register"]);
}

#[tokio::test]
async fn what_is_in_its_way_is_named() {
    let platform = Platform::simulated().await;
    let kindred = quiet(platform.kindred());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let answer = kindred
        .clone()
        .with("INTERACTION_SERVICE_PORT", &port)
        .run(&["playground"])
        .await;
    answer
        .expect(1)
        .complains(&["INTERACTION_SERVICE_PORT", &port, "another process"]);
    let nowhere = kindred.clone().with("COMMUNICATION_SERVICE_DATABASE_URL", UNREACHABLE);
    let answer = nowhere.run(&["playground"]).await.expect(3);
    answer.complains(&["communications", "COMMUNICATION_SERVICE_DATABASE_URL"]);
    let unset = kindred.without("USER_SERVICE_DATABASE_URL");
    unset
        .run(&["playground"])
        .await
        .expect(2)
        .complains(&["USER_SERVICE_DATABASE_URL is unset"]);
}
