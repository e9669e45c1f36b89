//! `POST /api/auth/register`: a new account.

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
use crate::fields::Fields;
use crate::refusal::Refusal;

const GENDERS: &[&str] = &["female", "male", "nonbinary"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    email: String,
    password: String,
    username: String,
    date_of_birth: String,
    gender: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    user_id: Uuid,
    email: String,
    username: String,
    created_at: Instant,
}

pub(crate) async fn register(
    State(playground): State<Playground>,
    device: Device,
    Body(asked): Body<Asked>,
) -> Result<(StatusCode, Json<Answer>), Refusal> {
    let arrived_at = playground.clock.now();
    let mut fields = Fields::default();
    let email = fields.email("email", &asked.email);
    let username = fields.line("username", &asked.username, 1..=50);
    fields.length("password", &asked.password, 8..=128);
    let birth = fields.birth("dateOfBirth", &asked.date_of_birth, arrived_at.date_naive());
    let gender = asked
        .gender
        .and_then(|gender| fields.one_of("gender", &gender, GENDERS));
    fields.finish()?;
    let password_hash = playground.passwords.hash(asked.password).await?;
    let answer = Answer {
        user_id: Uuid::now_v7(),
        email,
        username,
        created_at: playground.clock.now(),
    };
    let inserted = sqlx::query(
        "insert into users
            (id, email, username, password_hash, date_of_birth, gender, signup_platform, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        on conflict (email) do nothing",
    )
    .bind(answer.user_id)
    .bind(&answer.email)
    .bind(&answer.username)
    .bind(password_hash)
    .bind(birth)
    .bind(gender)
    .bind(device.platform)
    .bind(answer.created_at)
    .execute(&playground.users)
    .await?;
    if inserted.rows_affected() == 0 {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "there is an account with this e-mail address",
        ));
    }
    note(&playground, device, arrived_at, &answer).await;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The way to the account: somebody unknown opens the app and begins, and is known when it is done.
async fn note(playground: &Playground, device: Device, arrived_at: Instant, answer: &Answer) {
    let visitor = Origin {
        device: Some(device.id.unwrap_or_else(|| Uuid::new_v4().to_string())),
        platform: Some(device.platform.to_owned()),
        app_version: device.app_version,
        ..Origin::default()
    };
    let member = Origin {
        user: Some(answer.user_id),
        ..visitor.clone()
    };
    playground.note(&visitor, arrived_at, Event::AppOpen).await;
    playground.note(&visitor, arrived_at, Event::RegistrationStart).await;
    playground
        .note(&member, answer.created_at, Event::RegistrationComplete)
        .await;
}
