//! The command line and the settings: what is accepted, and what is said about the rest.

use std::fs;

use crate::support::{Kindred, Platform, UNREACHABLE, embedded_server, home};

#[tokio::test]
async fn a_command_line_that_makes_no_sense_ends_with_2_before_anything_is_started() {
    let home = home();
    let kindred = Kindred::new(home.path());
    for (line, word) in [
        ("", "Usage: kindred"),
        ("frobnicate", "frobnicate"),
        ("run nightly", "[possible values: daily, hourly, weekly, sessions]"),
        ("run", "<JOB>"),
        ("run daily --date yesterday", "expected a day, such as 2026-01-31"),
        ("run daily --date 2026-02-30", "expected a day, such as 2026-01-31"),
        ("run daily --date +262142-12-31", "expected a day, such as 2026-01-31"),
        ("run daily --from 2026-03-02", "--to"),
        (
            "run daily --date 2026-03-01 --from 2026-03-01 --to 2026-03-02",
            "cannot be used with",
        ),
        ("run daily --from 2026-03-02 --to 2026-03-02", "`to` is exclusive"),
        ("backfill daily --from 2026-03-02 --to 2026-03-01", "`to` is exclusive"),
        (
            "backfill daily --from 2026-03-01 --to 2026-03-02 --mode some",
            "[possible values: missing, failed, all]",
        ),
        ("demo --users 0", "--users"),
        ("demo --days many", "--days"),
        ("serve everything", "[possible values: api, etl]"),
        ("query", "<SQL>"),
        ("simulate --until noon", "2026-01-31T12:00:00Z"),
        ("simulate --until +262142-12-31T23:59:59Z", "2026-01-31T12:00:00Z"),
    ] {
        let arguments: Vec<_> = line.split_whitespace().collect();
        kindred.run(&arguments).await.expect(2).complains(&[word]);
    }
    assert!(!home.path().join("state").exists(), "nothing was made");
}

#[tokio::test]
async fn days_in_the_future_are_refused() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    kindred
        .run(&["run", "daily", "--date", "2199-01-01"])
        .await
        .expect(2)
        .complains(&["2199-01-01", "future"]);
    let backfill = ["backfill", "daily", "--from", "2026-03-01", "--to", "2199-01-01"];
    kindred
        .run(&backfill)
        .await
        .expect(2)
        .complains(&["2199-01-01", "future"]);
    assert_eq!(platform.ledger().await, []);
}

#[tokio::test]
async fn every_malformed_setting_is_reported_at_once() {
    let home = home();
    let malformed = [
        ("DATABASE_URL", "mysql://db/analytics"),
        ("USER_SERVICE_DATABASE_URL", "users"),
        ("EVENTS_URL", "ftp://events"),
        ("LAKE_URL", "ftp://lake"),
        ("USER_KEY_SECRET", "short"),
        ("QUERIES_DIR", "/no/such/folder"),
        ("HISTORY_SINCE", "+262142-12-31"),
        ("BIND_ADDRESS", "everywhere"),
        ("ALLOW_ANONYMOUS", "perhaps"),
        ("API_PORT", "http"),
        ("ETL_PORT", "70000"),
        ("USER_SERVICE_PORT", "http"),
        ("INTERACTION_SERVICE_PORT", "-1"),
        ("COMMUNICATION_SERVICE_PORT", "65536"),
        ("API_TOKENS", "ann"),
        ("FRONTEND_URL", "*"),
        ("CACHE_TTL", "5m"),
        ("CACHE_CHECK_PERIOD", "0"),
        ("MEMORY_LIMIT", "1K"),
        ("REPORTING_CURRENCY", "dollars"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ];
    let kindred = malformed
        .iter()
        .fold(Kindred::new(home.path()), |kindred, (setting, value)| {
            kindred.with(setting, *value)
        });
    for command in ["check", "serve", "migrate"] {
        let answer = kindred.run(&[command]).await.expect(2);
        answer.complains(&[&format!("{} settings to correct", malformed.len())]);
        answer.complains(&malformed.map(|(setting, _)| setting));
    }
    // They come from a file, too, and the environment wins.
    fs::write(home.path().join(".env"), "LOG_LEVEL=loud\nLOG_FORMAT=xml\n").unwrap();
    let kindred = Kindred::new(home.path()).with("LOG_FORMAT", "json");
    let answer = kindred.run(&["check"]).await.expect(2);
    answer.complains(&["1 setting to correct", "LOG_LEVEL: `loud`"]);
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let home = home();
    let kindred = Kindred::new(home.path());
    let answer = kindred.clone().with("DATABASE_URL", UNREACHABLE).run(&["serve"]).await;
    answer
        .expect(2)
        .complains(&["USER_KEY_SECRET", "required beside DATABASE_URL"]);
    let answer = kindred.clone().with("BIND_ADDRESS", "0.0.0.0").run(&["serve"]).await;
    answer.expect(2).complains(&["BIND_ADDRESS", "ALLOW_ANONYMOUS=true"]);
    let answer = kindred
        .clone()
        .with("API_PORT", "3010")
        .with("ETL_PORT", "3010")
        .run(&["serve"])
        .await;
    answer.expect(2).complains(&["ETL_PORT", "API_PORT", "differ"]);
    let own = kindred.with("USER_SERVICE_DATABASE_URL", UNREACHABLE);
    own.run(&["demo"])
        .await
        .expect(2)
        .complains(&["the demo runs on the embedded server alone"]);
}

#[tokio::test]
async fn a_users_key_depends_on_the_user_and_the_secret_alone() {
    let home = home();
    let kindred = Kindred::new(home.path());
    let id = "0190b5a0-0000-7000-8000-000000000001";
    let one = kindred.run(&["user-key", id]).await.expect(0).out;
    assert!(one.trim().parse::<i64>().is_ok(), "{one}");
    assert_eq!(
        kindred.run(&["user-key", id]).await.expect(0).out,
        one,
        "the embedded default keeps its secret"
    );
    assert_eq!(
        kindred.run(&["user-key", &id.to_uppercase()]).await.expect(0).out,
        one,
        "a uuid is its 16 bytes"
    );
    assert_ne!(kindred.run(&["user-key", "somebody"]).await.expect(0).out, one);
    let other = kindred.with("USER_KEY_SECRET", "another secret of 16 bytes or more");
    assert_ne!(other.run(&["user-key", id]).await.expect(0).out, one);
}

#[tokio::test]
async fn a_simulation_is_written_once_and_psql_shows_it() {
    let home = home();
    let _server = embedded_server(home.path()).await;
    let kindred = Kindred::new(home.path());
    let simulate = ["simulate", "--users", "20", "--days", "5"];
    kindred
        .run(&simulate)
        .await
        .expect(0)
        .says(&["users            user_profiles"]);
    let users = kindred.ask("users", "select count(*) from users").await;
    assert!(users.parse::<u64>().unwrap() >= 20, "{users}");
    kindred.run(&simulate).await.expect(1).complains(&["already has rows"]);
    assert_eq!(kindred.ask("users", "select count(*) from users").await, users);
    kindred
        .run(&["psql", "users", "-c", "selec"])
        .await
        .expect(1)
        .complains(&["syntax error"]);
    kindred
        .run(&["psql", "nowhere"])
        .await
        .expect(2)
        .complains(&["\"nowhere\" does not exist"]);
    let external = kindred
        .with("DATABASE_URL", UNREACHABLE)
        .with("USER_KEY_SECRET", "a secret of 16 bytes or more");
    external
        .run(&["psql", "users"])
        .await
        .expect(2)
        .complains(&["DATABASE_URL is set"]);
}
