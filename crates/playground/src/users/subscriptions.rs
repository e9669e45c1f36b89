//! `GET /api/subscriptions`: what is offered, and what one has; `POST /api/subscriptions`: taking an offer.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kindred_model::Instant;
use kindred_simulator::Offer;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Playground;
use crate::body::Body;
use crate::events::{Event, Origin};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::sessions::Caller;

const METHODS: &[&str] = &["credit_card", "debit_card", "paypal", "apple_pay", "google_pay"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    plan: String,
    payment_method: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    subscription_id: Uuid,
    payment_id: Uuid,
    plan: &'static str,
    status: &'static str,
    price: f64,
    currency: &'static str,
    billing_interval: &'static str,
    started_at: Instant,
    renews_at: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shop {
    plans: Vec<Plan>,
    /// The plan that one has; null: none.
    current_plan: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    plan: &'static str,
    price: f64,
    currency: &'static str,
    billing_interval: &'static str,
}

/// A subscription that runs: paid access has not ended.
const RUNNING: &str = "select plan from subscriptions
    where user_id = $1 and ended_at is null and status in ('trialing', 'active', 'past_due') limit 1";

pub(crate) async fn view(State(playground): State<Playground>, caller: Caller) -> Result<Json<Shop>, Refusal> {
    let running = sqlx::query_scalar(RUNNING).bind(caller.user_id);
    let current_plan = running.fetch_optional(&playground.users).await?;
    let origin = Origin::from(&caller);
    playground.note(&origin, caller.at, Event::SubscriptionView).await;
    let plans = kindred_simulator::offers().map(|offer| Plan {
        plan: offer.plan,
        price: price(&offer),
        currency: Offer::CURRENCY,
        billing_interval: offer.billing_interval,
    });
    Ok(Json(Shop {
        plans: plans.collect(),
        current_plan,
    }))
}

/// Takes an offer and pays its first interval. Whoever buys has seen the offers, which is an event of its own.
pub(crate) async fn purchase(
    State(playground): State<Playground>,
    caller: Caller,
    Body(asked): Body<Asked>,
) -> Result<(StatusCode, Json<Answer>), Refusal> {
    let mut fields = Fields::default();
    let offer = kindred_simulator::offers().find(|offer| offer.plan == asked.plan);
    if offer.is_none() {
        let plans: Vec<_> = kindred_simulator::offers().map(|offer| offer.plan).collect();
        fields.mistake("plan", format!("is none of {}", plans.join(", ")));
    }
    fields.one_of("paymentMethod", &asked.payment_method, METHODS);
    fields.finish()?;
    let offer = offer.expect("a plan that is not offered was a mistake");
    let origin = Origin::from(&caller);
    playground.note(&origin, caller.at, Event::SubscriptionView).await;
    let paid_at = playground.clock.now();
    let answer = Answer {
        subscription_id: Uuid::now_v7(),
        payment_id: Uuid::now_v7(),
        plan: offer.plan,
        status: "active",
        price: price(&offer),
        currency: Offer::CURRENCY,
        billing_interval: offer.billing_interval,
        started_at: paid_at,
        renews_at: offer.renews_at(paid_at),
    };
    let mut transaction = playground.users.begin().await?;
    // Two purchases of one person take turns.
    sqlx::query("select from users where id = $1 for update")
        .bind(caller.user_id)
        .execute(&mut *transaction)
        .await?;
    let running = sqlx::query_scalar(RUNNING).bind(caller.user_id);
    let running: Option<String> = running.fetch_optional(&mut *transaction).await?;
    if let Some(plan) = running {
        let told = format!("the subscription {plan} is running already");
        return Err(Refusal::new(StatusCode::CONFLICT, told));
    }
    write(&mut transaction, caller.user_id, &offer, &answer).await?;
    transaction.commit().await?;
    let event = Event::SubscriptionPurchase {
        plan: offer.plan,
        price: answer.price,
    };
    playground.note(&origin, paid_at, event).await;
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn write(connection: &mut PgConnection, user: Uuid, offer: &Offer, answer: &Answer) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into subscriptions (id, user_id, plan, billing_interval, price, currency, status, started_at, updated_at)
        values ($1, $2, $3, $4, $5::numeric / 100, $6, $7, $8, $8)",
    )
    .bind(answer.subscription_id)
    .bind(user)
    .bind(answer.plan)
    .bind(answer.billing_interval)
    .bind(i64::from(offer.cents))
    .bind(answer.currency)
    .bind(answer.status)
    .bind(answer.started_at)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into payments (id, user_id, subscription_id, kind, amount, currency, status, paid_at, updated_at)
        values ($1, $2, $3, 'initial', $4::numeric / 100, $5, 'succeeded', $6, $6)",
    )
    .bind(answer.payment_id)
    .bind(user)
    .bind(answer.subscription_id)
    .bind(i64::from(offer.cents))
    .bind(answer.currency)
    .bind(answer.started_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// For an answer: hundredths of any price are exact to the cent as it is written.
fn price(offer: &Offer) -> f64 {
    f64::from(offer.cents) / 100.0
}
