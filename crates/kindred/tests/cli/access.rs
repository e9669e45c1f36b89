//! Who may call a serving process, as an operator sets it.

use reqwest::{Method, StatusCode};

use crate::support::{Kindred, Platform, Server, home};

/// `printf %s TOKEN | sha256sum` of the two tokens.
const TOKENS: &str = "\
    ann:viewer:e87113050c8fb7f21026ed4bcddacf16b1378675463819db6d5c7ca5aec54c19,\
    night-shift:operator:7fa53a9081d5b49697e9fa5dfc0cf6432adb8b066617213da0b28bf0774f5c73";
const VIEWER: &str = "canary-token-of-ann";
const OPERATOR: &str = "canary-token-of-the-night-shift";

#[tokio::test]
async fn an_address_that_others_reach_is_not_served_to_everyone_by_mistake() {
    let home = home();
    let kindred = Kindred::new(home.path());
    for bind in ["0.0.0.0", "::"] {
        for command in [&["serve"][..], &["serve", "api"], &["demo"]] {
            let answer = kindred.clone().with("BIND_ADDRESS", bind).run(command).await.expect(2);
            answer.complains(&["BIND_ADDRESS", bind, "API_TOKENS", "ALLOW_ANONYMOUS=true"]);
        }
    }
    assert!(!home.path().join("state").exists(), "nothing was made");
    let both = kindred.with("API_TOKENS", TOKENS).with("ALLOW_ANONYMOUS", "true");
    both.run(&["serve"])
        .await
        .expect(2)
        .complains(&["ALLOW_ANONYMOUS", "API_TOKENS"]);
}

#[tokio::test]
async fn with_tokens_an_address_that_others_reach_is_served_to_those_who_have_one() {
    let platform = Platform::simulated().await;
    let kindred = platform
        .kindred()
        .with("BIND_ADDRESS", "0.0.0.0")
        .with("API_TOKENS", TOKENS)
        .with("LOG_LEVEL", "trace");
    let server = Server::start_until(&kindred, &["serve"], "callers need a token of API_TOKENS").await;
    assert_eq!(server.get("/health").await.0, StatusCode::OK);
    assert_eq!(server.get("/kpis/overview").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get_with(VIEWER, "/kpis/overview").await, StatusCode::OK);
    let trigger = "/trigger/daily?wait=0&dryRun=true";
    assert_eq!(
        server.control_with(VIEWER, Method::POST, trigger).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        server.control_with(OPERATOR, Method::POST, trigger).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        server.control_with("canary", Method::POST, trigger).await,
        StatusCode::UNAUTHORIZED
    );
    let answer = server.stop().await.expect(0);
    answer.complains(&["token=\"ann\"", "token=\"night-shift\"", "answered"]);
    assert!(!answer.err.contains("canary"), "a token is logged: {answer}");
}

#[tokio::test]
async fn whoever_opens_a_server_to_all_is_told_so() {
    let platform = Platform::simulated().await;
    let kindred = platform
        .kindred()
        .with("BIND_ADDRESS", "0.0.0.0")
        .with("ALLOW_ANONYMOUS", "true");
    let server = Server::start_until(&kindred, &["serve"], "everything is open to whoever can reach 0.0.0.0").await;
    assert_eq!(server.get("/kpis/overview").await.0, StatusCode::OK);
    server.stop().await.expect(0);
}

#[tokio::test]
async fn a_run_of_another_process_empties_the_cache_that_is_served_from() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    let server = Server::start(&kindred, &["serve", "api"]).await;
    assert_eq!(server.get("/kpis/overview").await.1["meta"]["empty"], true);
    kindred
        .run(&["run", "daily", "--date", crate::support::DAY])
        .await
        .expect(0);
    // The answer of before would be kept for five minutes.
    let began = std::time::Instant::now();
    while server.get("/kpis/overview").await.1["meta"]["empty"] == true {
        assert!(began.elapsed().as_secs() < 10, "the cache was not emptied");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.stop().await.expect(0);
}
