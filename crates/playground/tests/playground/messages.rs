//! `POST /api/messages`.

use serde_json::json;
use uuid::Uuid;

use crate::town::{Town, refused};

const MESSAGES: &str = "/api/messages";

#[tokio::test]
async fn a_message_is_written_into_the_conversation_of_its_two_people() {
    let town = Town::found().await;
    let (ann, bob, eve) = (
        town.settle("ann").await,
        town.settle("bob").await,
        town.settle("eve").await,
    );
    let hello = json!({ "recipientId": bob.id, "content": "Hello! Nice to meet you." });
    let (status, first) = town.post_as(&ann, MESSAGES, hello).await;
    assert_eq!(
        (status, &first["createdAt"]),
        (201, &json!("2026-03-10T12:00:00Z")),
        "{first}"
    );
    let rows = town
        .rows("select id, conversation_id, sender_id, recipient_id, kind, content from messages")
        .await;
    let (id, conversation) = (
        first["messageId"].as_str().unwrap(),
        first["conversationId"].as_str().unwrap(),
    );
    assert_eq!(
        rows,
        [format!(
            "{id}|{conversation}|{}|{}|text|Hello! Nice to meet you.",
            ann.id, bob.id
        )]
    );
    let (_, answer) = town
        .post_as(&bob, MESSAGES, json!({ "recipientId": ann.id, "content": "Hi" }))
        .await;
    assert_eq!(answer["conversationId"], conversation, "the same from either side");
    let (_, other) = town
        .post_as(&ann, MESSAGES, json!({ "recipientId": eve.id, "content": "Hi" }))
        .await;
    assert_ne!(other["conversationId"], conversation);
    assert_eq!(town.count("messages").await, 3);
}

#[tokio::test]
async fn a_message_has_words_and_goes_to_somebody_else() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    for (recipient, content, status, word) in [
        (ann.id, "Hello".to_owned(), 400, "somebody else"),
        (Uuid::new_v4(), "Hello".to_owned(), 404, "nobody"),
        (bob.id, String::new(), 400, "content must have 1 to 5000"),
        (bob.id, " \n ".to_owned(), 400, "content must have 1 to 5000"),
        (bob.id, "x".repeat(5_001), 400, "content must have 1 to 5000"),
        (bob.id, "nul \u{0}".to_owned(), 400, "control characters"),
    ] {
        let body = json!({ "recipientId": recipient, "content": content });
        refused(&town.post_as(&ann, MESSAGES, body).await, status, &[word]);
    }
    let longest = json!({ "recipientId": bob.id, "content": "😀".repeat(5_000) });
    assert_eq!(town.post_as(&ann, MESSAGES, longest).await.0, 201);
    assert_eq!(town.count("messages").await, 1);
}
