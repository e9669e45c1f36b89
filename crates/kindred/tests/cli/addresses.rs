//! Addresses that lead nowhere: of a source, of the warehouse, of the servers' own ports.

use std::fs;
use std::net::TcpListener;

use kindred_embedded_pg::EmbeddedPg;
use sqlx::{Connection, PgConnection};

use crate::support::{DAY, Kindred, Platform, UNREACHABLE, embedded_server, home};

const RUN: &[&str] = &["run", "daily", "--date", DAY];

#[tokio::test]
async fn a_required_source_that_is_down_is_named_with_its_setting_and_address() {
    let platform = Platform::simulated().await;
    for (source, setting) in [
        ("users", "USER_SERVICE_DATABASE_URL"),
        ("interactions", "INTERACTION_SERVICE_DATABASE_URL"),
        ("communications", "COMMUNICATION_SERVICE_DATABASE_URL"),
    ] {
        let kindred = platform.kindred().with(setting, UNREACHABLE);
        let words = [source, setting, "127.0.0.1:1"];
        kindred.run(RUN).await.expect(3).complains(&words);
        let (status, message) = platform.ledger().await.pop().unwrap();
        assert_eq!(status, "failed");
        assert!(
            words.iter().all(|word| message.as_ref().unwrap().contains(word)),
            "{message:?}"
        );
        kindred.run(&["check"]).await.expect(3).says(&words);
    }
    assert_eq!(platform.count("select count(*) from daily_kpi_summaries").await, 0);
    assert_eq!(platform.count("select count(*) from source_watermarks").await, 0);
}

#[tokio::test]
async fn a_database_that_the_server_does_not_have_is_named() {
    let platform = Platform::simulated().await;
    let nowhere = platform
        .sources
        .url()
        .replace(platform.sources.name(), "no_such_database");
    let kindred = platform.kindred().with("USER_SERVICE_DATABASE_URL", &nowhere);
    kindred
        .run(RUN)
        .await
        .expect(3)
        .complains(&["no_such_database", "USER_SERVICE_DATABASE_URL"]);
    let kindred = platform.kindred().with("DATABASE_URL", &nowhere);
    kindred
        .run(RUN)
        .await
        .expect(3)
        .complains(&["no_such_database", "DATABASE_URL"]);
}

#[tokio::test]
async fn a_warehouse_that_is_down_is_named_by_every_command_that_needs_it() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred().with("DATABASE_URL", UNREACHABLE);
    let backfill = ["backfill", "daily", "--from", DAY, "--to", "2026-03-12"];
    for command in [RUN, &backfill, &["migrate"], &["serve"]] {
        let answer = kindred.run(command).await.expect(3);
        answer.complains(&["warehouse", "DATABASE_URL", "127.0.0.1:1"]);
    }
    kindred
        .run(&["check"])
        .await
        .expect(3)
        .says(&["MISTAKE  warehouse", "ok       source users"]);
}

#[tokio::test]
async fn a_required_source_without_an_address_is_a_setting_to_correct() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred().without("INTERACTION_SERVICE_DATABASE_URL");
    kindred
        .run(RUN)
        .await
        .expect(2)
        .complains(&["interactions", "INTERACTION_SERVICE_DATABASE_URL"]);
    kindred
        .run(&["simulate"])
        .await
        .expect(2)
        .complains(&["INTERACTION_SERVICE_DATABASE_URL"]);
}

#[tokio::test]
async fn a_wrong_password_is_a_matter_of_credentials_and_is_never_repeated() {
    let platform = Platform::simulated().await;
    let home = home();
    let (_server, address) = guarded_server(home.path()).await;
    let kindred = platform.kindred().with("USER_SERVICE_DATABASE_URL", &address);
    let answer = kindred.run(RUN).await.expect(3);
    answer.complains(&[
        "users database refuses the sign-in",
        "guarded",
        "USER_SERVICE_DATABASE_URL",
    ]);
    assert!(!answer.to_string().contains("wrong-canary"), "{answer}");
    let answer = platform
        .kindred()
        .with("DATABASE_URL", &address)
        .run(RUN)
        .await
        .expect(3);
    answer.complains(&["`guarded`", "check user, password", "DATABASE_URL"]);
    assert!(!answer.to_string().contains("wrong-canary"), "{answer}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_nothing_else_is_begun() {
    let platform = Platform::simulated().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for setting in ["API_PORT", "ETL_PORT"] {
        let answer = platform.kindred().with(setting, &port).run(&["serve"]).await.expect(1);
        answer.complains(&[setting, &format!("127.0.0.1:{port}"), "another process"]);
    }
    let home = home();
    let _server = embedded_server(home.path()).await;
    let demo = Kindred::new(home.path()).with("API_PORT", &port);
    demo.run(&["demo"]).await.expect(1).complains(&["API_PORT"]);
    assert_eq!(
        demo.ask("users", "select count(*) from users").await,
        "0",
        "nothing was simulated"
    );
}

/// A server that asks `guarded` for a password, and the address of that user with a wrong one.
async fn guarded_server(home: &std::path::Path) -> (EmbeddedPg, String) {
    let server = embedded_server(home).await;
    let rules = home.join("state/postgres/data/pg_hba.conf");
    let trusting = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, format!("local all guarded scram-sha-256\n{trusting}")).unwrap();
    let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
    let sql = "create role guarded login password 'right'; select pg_reload_conf()";
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    let address = server.url("postgres").replace("//kindred@", "//guarded:wrong-canary@");
    (server, address)
}
