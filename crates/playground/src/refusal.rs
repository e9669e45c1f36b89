//! Why a call was not carried out, as an RFC 9457 problem document. What happened inside is logged here, once, and not
//! told to the caller.

use std::error::Error;

use axum::Json;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// When to ask again, in seconds, while a database is away.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A field of the body that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    /// The field's name; one in another is written `location.country`.
    pub(crate) field: &'static str,
    /// What is wrong with it.
    pub(crate) problem: String,
}

/// A call that was not carried out.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    detail: String,
    errors: Vec<Mistake>,
}

/// The body of every refusal.
#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// Every field that is wrong, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Mistake>,
}

impl Refusal {
    /// With a status, and a word to the caller.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// 400: fields of the body cannot be taken.
    pub(crate) fn fields(errors: Vec<Mistake>) -> Self {
        let told: Vec<_> = errors
            .iter()
            .map(|mistake| format!("{} {}", mistake.field, mistake.problem))
            .collect();
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, told.join("; "))
        }
    }

    /// 500: something of our own went wrong.
    pub(crate) fn broken(error: &dyn Error) -> Self {
        tracing::error!(error = chain(error), "a call failed");
        Self::of(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What a status by itself says.
    fn of(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::NOT_FOUND => "there is nothing at this address",
            StatusCode::METHOD_NOT_ALLOWED => {
                "this address does not take this method; the Allow header lists those it takes"
            }
            StatusCode::REQUEST_TIMEOUT => "the call took too long",
            StatusCode::PAYLOAD_TOO_LARGE => "the body is longer than 64 KiB",
            StatusCode::SERVICE_UNAVAILABLE => "a database of the platform cannot be reached; try again soon",
            StatusCode::INTERNAL_SERVER_ERROR => "something went wrong here; the log says what",
            _ => "the call could not be carried out",
        };
        Self::new(status, detail)
    }
}

/// A database that is away is 503, anything else that it says is a fault of ours.
impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        let is_away = matches!(
            error,
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_)
        ) || error.as_database_error().is_some_and(shuts_down);
        if is_away {
            tracing::warn!(error = chain(&error), "a database cannot be reached");
            return Self::of(StatusCode::SERVICE_UNAVAILABLE);
        }
        Self::broken(&error)
    }
}

/// Whether the server says that it is not there for now: it stops, starts, or takes no more connections.
fn shuts_down(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    code.starts_with("57P") || code == "53300"
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status;
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        match status {
            StatusCode::UNAUTHORIZED => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => drop(headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS)),
            _ => {}
        }
        response
    }
}

/// Gives what did not come from a handler (no such address, a body too long, a timeout) the same shape.
pub(crate) async fn shape(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(CONTENT_TYPE) == Some(&PROBLEM_JSON) {
        return response;
    }
    let mut shaped = Refusal::of(status).into_response();
    if let Some(allow) = response.headers().get(ALLOW) {
        shaped.headers_mut().insert(ALLOW, allow.clone());
    }
    shaped
}

/// An error with everything that caused it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    chain
}
