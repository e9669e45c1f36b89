//! `POST /api/auth/login` and `POST /api/auth/logout`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kindred_model::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Playground;
use crate::body::Body;
use crate::device::Device;
use crate::events::{Event, Origin};
use crate::refusal::Refusal;
use crate::sessions::{Caller, LASTS};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    email: String,
    password: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    token: String,
    token_type: &'static str,
    expires_at: Instant,
    user_id: Uuid,
}

/// An account, as it is looked up.
#[derive(sqlx::FromRow)]
struct Account {
    id: Uuid,
    password_hash: String,
    status: String,
    country: Option<String>,
}

/// Opens a session. An unknown address and a wrong password are told by the same words, after the same time.
pub(crate) async fn login(
    State(playground): State<Playground>,
    device: Device,
    Body(asked): Body<Asked>,
) -> Result<Json<Answer>, Refusal> {
    let account = account(&playground, &asked.email).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let fits = playground.passwords.fits(asked.password, hash).await?;
    let account = account
        .filter(|_| fits)
        .ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "the e-mail address or the password is wrong"))?;
    if account.status != "active" {
        let told = format!("this account is {}", account.status);
        return Err(Refusal::new(StatusCode::FORBIDDEN, told));
    }
    let at = playground.clock.now();
    let session = playground.open_session(account.id, &device, at).await?;
    let origin = Origin {
        user: Some(account.id),
        device: device.id,
        session: Some(session),
        platform: Some(device.platform.to_owned()),
        app_version: device.app_version,
        country: account.country,
    };
    playground.note(&origin, at, Event::AppOpen).await;
    Ok(Json(Answer {
        token: playground.tokens.issue(session),
        token_type: "Bearer",
        expires_at: at + LASTS,
        user_id: account.id,
    }))
}

/// Ends the session of the token, which is worth nothing from then on.
pub(crate) async fn logout(State(playground): State<Playground>, caller: Caller) -> Result<StatusCode, Refusal> {
    playground.end_session(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn account(playground: &Playground, email: &str) -> Result<Option<Account>, Refusal> {
    let email = email.trim().to_lowercase();
    if email.contains('\0') {
        // No text of the database has it.
        return Ok(None);
    }
    let account = sqlx::query_as("select id, password_hash, status, country from users where email = $1");
    Ok(account.bind(email).fetch_optional(&playground.users).await?)
}
