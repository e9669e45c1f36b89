//! `POST /api/messages`: a message to somebody. It takes no match: the specification's walkthrough writes after one like.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kindred_model::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Playground;
use crate::body::Body;
use crate::events::{Event, Origin};
use crate::fields::Fields;
use crate::people::Pair;
use crate::refusal::Refusal;
use crate::sessions::Caller;

/// Characters of the longest message.
const LONGEST: usize = 5_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    recipient_id: Uuid,
    content: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    message_id: Uuid,
    conversation_id: Uuid,
    recipient_id: Uuid,
    created_at: Instant,
}

pub(crate) async fn send(
    State(playground): State<Playground>,
    caller: Caller,
    Body(asked): Body<Asked>,
) -> Result<(StatusCode, Json<Answer>), Refusal> {
    let mut fields = Fields::default();
    let content = fields.prose("content", &asked.content, 1..=LONGEST);
    fields.finish()?;
    let recipient = playground.other(&caller, asked.recipient_id).await?;
    let answer = Answer {
        message_id: Uuid::now_v7(),
        conversation_id: Pair::new(caller.user_id, recipient).conversation(),
        recipient_id: recipient,
        created_at: caller.at,
    };
    sqlx::query(
        "insert into messages (id, conversation_id, sender_id, recipient_id, kind, content, created_at)
        values ($1, $2, $3, $4, 'text', $5, $6)",
    )
    .bind(answer.message_id)
    .bind(answer.conversation_id)
    .bind(caller.user_id)
    .bind(recipient)
    .bind(content)
    .bind(answer.created_at)
    .execute(&playground.communications)
    .await?;
    let event = Event::MessageSend {
        conversation: answer.conversation_id,
    };
    playground.note(&Origin::from(&caller), caller.at, event).await;
    Ok((StatusCode::CREATED, Json(answer)))
}
