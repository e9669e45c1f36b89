//! Databases on other machines, as an operator meets them.

use kindred_testkit::{ELSEWHERE, OwnServer};

use crate::support::{DAY, Platform};

#[tokio::test]
async fn a_database_elsewhere_is_not_talked_to_before_it_has_proved_who_it_is() {
    let platform = Platform::simulated().await;
    let run = ["run", "daily", "--date", DAY];
    for (server, why) in [
        (OwnServer::start(), "its certificate is valid"),
        (OwnServer::start_as(None), "turn TLS on"),
    ] {
        let address = server.url(ELSEWHERE, "postgres", "");
        let place = format!("{ELSEWHERE}:{}", server.port);
        for setting in ["DATABASE_URL", "USER_SERVICE_DATABASE_URL"] {
            let kindred = platform.kindred().with(setting, &address);
            let answer = kindred.run(&run).await.expect(3);
            answer.complains(&["is not trusted", why, &place, setting, "sslmode=verify-full"]);
            kindred.run(&["check"]).await.expect(3).says(&["MISTAKE", &place, why]);
            assert!(!answer.to_string().contains(OwnServer::PASSWORD), "{answer}");
        }
    }
}

#[tokio::test]
async fn whoever_asks_for_less_is_told_what_that_risks() {
    let platform = Platform::simulated().await;
    let (proven, open) = (OwnServer::start_as(Some(ELSEWHERE)), OwnServer::start_as(None));
    let warehouse = format!("sslrootcert={}", proven.path("ca.pem"));
    let kindred = platform
        .kindred()
        .with("DATABASE_URL", proven.url(ELSEWHERE, "postgres", &warehouse))
        .with(
            "MODERATION_SERVICE_DATABASE_URL",
            open.url(ELSEWHERE, "postgres", "sslmode=disable"),
        )
        .with("EVENTS_URL", open.url(ELSEWHERE, "postgres", "sslmode=prefer"));
    // There are no tables, which is another matter.
    for command in [&["check"][..], &["run", "daily", "--date", DAY]] {
        let answer = kindred.run(command).await;
        answer.complains(&[
            "MODERATION_SERVICE_DATABASE_URL: the connection to 0.0.0.0",
            "sslmode=disable: nothing is encrypted",
            "EVENTS_URL: the connection to 0.0.0.0",
            "sslmode=prefer: a server that says it has no TLS is believed",
        ]);
        assert!(
            !answer.err.contains(" DATABASE_URL"),
            "the warehouse has proved who it is: {answer}"
        );
        assert!(!answer.to_string().contains(OwnServer::PASSWORD), "{answer}");
    }
    let answer = kindred.run(&["check"]).await;
    answer.says(&["ok       warehouse"]);
}
