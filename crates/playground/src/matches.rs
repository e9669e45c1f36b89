//! `POST /api/matches`: what one thinks of somebody; and `GET /api/matches`: who thinks the same.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kindred_model::Instant;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::Playground;
use crate::body::Body;
use crate::events::{Event, Origin};
use crate::fields::Fields;
use crate::people::Pair;
use crate::refusal::Refusal;
use crate::sessions::Caller;

const ACTIONS: &[&str] = &["like", "super_like", "pass"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    target_user_id: Uuid,
    action: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    target_user_id: Uuid,
    action: &'static str,
    /// Whether both like each other.
    matched: bool,
    match_id: Option<Uuid>,
}

#[derive(Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Match {
    match_id: Uuid,
    user_id: Uuid,
    created_at: Instant,
}

#[derive(Serialize)]
pub(crate) struct Matches {
    matches: Vec<Match>,
}

/// 201 with what came of it; 200 when the same was said before, which is not written again.
pub(crate) async fn swipe(
    State(playground): State<Playground>,
    caller: Caller,
    Body(asked): Body<Asked>,
) -> Result<(StatusCode, Json<Answer>), Refusal> {
    let mut fields = Fields::default();
    let action = fields.one_of("action", &asked.action, ACTIONS);
    fields.finish()?;
    let action = action.expect("another word was a mistake");
    let target = playground.other(&caller, asked.target_user_id).await?;
    let outcome = decide(&playground.interactions, &caller, target, action).await?;
    let origin = Origin::from(&caller);
    if outcome.is_new {
        let event = match action {
            "pass" => Event::SwipeLeft { target },
            liked => Event::SwipeRight {
                target,
                super_like: liked == "super_like",
            },
        };
        playground.note(&origin, caller.at, event).await;
    }
    if outcome.is_new_match {
        playground
            .note(&origin, caller.at, Event::MatchViewed { other: target })
            .await;
    }
    let answer = Answer {
        target_user_id: target,
        action,
        matched: outcome.match_id.is_some(),
        match_id: outcome.match_id,
    };
    let status = if outcome.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(answer)))
}

/// The people with whom one matched, the newest first.
pub(crate) async fn list(State(playground): State<Playground>, caller: Caller) -> Result<Json<Matches>, Refusal> {
    let matches = sqlx::query_as(
        "select id as match_id, case user_a_id when $1 then user_b_id else user_a_id end as user_id, created_at
        from matches where user_a_id = $1 or user_b_id = $1
        order by created_at desc, id limit 500",
    );
    let matches = matches.bind(caller.user_id).fetch_all(&playground.interactions).await?;
    let screen = Event::ScreenView { screen: "matches" };
    playground.note(&Origin::from(&caller), caller.at, screen).await;
    Ok(Json(Matches { matches }))
}

struct Outcome {
    is_new: bool,
    match_id: Option<Uuid>,
    is_new_match: bool,
}

/// Writes the swipe, and the match when it is the second like of the two, who take turns.
async fn decide(interactions: &PgPool, caller: &Caller, target: Uuid, action: &str) -> Result<Outcome, sqlx::Error> {
    let pair = Pair::new(caller.user_id, target);
    let mut transaction = interactions.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(pair.lock())
        .execute(&mut *transaction)
        .await?;
    let is_new = last_action(&mut transaction, caller.user_id, target).await?.as_deref() != Some(action);
    if is_new {
        let swipe = "insert into swipes (id, user_id, target_user_id, action, created_at) values ($1, $2, $3, $4, $5)";
        sqlx::query(swipe)
            .bind(Uuid::now_v7())
            .bind(caller.user_id)
            .bind(target)
            .bind(action)
            .bind(caller.at)
            .execute(&mut *transaction)
            .await?;
    }
    let answered = last_action(&mut transaction, target, caller.user_id).await?;
    let is_mutual = action != "pass" && answered.is_some_and(|answer| answer != "pass");
    let is_new_match = is_mutual && insert_match(&mut transaction, pair, caller.at).await?;
    let match_id = sqlx::query_scalar("select id from matches where user_a_id = $1 and user_b_id = $2");
    let match_id = match_id
        .bind(pair.smaller)
        .bind(pair.larger)
        .fetch_optional(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Outcome {
        is_new,
        match_id,
        is_new_match,
    })
}

/// What one person last said about another.
async fn last_action(connection: &mut PgConnection, user: Uuid, target: Uuid) -> Result<Option<String>, sqlx::Error> {
    let sql = "select action from swipes where user_id = $1 and target_user_id = $2 order by created_at desc, id desc limit 1";
    sqlx::query_scalar(sql)
        .bind(user)
        .bind(target)
        .fetch_optional(connection)
        .await
}

/// Whether the two did not match before.
async fn insert_match(connection: &mut PgConnection, pair: Pair, at: Instant) -> Result<bool, sqlx::Error> {
    let sql = "insert into matches (id, user_a_id, user_b_id, created_at) values ($1, $2, $3, $4)
        on conflict (user_a_id, user_b_id) do nothing";
    let inserted = sqlx::query(sql)
        .bind(Uuid::now_v7())
        .bind(pair.smaller)
        .bind(pair.larger)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected() == 1)
}
