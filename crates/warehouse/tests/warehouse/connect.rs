use std::time::Duration;

use kindred_warehouse::{ConnectOptions, ErrorKind, Warehouse, WarehouseError};

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

#[tokio::test]
async fn manual_wrong_password() {
    let error = refused("postgresql://postgres:wrong-word@127.0.0.1:54399/postgres").await;
    println!("{:?} {}", error.kind(), text(&error));
    let fine = Warehouse::connect(&"postgresql://postgres:right-word@127.0.0.1:54399/postgres".into(), &quick()).await;
    println!("{:?}", fine.is_ok());
}
