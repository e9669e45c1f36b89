//! Servers that prove who they are, and servers that do not.

use kindred_testkit::{ELSEWHERE, OwnServer};
use kindred_warehouse::{ConnectOptions, ErrorKind, Warehouse, WarehouseError};

/// Connects to a server by a host name, and says what that risks.
async fn connect(server: &OwnServer, host: &str, parameters: &str) -> (bool, Result<(), WarehouseError>) {
    let url = server.url(host, "postgres", parameters).into();
    let connected = Warehouse::connect(&url, &ConnectOptions::default()).await;
    let answered = match connected {
        Ok(warehouse) => warehouse.ping().await,
        Err(error) => Err(error),
    };
    (Warehouse::risk(&url).unwrap().is_some(), answered)
}

fn trusting(server: &OwnServer, file: &str) -> String {
    format!("sslrootcert={}", server.path(file))
}

#[tokio::test]
async fn a_certificate_is_verified_as_far_as_sslmode_asks() {
    let server = OwnServer::start();
    let (ours, others) = (trusting(&server, "ca.pem"), trusting(&server, "other.pem"));
    for (host, parameters) in [
        ("127.0.0.1", String::new()),
        ("127.0.0.1", "sslmode=disable".to_owned()),
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("127.0.0.1", format!("sslmode=require&{ours}")),
        ("127.0.0.1", format!("sslmode=verify-ca&{ours}")),
        ("localhost", format!("sslmode=verify-full&{ours}")),
    ] {
        let (is_risky, answered) = connect(&server, host, &parameters).await;
        answered.unwrap_or_else(|error| panic!("{host} {parameters}: {error:?}"));
        assert!(!is_risky, "{host} is this machine");
    }
    for (host, parameters) in [
        ("127.0.0.1", format!("sslmode=verify-full&{ours}")),
        ("localhost", format!("sslmode=verify-full&{others}")),
        ("127.0.0.1", format!("sslmode=verify-ca&{others}")),
        ("127.0.0.1", format!("sslmode=require&{others}")),
        ("localhost", "sslmode=verify-full".to_owned()),
    ] {
        let (_, answered) = connect(&server, host, &parameters).await;
        let error = answered.expect_err(&format!("{host} {parameters} was trusted"));
        assert!(matches!(error, WarehouseError::Untrusted { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    }
}

#[tokio::test]
async fn a_server_elsewhere_must_prove_who_it_is_unless_its_address_says_otherwise() {
    let (right, wrong, open) = (
        OwnServer::start_as(Some(ELSEWHERE)),
        OwnServer::start(),
        OwnServer::start_as(None),
    );
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
        let (risky, answered) = connect(server, ELSEWHERE, &parameters).await;
        answered.unwrap_or_else(|error| panic!("{parameters}: {error:?}"));
        assert_eq!(risky, is_risky, "{parameters}");
    }
    for (server, parameters, why) in [
        (&right, String::new(), "its certificate is valid"),
        (&right, trusting(&right, "other.pem"), "its certificate is valid"),
        (&wrong, trusting(&wrong, "ca.pem"), "its certificate is valid"),
        (&open, String::new(), "turn TLS on"),
        (&open, "sslmode=require".to_owned(), "turn TLS on"),
    ] {
        let (_, answered) = connect(server, ELSEWHERE, &parameters).await;
        let error = answered.expect_err("it was trusted");
        assert!(matches!(error, WarehouseError::Untrusted { .. }), "{error:?}");
        let text = error.to_string();
        for word in [why, &format!("{ELSEWHERE}:{}", server.port), "sslmode=", "DATABASE_URL"] {
            assert!(text.contains(word), "{parameters}: {text}");
        }
        assert!(!format!("{error:?} {text}").contains(OwnServer::PASSWORD));
    }
}
