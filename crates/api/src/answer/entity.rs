//! An answer as bytes, with the tag by which a caller knows it again.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::error::ArrowError;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use kindred_model::Instant as Moment;

use super::Answer;
use super::accept::Form;
use crate::timestamp::Timestamp;

/// An answer in one form.
#[derive(Debug)]
pub(crate) struct Entity {
    body: Bytes,
    content_type: HeaderValue,
    /// Weak: the same figures made at another time are the same to a caller.
    tag: HeaderValue,
    made: Instant,
}

/// Why an answer could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritable {
    /// As JSON.
    #[error("an answer could not be written as JSON")]
    Json(#[from] serde_json::Error),
    /// As a table.
    #[error("an answer could not be written as a table")]
    Table(#[from] ArrowError),
}

impl Entity {
    /// Writes an answer.
    pub(crate) fn of(mut answer: impl Answer, form: Form) -> Result<Self, Unwritable> {
        // The tag is of everything but the moment at which the answer was made.
        let made_at = std::mem::replace(&mut answer.meta_mut().generated_at, Timestamp(Moment::UNIX_EPOCH));
        let mut digest = blake3::Hasher::new();
        serde_json::to_writer(&mut digest, &answer)?;
        answer.meta_mut().generated_at = made_at;
        let body = match form {
            Form::Json => serde_json::to_vec(&answer)?,
            Form::Csv => answer.table().csv()?,
            Form::Arrow => answer.table().arrow_stream()?,
        };
        Ok(Self {
            // Without the room that it was written with, which may be as much again and no cache would count.
            body: body.into_boxed_slice().into(),
            content_type: form.content_type(),
            tag: tag(&digest)?,
            made: Instant::now(),
        })
    }

    /// How long its body is, in bytes.
    pub(super) fn len(&self) -> usize {
        self.body.len()
    }
}

/// The first 16 bytes of the digest: as good as all of them to tell answers apart.
fn tag(digest: &blake3::Hasher) -> Result<HeaderValue, serde_json::Error> {
    let hex = digest.finalize().to_hex();
    HeaderValue::try_from(format!("W/\"{}\"", &hex[..32]))
        .map_err(|error| serde_json::Error::io(io::Error::other(error)))
}

/// Where an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// In the cache, or another caller had just asked for it.
    Hit,
    /// Nowhere: it was computed for this caller.
    Miss,
}

impl From<Found> for HeaderValue {
    fn from(found: Found) -> Self {
        Self::from_static(match found {
            Found::Hit => "HIT",
            Found::Miss => "MISS",
        })
    }
}

/// An answer on its way to a caller.
#[derive(Debug)]
pub(crate) struct Given {
    entity: Arc<Entity>,
    found: Found,
    ttl: Duration,
}

impl Given {
    pub(super) const fn new(entity: Arc<Entity>, found: Found, ttl: Duration) -> Self {
        Self { entity, found, ttl }
    }

    /// The response: without a body, 304, when one of the tags in `If-None-Match` is the answer's.
    pub(super) fn respond(&self, held: &HeaderMap) -> Response {
        let entity = &self.entity;
        let is_held = held
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .any(|tags| names(tags, &entity.tag));
        let left = self.ttl.saturating_sub(entity.made.elapsed()).as_secs();
        let mut response = match is_held {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Body::from(entity.body.clone()).into_response(),
        };
        let headers = response.headers_mut();
        if !is_held {
            headers.insert(header::CONTENT_TYPE, entity.content_type.clone());
        }
        headers.insert(header::ETAG, entity.tag.clone());
        headers.insert(header::CACHE_CONTROL, cache_control(left));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert("x-cache", self.found.into());
        response
    }
}

/// The caller may keep the answer for as long as this cache will, and nobody between us.
fn cache_control(seconds: u64) -> HeaderValue {
    HeaderValue::try_from(format!("private, max-age={seconds}"))
        .unwrap_or(HeaderValue::from_static("private, max-age=0"))
}

/// Whether a list of tags, as `If-None-Match` gives it, names the tag; weak and strong ones are compared alike.
fn names(tags: &HeaderValue, tag: &HeaderValue) -> bool {
    let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").map_or_else(|| tag.to_vec(), <[u8]>::to_vec);
    let wanted = opaque(tag.as_bytes());
    let mut listed = tags.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    listed.any(|listed| listed == b"*" || opaque(listed) == wanted)
}
