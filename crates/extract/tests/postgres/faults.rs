//! Sources that are away, closed to us, or die.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use kindred_extract::{ErrorKind, ExtractError, PostgresSource};
use kindred_model::{Fact, Source};
use kindred_testkit::{ELSEWHERE, OwnServer, free_port};

use crate::platform::{Platform, config, fill, open, query_of};

/// An error that says how it is and what to look at, and does not tell the password.
async fn refusal(url: &str) -> ExtractError {
    let extractor = PostgresSource::new(config(Source::Interactions, url)).expect("a good address");
    let began = Instant::now();
    let error = extractor.open(&[Fact::Swipes]).await.expect_err("nothing to read from");
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "it took {:?}",
        began.elapsed()
    );
    let told = format!("{error} {error:?} {extractor:?}");
    for secret in [OwnServer::PASSWORD, "hunter2", "p%40ss"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert!(
        told.contains("interactions database") && told.contains("INTERACTION_SERVICE_DATABASE_URL"),
        "{told}"
    );
    error
}

#[tokio::test]
async fn a_source_that_is_down_is_told_at_once() {
    let port = free_port();
    let error = refusal(&format!("postgresql://u:hunter2@127.0.0.1:{port}/swiping")).await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}/swiping")),
        "{error}"
    );
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn a_socket_or_a_host_that_is_not_there_is_told_at_once() {
    let error = refusal("postgresql://u@%2Fno%2Fsuch%2Ffolder/swiping").await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        error.to_string().contains("/no/such/folder/.s.PGSQL.5432/swiping"),
        "{error}"
    );
    let error = refusal("postgresql://u:hunter2@nowhere.invalid/swiping").await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_port_that_takes_connections_and_says_nothing_is_given_up_on() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = refusal(&format!(
        "postgresql://u:hunter2@127.0.0.1:{port}/swiping?connect_timeout=1"
    ))
    .await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("no answer within 4 s"), "{error}");
}

#[tokio::test]
async fn wrong_credentials_and_unknown_databases_are_told_apart() {
    let server = OwnServer::start();
    let address = |user: &str, database: &str| format!("postgresql://{user}@127.0.0.1:{}/{database}", server.port);

    for user in ["reader:hunter2", "nobody:hunter2", "reader"] {
        let error = refusal(&address(user, "postgres")).await;
        assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
    }
    let error = refusal(&server.url("127.0.0.1", "swiping", "")).await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(matches!(error, ExtractError::UnknownDatabase { .. }));
    assert!(
        error.to_string().contains(r#"database "swiping" does not exist"#),
        "{error}"
    );

    let known = PostgresSource::new(config(Source::Users, &server.url("127.0.0.1", "postgres", ""))).unwrap();
    known.check(&[]).await.expect("the password is right");
}

#[tokio::test]
async fn a_certificate_is_verified_as_far_as_sslmode_asks() {
    let server = OwnServer::start();
    let check = async |host: &str, parameters: &str| {
        let url = server.url(host, "postgres", parameters);
        let checked = PostgresSource::new(config(Source::Users, &url))
            .unwrap()
            .check(&[])
            .await;
        checked.map_err(|mut errors| errors.remove(0))
    };
    let (ours, others) = (server.path("ca.pem"), server.path("other.pem"));
    for (host, parameters) in [
        ("127.0.0.1", "sslmode=disable".to_owned()),
        ("127.0.0.1", String::new()),
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ours}")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={ours}")),
    ] {
        check(host, &parameters)
            .await
            .unwrap_or_else(|error| panic!("{host} {parameters}: {error}"));
    }
    for (host, parameters) in [
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={ours}")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={others}")),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={others}")),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={others}")),
        ("localhost", "sslmode=verify-full".to_owned()),
    ] {
        let error = check(host, &parameters)
            .await
            .expect_err(&format!("{host} {parameters} was trusted"));
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert!(error.to_string().contains("TLS handshake"), "{error}");
    }
}

