//! What goes wrong, as RFC 9457 problem documents: one shape for every error of both servers.
//!
//! The text says what the caller did or may do; what happened inside is logged here, with its whole chain, once.

use std::error::Error;

use axum::Json;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kindred_warehouse::{ErrorKind, RequestError, WarehouseError};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Role;
use crate::answer::Unwritable;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// When to ask again, in seconds, while the warehouse is away.
pub(crate) const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

const FOREIGN_PAGE: &str = "a web page of another origin may not ask for this; FRONTEND_URL names the one that may";

/// The body of every error.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// What kind of problem: `about:blank`, which means that the status says it.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What went wrong with this request, for a person.
    detail: String,
    /// The run that stands in the way, for 409.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
}

impl Problem {
    /// The problem that a status by itself speaks of.
    pub(crate) fn of(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::UNAUTHORIZED => {
                "this takes a token that is known here: send `Authorization: Bearer` and the token"
            }
            StatusCode::NOT_FOUND => "there is nothing at this address",
            StatusCode::METHOD_NOT_ALLOWED => {
                "this address does not take this method; the Allow header lists those it takes"
            }
            StatusCode::NOT_ACCEPTABLE => {
                "the answer comes as application/json, text/csv or application/vnd.apache.arrow.stream; \
                 the Accept header takes none of them"
            }
            StatusCode::REQUEST_TIMEOUT => "the answer took too long; ask for less, or again later",
            StatusCode::PAYLOAD_TOO_LARGE => "the body is longer than 64 KiB",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "send the body as JSON, with the Content-Type application/json",
            StatusCode::TOO_MANY_REQUESTS => {
                "this token was used too often; the Retry-After header says when it may be again"
            }
            StatusCode::SERVICE_UNAVAILABLE => "the warehouse cannot be reached; try again soon",
            StatusCode::INTERNAL_SERVER_ERROR => {
                "something went wrong here; the log has it under this answer's X-Request-Id"
            }
            _ => "the request could not be answered",
        };
        Self::saying(status, detail.to_owned())
    }

    fn saying(status: StatusCode, detail: String) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            run_id: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        let header = match status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, RETRY_AFTER_SECONDS)),
            _ => None,
        };
        response.headers_mut().extend(header);
        response
    }
}

/// Why a handler has no answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 400: a parameter is unknown, malformed, or contradicts another.
    BadRequest(String),
    /// 403: the token's role is lower than this one.
    Forbidden(Role),
    /// 403: a web page asks for a change that is not the dashboard.
    ForeignPage,
    /// 404: the address names something that there is not.
    NotFound(String),
    /// 409: another run of the job is under way.
    RunUnderWay(Uuid),
    /// 409: this run does not let it happen.
    Conflict {
        /// Why.
        detail: String,
        /// The run.
        run_id: Uuid,
    },
    /// A request that could not be read, with the status that says why.
    Refused(StatusCode),
    /// 408: it took longer than the caller was to wait.
    TimedOut,
    /// 503 when the warehouse is away or not migrated, else 500.
    Warehouse(WarehouseError),
    /// 500: the figures are there and could not be written.
    Unwritable(Unwritable),
}

impl From<WarehouseError> for ApiError {
    fn from(error: WarehouseError) -> Self {
        Self::Warehouse(error)
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::AlreadyRunning { run_id, .. } => Self::RunUnderWay(run_id),
            RequestError::Warehouse(error) => Self::Warehouse(error),
        }
    }
}

impl From<ApiError> for Problem {
    /// What the caller is told; what happened inside is logged.
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::BadRequest(detail) => Self::saying(StatusCode::BAD_REQUEST, detail),
            ApiError::Forbidden(role) => {
                let detail = format!("this takes a token whose role is {role}, or a higher one");
                Self::saying(StatusCode::FORBIDDEN, detail)
            }
            ApiError::ForeignPage => Self::saying(StatusCode::FORBIDDEN, FOREIGN_PAGE.to_owned()),
            ApiError::NotFound(detail) => Self::saying(StatusCode::NOT_FOUND, detail),
            ApiError::RunUnderWay(run_id) => conflict("a run of this job is queued or running".to_owned(), run_id),
            ApiError::Conflict { detail, run_id } => conflict(detail, run_id),
            ApiError::Refused(status) => Self::of(status),
            ApiError::TimedOut => Self::of(StatusCode::REQUEST_TIMEOUT),
            ApiError::Warehouse(error) => {
                log(&error);
                Self::of(status_of(&error))
            }
            ApiError::Unwritable(error) => {
                log(&error);
                Self::of(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

fn conflict(detail: String, run_id: Uuid) -> Problem {
    Problem {
        run_id: Some(run_id),
        ..Problem::saying(StatusCode::CONFLICT, detail)
    }
}

/// What a failure of the warehouse means to a caller.
pub(crate) fn status_of(error: &WarehouseError) -> StatusCode {
    match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Credentials | ErrorKind::Schema | ErrorKind::Timeout => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorKind::Address | ErrorKind::Storage | ErrorKind::Query => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Logs an error with everything that caused it, in one line.
pub(crate) fn log(error: &dyn Error) {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    tracing::error!(error = %chain, "a request failed");
}

/// Gives the errors that did not come from a handler (no such route, a body too long, a timeout) the same shape.
pub(crate) async fn shape(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    if !is_error || content_type.ends_with(b"json") {
        return response;
    }
    let mut shaped = Problem::of(status).into_response();
    if let Some(allow) = response.headers().get(ALLOW) {
        shaped.headers_mut().insert(ALLOW, allow.clone());
    }
    shaped
}
