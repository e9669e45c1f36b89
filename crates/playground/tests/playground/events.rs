//! The app's own events beside what the calls do.

use reqwest::Method;
use serde_json::json;

use crate::town::{PASSWORD, Town, answer};

#[tokio::test]
async fn the_walk_from_the_first_visit_to_the_purchase_is_reported_in_order() {
    let town = Town::found().await;
    let bob = town.settle("bob").await;
    town.alter("truncate behavior_events").await;
    let register = json!({
        "email": "ann@example.com", "password": PASSWORD, "username": "ann", "dateOfBirth": "1995-05-15"
    });
    let request = town
        .request(Method::POST, "/api/auth/register")
        .header("X-Device-Id", "phone-of-ann");
    let (_, registered) = answer(request.json(&register)).await;
    town.wait(1);
    let ann = town.login("ann").await;
    assert_eq!(registered["userId"], ann.id.to_string());
    let (like, hello) = (
        json!({ "targetUserId": ann.id, "action": "like" }),
        json!({ "recipientId": bob.id, "content": "Hello" }),
    );
    town.post_as(&bob, "/api/matches", like).await;
    let profile = json!({ "displayName": "Ann", "location": { "country": "NZ" } });
    for (method, path, body) in [
        (Method::PUT, "/api/users/profile", profile),
        (
            Method::POST,
            "/api/matches",
            json!({ "targetUserId": bob.id, "action": "like" }),
        ),
        (Method::POST, "/api/messages", hello),
        (
            Method::POST,
            "/api/subscriptions",
            json!({ "plan": "vip_weekly", "paymentMethod": "paypal" }),
        ),
    ] {
        town.wait(1);
        let (status, body) = answer(town.request(method, path).bearer_auth(&ann.token).json(&body)).await;
        assert!(status < 300, "{body}");
    }
    let events = town
        .rows(&format!(
            "select event_name, user_id is not null as known, anonymous_id, session_id is not null as signed_in,
                (event_time - '2026-03-10T12:00:00Z')::text as after, properties - 'target_user_id' - 'conversation_id'
            from behavior_events where user_id is distinct from '{}' order by event_time, event_id",
            bob.id
        ))
        .await;
    assert_eq!(
        events,
        [
            "app_open|f|phone-of-ann|f|00:00:00|{}",
            "registration_start|f|phone-of-ann|f|00:00:00|{\"method\": \"email\"}",
            "registration_complete|t|phone-of-ann|f|00:00:00|{\"method\": \"email\"}",
            "app_open|t|t|00:00:01|{}",
            "feature_use|t|t|00:00:02|{\"feature\": \"edit_profile\"}",
            "swipe_right|t|t|00:00:03|{\"super_like\": false}",
            "match_action|t|t|00:00:03|{\"action\": \"viewed\"}",
            "message_send|t|t|00:00:04|{\"kind\": \"text\"}",
            "subscription_view|t|t|00:00:05|{\"source\": \"settings\"}",
            "subscription_purchase|t|t|00:00:05|{\"plan\": \"vip_weekly\", \"price\": 14.99, \"trial\": false, \"currency\": \"USD\"}",
        ]
    );
    let telemetry = town
        .rows(&format!(
            "select screens_viewed, actions_taken, (updated_at - started_at)::text from session_telemetry where user_id = '{}'",
            ann.id
        ))
        .await;
    assert_eq!(telemetry, ["1|5|00:00:04"]);
}

#[tokio::test]
async fn what_is_looked_at_and_passed_on_is_reported_too() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    town.alter("truncate behavior_events").await;
    for path in ["/api/users/profile", "/api/matches", "/api/subscriptions"] {
        town.wait(1);
        town.get_as(&ann, path).await;
    }
    town.wait(1);
    town.post_as(
        &ann,
        "/api/matches",
        json!({ "targetUserId": bob.id, "action": "pass" }),
    )
    .await;
    let events = town
        .rows("select event_name, properties - 'target_user_id' from behavior_events order by event_time")
        .await;
    assert_eq!(
        events,
        [
            "screen_view|{\"screen\": \"profile\"}",
            "screen_view|{\"screen\": \"matches\"}",
            "subscription_view|{\"source\": \"settings\"}",
            "swipe_left|{}",
        ]
    );
    let target = town
        .rows("select properties ->> 'target_user_id' from behavior_events where event_name = 'swipe_left'")
        .await;
    assert_eq!(target, [bob.id.to_string()]);
}

#[tokio::test]
async fn a_collector_that_takes_nothing_stops_no_call() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    town.alter("drop table behavior_events").await;
    let body = json!({ "plan": "vip_weekly", "paymentMethod": "paypal" });
    assert_eq!(town.post_as(&ann, "/api/subscriptions", body).await.0, 201);
    assert_eq!(town.register("bob").await.0, 201);
    assert_eq!(town.count("users").await, 2);
}
