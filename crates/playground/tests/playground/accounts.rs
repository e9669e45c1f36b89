//! `POST /api/auth/register`.

use kindred_playground::Playground;
use serde_json::json;

use crate::town::{PASSWORD, Town, refused, targets};

const REGISTER: &str = "/api/auth/register";

#[tokio::test]
async fn an_account_is_made_from_the_specifications_body_and_its_password_is_kept_as_a_hash_alone() {
    let town = Town::found().await;
    // As it is printed in the specification.
    let (status, body) = town
        .post(
            REGISTER,
            json!({
                "email": "user1@example.com",
                "password": "password123",
                "username": "user1",
                "dateOfBirth": "1995-05-15"
            }),
        )
        .await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["email"], "user1@example.com");
    assert_eq!(body["createdAt"], "2026-03-10T12:00:00Z");
    assert!(!body.to_string().contains("password"), "{body}");
    let rows = town
        .rows(
            "select id, email, username, date_of_birth, signup_platform, status, is_internal, country is null,
                created_at at time zone 'UTC' as created_at, updated_at = created_at as untouched
            from users",
        )
        .await;
    let id = body["userId"].as_str().unwrap();
    assert_eq!(
        rows,
        [format!(
            "{id}|user1@example.com|user1|1995-05-15|web|active|f|t|2026-03-10 12:00:00|t"
        )]
    );
    let hash = town.rows("select password_hash from users").await;
    assert!(hash[0].starts_with("$argon2id$v=19$"), "{hash:?}");
    assert!(!hash[0].contains(PASSWORD));
    assert_eq!(
        town.count("user_sessions").await,
        0,
        "a login opens a session, and nothing else"
    );
}

#[tokio::test]
async fn every_field_that_is_wrong_is_told_at_once_and_nothing_is_written() {
    let town = Town::found().await;
    let body = json!({
        "email": "not-an-address",
        "password": "short",
        "username": " ",
        "dateOfBirth": "2010-05-15",
        "gender": "none",
    });
    let answer = town.post(REGISTER, body).await;
    refused(
        &answer,
        400,
        &[
            "email",
            "password must have 8 to 128",
            "username",
            "18 years",
            "female, male",
        ],
    );
    let fields: Vec<_> = answer.1["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mistake| mistake["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["email", "username", "password", "dateOfBirth", "gender"]);
    assert!(
        !answer.1.to_string().contains("short"),
        "the password is told: {}",
        answer.1
    );
    assert_eq!((town.count("users").await, town.count("behavior_events").await), (0, 0));
}

#[tokio::test]
async fn whoever_turns_18_tomorrow_may_come_tomorrow() {
    let town = Town::found().await;
    let body = json!({
        "email": "young@example.com",
        "password": PASSWORD,
        "username": "young",
        "dateOfBirth": "2008-03-11",
    });
    refused(
        &town.post(REGISTER, body.clone()).await,
        400,
        &["dateOfBirth", "18 years"],
    );
    town.wait(12 * 3_600);
    assert_eq!(town.post(REGISTER, body).await.0, 201);
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_written() {
    let town = Town::found().await;
    assert_eq!(town.register("ann").await.0, 201);
    for again in ["ann", "Ann", "ANN"] {
        refused(&town.register(again).await, 409, &["e-mail address"]);
    }
    assert_eq!(town.count("users").await, 1);
    assert_eq!(
        town.count("behavior_events").await,
        3,
        "a refused registration is no event"
    );
}

#[tokio::test]
async fn of_two_who_register_one_address_at_the_same_moment_one_gets_it() {
    let town = Town::found().await;
    let (one, two, three) = tokio::join!(town.register("ann"), town.register("ann"), town.register("ann"));
    let mut statuses = [one.0, two.0, three.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    assert_eq!(town.count("users").await, 1);
}

#[tokio::test]
async fn the_tables_are_made_once_and_kept_by_later_starts() {
    let town = Town::found().await;
    town.register("ann").await;
    let targets = targets(&town.database);
    // Two at once, as two processes would.
    let (one, two) = tokio::join!(
        Playground::open(&targets, town.clock.clone()),
        Playground::open(&targets, town.clock.clone())
    );
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(town.count("users").await, 1);
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named_with_its_setting() {
    let town = Town::found().await;
    let mut targets = targets(&town.database);
    targets.communications = "postgresql://someone:canary@127.0.0.1:1/nowhere".to_owned();
    let error = Playground::open(&targets, town.clock.clone()).await.unwrap_err();
    assert!(
        error.to_string().contains("COMMUNICATION_SERVICE_DATABASE_URL"),
        "{error}"
    );
    targets.users = "mysql://someone:canary@127.0.0.1:1/nowhere".to_owned();
    let error = Playground::open(&targets, town.clock.clone()).await.unwrap_err();
    assert!(error.to_string().contains("USER_SERVICE_DATABASE_URL"), "{error}");
    assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
}
