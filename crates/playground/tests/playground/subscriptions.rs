//! `GET` and `POST /api/subscriptions`.

use serde_json::json;

use crate::town::{Town, refused};

const SUBSCRIPTIONS: &str = "/api/subscriptions";

#[tokio::test]
async fn the_specifications_subscription_runs_and_is_paid_at_once() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    let body = json!({ "plan": "premium_monthly", "paymentMethod": "credit_card" });
    let (status, body) = town.post_as(&ann, SUBSCRIPTIONS, body).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(
        (&body["price"], &body["currency"], &body["status"], &body["renewsAt"]),
        (
            &json!(19.99),
            &json!("USD"),
            &json!("active"),
            &json!("2026-04-10T12:00:00Z")
        )
    );
    let rows = town
        .rows(
            "select s.id, s.user_id, plan, billing_interval, price, s.currency, s.status, trial_ends_at, canceled_at,
                ended_at, p.id as payment, p.user_id = s.user_id, kind, amount, p.currency, p.status,
                paid_at = started_at
            from subscriptions s join payments p on subscription_id = s.id",
        )
        .await;
    let (subscription, payment) = (
        body["subscriptionId"].as_str().unwrap(),
        body["paymentId"].as_str().unwrap(),
    );
    let expected = format!(
        "{subscription}|{}|premium_monthly|month|19.99|USD|active|{payment}|t|initial|19.99|USD|succeeded|t",
        ann.id
    );
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn what_is_offered_is_told_and_every_offer_can_be_taken() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    let (status, shop) = town.get_as(&ann, SUBSCRIPTIONS).await;
    assert_eq!((status, &shop["currentPlan"]), (200, &json!(null)));
    let plans = shop["plans"].as_array().unwrap();
    assert!(plans.len() >= 8, "{shop}");
    for (number, plan) in plans.iter().enumerate() {
        let citizen = town.settle(&format!("buyer{number}")).await;
        let body = json!({ "plan": plan["plan"], "paymentMethod": "paypal" });
        let (status, bought) = town.post_as(&citizen, SUBSCRIPTIONS, body).await;
        assert_eq!((status, &bought["price"]), (201, &plan["price"]), "{bought}");
        assert_eq!(
            town.get_as(&citizen, SUBSCRIPTIONS).await.1["currentPlan"],
            plan["plan"]
        );
    }
    let paid = town
        .rows("select count(*), sum(amount) = sum(price) from payments join subscriptions s on s.id = subscription_id")
        .await;
    assert_eq!(paid, [format!("{}|t", plans.len())]);
}

#[tokio::test]
async fn nobody_has_two_subscriptions_at_a_time_however_fast_they_ask() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    let body = json!({ "plan": "vip_annual", "paymentMethod": "credit_card" });
    let (one, two, three) = tokio::join!(
        town.post_as(&ann, SUBSCRIPTIONS, body.clone()),
        town.post_as(&ann, SUBSCRIPTIONS, body.clone()),
        town.post_as(&ann, SUBSCRIPTIONS, body.clone())
    );
    let mut statuses = [one.0, two.0, three.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    refused(
        &town.post_as(&ann, SUBSCRIPTIONS, body.clone()).await,
        409,
        &["vip_annual", "running"],
    );
    assert_eq!(
        (town.count("subscriptions").await, town.count("payments").await),
        (1, 1)
    );
    town.alter("update subscriptions set ended_at = now(), status = 'expired'")
        .await;
    assert_eq!(
        town.post_as(&ann, SUBSCRIPTIONS, body).await.0,
        201,
        "after its end there may be another"
    );
}

#[tokio::test]
async fn plans_and_ways_to_pay_are_those_that_there_are() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    let answer = town
        .post_as(
            &ann,
            SUBSCRIPTIONS,
            json!({ "plan": "free_forever", "paymentMethod": "shells" }),
        )
        .await;
    refused(
        &answer,
        400,
        &[
            "plan is none of",
            "premium_monthly",
            "paymentMethod is none of",
            "credit_card",
        ],
    );
    refused(
        &town
            .post(
                SUBSCRIPTIONS,
                json!({ "plan": "vip_annual", "paymentMethod": "paypal" }),
            )
            .await,
        401,
        &["token"],
    );
    assert_eq!(
        (town.count("subscriptions").await, town.count("payments").await),
        (0, 0)
    );
}
