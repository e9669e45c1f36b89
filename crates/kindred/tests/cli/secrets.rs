//! What is secret appears nowhere: not in what is printed or logged, not in answers, not in the ledger, not in the lake.

mod processes;
mod services;

use std::fs;

use reqwest::Method;

use crate::support::{DAY, Kindred, Platform, Server, home};

const PASSWORD: &str = "canary-password-8f1d";
const SECRET: &str = "canary-secret-of-the-user-keys";

#[tokio::test]
async fn passwords_and_the_secret_of_the_user_keys_reach_no_log_answer_ledger_or_file() {
    let platform = Platform::simulated().await;
    let guarded = |address: &str| address.replace("//kindred@", &format!("//kindred:{PASSWORD}@"));
    let nowhere = format!("postgresql://someone:{PASSWORD}@127.0.0.1:1/nowhere");
    // A parameter that nobody knows may be a secret, too.
    let warehouse = format!("{}&sslpassword=canary-parameter", guarded(&platform.warehouse.url()));
    let sources = guarded(&platform.sources.url());
    assert!(sources.contains(PASSWORD) && warehouse.contains(PASSWORD));
    let kindred = platform
        .kindred()
        .with("LOG_LEVEL", "trace")
        .with("USER_KEY_SECRET", SECRET)
        .with("DATABASE_URL", &warehouse)
        .with("USER_SERVICE_DATABASE_URL", &sources)
        .with("INTERACTION_SERVICE_DATABASE_URL", &sources)
        .with("COMMUNICATION_SERVICE_DATABASE_URL", &sources)
        .with("MODERATION_SERVICE_DATABASE_URL", &nowhere);
    let mut said = Vec::new();
    for command in [
        &["check"][..],
        &["run", "daily", "--date", DAY],
        &["simulate"],
        &["query", "select * from users"],
    ] {
        said.push(kindred.run(command).await.to_string());
    }
    for setting in ["DATABASE_URL", "USER_SERVICE_DATABASE_URL"] {
        said.push(
            kindred
                .clone()
                .with(setting, &nowhere)
                .run(&["run", "daily"])
                .await
                .expect(3)
                .to_string(),
        );
    }
    let server = Server::start(&kindred.clone().with("LOG_FORMAT", "json"), &["serve"]).await;
    for (method, path) in [
        (Method::POST, "/trigger/daily?date=2026-03-10"),
        (Method::POST, "/trigger/daily?date=never"),
        (Method::GET, "/health"),
    ] {
        said.push(server.control(method, path).await.1.to_string());
    }
    said.push(server.get("/kpis/overview").await.1.to_string());
    for path in ["/metrics", "/openapi.json", "/docs", "/health", "/nowhere"] {
        let answers = server.texts(path).await;
        assert!(answers.iter().all(|text| !text.is_empty()), "{path} answers");
        said.extend(answers);
    }
    said.push(server.stop().await.expect(0).to_string());
    let ledger: Vec<String> = sqlx::query_scalar("select runs::text from etl_job_runs runs")
        .fetch_all(platform.warehouse.pool())
        .await
        .unwrap();
    assert!(
        ledger.iter().any(|run| run.contains("127.0.0.1:1")),
        "the missing source is noted: {ledger:?}"
    );
    said.extend(ledger);
    for text in &said {
        assert!(!text.contains("canary"), "a secret is told: {text}");
    }
    assert_eq!(
        holding(&platform.home.path().join("state"), "canary"),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn settings_that_hold_a_secret_are_complained_about_without_quoting_them() {
    let home = home();
    let kindred = Kindred::new(home.path());
    for (setting, value) in [
        ("DATABASE_URL", "mysql://someone:canary@db/analytics"),
        ("DATABASE_URL", "someone:canary@db/analytics"),
        ("USER_SERVICE_DATABASE_URL", "postgresql://someone:canary@db:port/users"),
        (
            "USER_SERVICE_DATABASE_URL",
            "postgresql://someone:canary@db/users?sslmode=perhaps",
        ),
        (
            "USER_SERVICE_DATABASE_URL",
            "postgresql://someone:canary@localhost/users?sslpassword=canary",
        ),
        (
            "DATABASE_URL",
            "postgresql://someone:canary@localhost/analytics?sslmode=canary",
        ),
        ("USER_KEY_SECRET", "canary"),
        ("API_TOKENS", "canary"),
        ("FRONTEND_URL", "https://someone:canary@dashboard.example.com/canary"),
        ("ALERT_WEBHOOK_URL", "hooks.example.com/canary"),
        ("EVENTS_URL", "mixpanel://1/canary"),
    ] {
        let answer = kindred.clone().with(setting, value).run(&["check"]).await;
        assert_eq!(
            (answer.code, answer.to_string().contains("canary")),
            (Some(2), false),
            "{setting}: {answer}"
        );
        assert!(answer.to_string().contains(setting), "{setting}: {answer}");
    }
    fs::write(
        home.path().join(".env"),
        "DATABASE_URL=postgresql://someone:can ary-canary@db/analytics\n",
    )
    .unwrap();
    let answer = kindred.run(&["check"]).await.expect(2);
    answer.complains(&[".env", "single quotes"]);
    assert!(!answer.to_string().contains("ary"), "{answer}");
}

/// The files below a folder that hold a word.
fn holding(folder: &std::path::Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, word));
        } else if fs::read(&path)
            .unwrap()
            .windows(word.len())
            .any(|bytes| bytes == word.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}
