//! `PUT` and `GET /api/users/profile`.

use reqwest::Method;
use serde_json::json;

use crate::town::{Town, answer, refused};

const PROFILE: &str = "/api/users/profile";

#[tokio::test]
async fn the_specifications_profile_is_written_and_its_country_is_the_accounts() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    refused(&town.get_as(&ann, PROFILE).await, 404, &["no profile yet"]);
    town.wait(10);
    let profile = json!({
        "displayName": "John Doe",
        "bio": "Looking for meaningful connections",
        "interests": ["hiking", "reading", "travel"],
        "location": { "city": "New York", "country": "USA" }
    });
    let (status, body) = town.put_as(&ann, PROFILE, profile).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["location"], json!({ "city": "New York", "country": "US" }));
    assert_eq!(body["userId"], ann.id.to_string());
    assert_eq!(town.get_as(&ann, PROFILE).await, (200, body));
    let rows = town
        .rows(
            "select display_name, bio, interests::text, city, p.updated_at at time zone 'UTC', country,
            u.updated_at = p.updated_at from user_profiles p join users u on u.id = user_id",
        )
        .await;
    let expected =
        "John Doe|Looking for meaningful connections|{hiking,reading,travel}|New York|2026-03-10 12:00:10|US|t";
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn a_second_profile_takes_the_firsts_place_whole() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    let full = json!({ "displayName": "Ann", "bio": "Hi", "interests": ["a"], "location": { "country": "DE" } });
    for citizen in [&ann, &bob] {
        assert_eq!(town.put_as(citizen, PROFILE, full.clone()).await.0, 200);
    }
    let (status, body) = town.put_as(&ann, PROFILE, json!({ "displayName": "A." })).await;
    assert_eq!(
        (status, &body["bio"], &body["interests"]),
        (200, &json!(null), &json!([]))
    );
    let rows = town
        .rows("select email, display_name, bio is null, country from user_profiles join users on id = user_id order by email")
        .await;
    assert_eq!(
        rows,
        ["ann@example.com|A.|t", "bob@example.com|Ann|f|DE"],
        "and nobody else's"
    );
}

#[tokio::test]
async fn a_profile_is_ones_own_and_takes_a_token() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    let somebody_elses = json!({ "userId": bob.id, "displayName": "Mallory" });
    refused(
        &town.put_as(&ann, PROFILE, somebody_elses).await,
        400,
        &["unknown field `userId`"],
    );
    let request = town
        .request(Method::PUT, PROFILE)
        .json(&json!({ "displayName": "Mallory" }));
    refused(&answer(request).await, 401, &["token"]);
    refused(
        &town.put_as(&ann, &format!("{PROFILE}/{}", bob.id), json!({})).await,
        404,
        &["nothing"],
    );
    assert_eq!(town.count("user_profiles").await, 0);
}

#[tokio::test]
async fn what_cannot_stand_in_a_profile_is_told_at_once() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    let body = json!({
        "displayName": "x".repeat(101),
        "bio": "nul \u{0}",
        "interests": vec!["x"; 31],
        "location": { "city": "two\nlines", "country": "Atlantis" },
    });
    let answer = town.put_as(&ann, PROFILE, body).await;
    refused(
        &answer,
        400,
        &[
            "displayName must have 1 to 100",
            "bio",
            "location.city",
            "location.country",
            "interests must be 30",
        ],
    );
    assert_eq!(town.count("user_profiles").await, 0);
}
