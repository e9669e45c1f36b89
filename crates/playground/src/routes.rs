//! Every address of the three services.

use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::Playground;
use crate::layers::around;
use crate::matches;
use crate::messages;
use crate::refusal::Refusal;
use crate::users::{auth, profile, register, subscriptions};

/// The user service, which the specification has on port 3001.
pub fn user_service(playground: Playground) -> Router {
    let routes = Router::new()
        .route("/api/auth/register", post(register::register))
        .route("/api/auth/login", post(auth::login))
        .route("/api/auth/logout", post(auth::logout))
        .route("/api/users/profile", put(profile::put).get(profile::get))
        .route(
            "/api/subscriptions",
            post(subscriptions::purchase).get(subscriptions::view),
        )
        .route(
            "/health",
            get(|State(playground): State<Playground>| async move { health(&playground.users).await }),
        );
    around(routes).with_state(playground)
}

/// The interaction service, port 3002.
pub fn interaction_service(playground: Playground) -> Router {
    let routes = Router::new()
        .route("/api/matches", post(matches::swipe).get(matches::list))
        .route(
            "/health",
            get(|State(playground): State<Playground>| async move { health(&playground.interactions).await }),
        );
    around(routes).with_state(playground)
}

/// The communication service, port 3003.
pub fn communication_service(playground: Playground) -> Router {
    let routes = Router::new().route("/api/messages", post(messages::send)).route(
        "/health",
        get(|State(playground): State<Playground>| async move { health(&playground.communications).await }),
    );
    around(routes).with_state(playground)
}

/// 200 when the service's database answers, else 503.
async fn health(database: &PgPool) -> Result<Json<Value>, Refusal> {
    sqlx::query("select 1").execute(database).await?;
    Ok(Json(json!({ "status": "ok" })))
}
