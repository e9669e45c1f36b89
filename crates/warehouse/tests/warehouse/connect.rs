use std::time::Duration;

use kindred_warehouse::{ConnectOptions, ErrorKind, Warehouse, WarehouseError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::Database;

fn quick() -> ConnectOptions {
    ConnectOptions {
        acquire_timeout: Duration::from_millis(700),
        ..ConnectOptions::default()
    }
}

async fn refused(url: &str) -> WarehouseError {
    Warehouse::connect(&url.into(), &quick())
        .await
        .expect_err("nobody should answer")
}

/// What a person reads: the error and its causes.
fn text(error: &WarehouseError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_socket_folder_is_an_address() {
    let database = Database::empty().await;
    assert!(database.url().contains("@%2F"), "the address of the test is a socket");
    database.warehouse.ping().await.unwrap();
}

#[tokio::test]
async fn a_closed_port_is_named_without_the_password() {
    let error = refused("postgresql://ann:s3cret-word@127.0.0.1:1/analytics").await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(text(&error).contains("127.0.0.1:1/analytics"), "{}", text(&error));
    assert!(!text(&error).contains("s3cret"), "{}", text(&error));
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn an_unknown_host_is_unreachable() {
    let error = refused("postgresql://ann:s3cret-word@no-such-host.invalid/analytics").await;
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        text(&error).contains("no-such-host.invalid:5432/analytics"),
        "{}",
        text(&error)
    );
}

#[tokio::test]
async fn a_missing_database_and_a_missing_user_are_refused() {
    let database = Database::empty().await;
    let url = database.url();
    let (before, after) = url.split_once('?').unwrap();
    let error = refused(&format!("{before}_gone?{after}")).await;
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(text(&error).contains("does not exist"), "{}", text(&error));

    let error = refused(&format!("{}&user=nobody_known", database.url())).await;
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().contains("`nobody_known`"), "{error}");
}

#[tokio::test]
async fn a_malformed_address_says_how_to_write_one() {
    let error = refused("analytics").await;
    assert_eq!(error.kind(), ErrorKind::Address);
    assert!(text(&error).contains("postgresql://"), "{}", text(&error));
}

#[tokio::test]
async fn a_lazy_warehouse_fails_when_it_is_used() {
    let url = "postgresql://ann@127.0.0.1:1/analytics".into();
    let warehouse = Warehouse::connect_lazy(&url, &quick()).unwrap();
    assert_eq!(warehouse.ping().await.unwrap_err().kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_statement_ends_at_its_timeout() {
    let database = Database::empty().await;
    let options = ConnectOptions {
        statement_timeout: Some(Duration::from_millis(50)),
        ..quick()
    };
    let warehouse = Warehouse::connect(&database.url().into(), &options).await.unwrap();
    let slept = sqlx::query("select pg_sleep(5)")
        .execute(warehouse.pool())
        .await
        .unwrap_err();
    assert_eq!(
        slept.as_database_error().and_then(|error| error.code()).as_deref(),
        Some("57014")
    );
}

/// A server that says no to whoever signs in, in PostgreSQL's words.
async fn refusing_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        client.read_u8().await.unwrap();
        let fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0";
        client.write_u8(b'E').await.unwrap();
        client.write_u32(4 + fields.len() as u32).await.unwrap();
        client.write_all(fields).await.unwrap();
        // Until the client has read it and hangs up.
        while client.read_u8().await.is_ok() {}
    });
    address
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated() {
    let address = refusing_server().await;
    let error = refused(&format!(
        "postgresql://ann:s3cret-word@{address}/analytics?sslmode=disable"
    ))
    .await;
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let text = text(&error);
    assert!(
        text.contains(&format!("{address}/analytics")) && text.contains("`ann`"),
        "{text}"
    );
    assert_eq!(text.matches("password authentication failed").count(), 1, "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_unreachable_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let began = std::time::Instant::now();
    let error = refused(&format!(
        "postgresql://ann@{}/analytics",
        listener.local_addr().unwrap()
    ))
    .await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(text(&error).contains("no answer in time"), "{}", text(&error));
}