#[tokio::test]
async fn a_server_elsewhere_must_prove_who_it_is_unless_its_address_says_otherwise() {
    let (right, wrong, open) = (
        OwnServer::start_as(Some(ELSEWHERE)),
        OwnServer::start(),
        OwnServer::start_as(None),
    );
    let check = async |server: &OwnServer, parameters: &str| {
        let url = server.url(ELSEWHERE, "postgres", parameters);
        let source = PostgresSource::new(config(Source::Users, &url)).unwrap();
        let checked = source.check(&[]).await.map_err(|mut errors| errors.remove(0));
        (source.risk(), checked)
    };
    let trusting = |server: &OwnServer, file: &str| format!("sslrootcert={}", server.path(file));
    for (server, parameters, is_risky) in [
        (&right, trusting(&right, "ca.pem"), false),
        (
            &wrong,
            format!("sslmode=verify-ca&{}", trusting(&wrong, "ca.pem")),
            true,
        ),
        (&wrong, "sslmode=require".to_owned(), true),
        (&open, "sslmode=prefer".to_owned(), true),
        (&open, "sslmode=disable".to_owned(), true),
    ] {
        let (risk, checked) = check(server, &parameters).await;
        checked.unwrap_or_else(|error| panic!("{parameters}: {error}"));
        assert_eq!(risk.is_some(), is_risky, "{parameters}: {risk:?}");
    }
    for (server, parameters, why) in [
        (&right, String::new(), "its certificate is valid"),
        (&right, trusting(&right, "other.pem"), "its certificate is valid"),
        (&wrong, trusting(&wrong, "ca.pem"), "its certificate is valid"),
        (&open, String::new(), "turn TLS on"),
        (&open, "sslmode=require".to_owned(), "turn TLS on"),
    ] {
        let (_, checked) = check(server, &parameters).await;
        let error = checked.expect_err("it was trusted");
        assert!(matches!(error, ExtractError::Untrusted { .. }), "{error:?}");
        let text = error.to_string();
        for word in [
            why,
            &format!("{ELSEWHERE}:{}", server.port),
            "sslmode=",
            "USER_SERVICE_DATABASE_URL",
        ] {
            assert!(text.contains(word), "{parameters}: {text}");
        }
    }
}

/// More swipes than any buffer between server and reader holds.
const MANY_SWIPES: &str = "select gen_random_uuid() as user_key, gen_random_uuid() as target_user_key,
        repeat('x', 200) as action, timestamptz '2026-01-01Z' + i * interval '1 second' as created_at
    from generate_series(1, 300000) as i
    where now() >= $from and now() < $to";

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_read_is_an_error_and_no_short_result() {
    let server = OwnServer::start();
    let mut config = config(
        Source::Interactions,
        &server.url("127.0.0.1", "postgres", "sslmode=disable"),
    );
    query_of(&mut config, Fact::Swipes).rows = MANY_SWIPES.to_owned();
    let snapshot = open(&PostgresSource::new(config).unwrap(), Fact::Swipes).await;
    let mut rows = snapshot.read(Fact::Swipes, None, None);
    rows.next().await.expect("a batch").expect("a batch");
    server.kill();
    let error = loop {
        match rows.next().await.expect("a short result") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(matches!(error, ExtractError::Lost { .. }), "{error:?}");
    assert!(rows.next().await.is_none());

    let error = open_again(&snapshot).await;
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}

/// What a read says whose server has gone since the snapshot was opened.
async fn open_again(snapshot: &kindred_extract::Snapshot) -> ExtractError {
    let began = Instant::now();
    let first = snapshot.read(Fact::Swipes, None, None).next().await.expect("an end");
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "it took {:?}",
        began.elapsed()
    );
    first.expect_err("nobody answers")
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_an_error_and_no_short_result() {
    let platform = Platform::empty(Source::Interactions).await;
    fill(&platform, 10).await;
    let snapshot = open(&platform.extractor_of(Fact::Swipes, MANY_SWIPES), Fact::Swipes).await;
    let mut rows = snapshot.read(Fact::Swipes, None, None);
    rows.next().await.expect("a batch").expect("a batch");
    let ended = platform
        .count(
            "select count(*) from (
                 select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and query like 'copy%' and application_name = 'kindred'
             ) as ended",
        )
        .await;
    assert_eq!(ended, 1);
    let error = loop {
        match rows.next().await.expect("a short result") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    // The server's own words may or may not come through before the connection breaks.
    assert!(matches!(error, ExtractError::Lost { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}
