//! Which form of an answer a caller accepts.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use headers_accept::Accept;
use headers_core::Header;
use mediatype::names::{APPLICATION, CSV, JSON, TEXT};
use mediatype::{MediaType, Name};

use crate::problem::ApiError;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The whole document.
    Json,
    /// The main table, a header line first.
    Csv,
    /// The main table as an Arrow IPC stream.
    Arrow,
}

const ARROW_STREAM: Name<'static> = Name::new_unchecked("vnd.apache.arrow.stream");

/// The forms, the one that is given to who accepts any first.
static FORMS: [(MediaType<'static>, Form); 3] = [
    (MediaType::new(APPLICATION, JSON), Form::Json),
    (MediaType::new(TEXT, CSV), Form::Csv),
    (MediaType::new(APPLICATION, ARROW_STREAM), Form::Arrow),
];

impl Form {
    /// The form that the `Accept` header prefers; JSON without one.
    ///
    /// # Errors
    /// 400 when the header cannot be read, 406 when it accepts no form that there is.
    pub(crate) fn accepted_by(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut values = headers.get_all(header::ACCEPT).iter().peekable();
        if values.peek().is_none_or(|value| value.is_empty() || *value == "*/*") {
            return Ok(Self::Json);
        }
        let accept = Accept::decode(&mut values).map_err(|_| {
            ApiError::BadRequest("the Accept header cannot be read: it is a list of media types".to_owned())
        })?;
        let media_types = FORMS.each_ref().map(|(media_type, _)| media_type);
        let chosen = accept.negotiate(media_types);
        let form = chosen.and_then(|chosen| FORMS.iter().find(|(media_type, _)| media_type == chosen));
        form.map(|(_, form)| *form)
            .ok_or(ApiError::Refused(StatusCode::NOT_ACCEPTABLE))
    }

    /// The `Content-Type` of an answer in this form.
    pub(crate) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        })
    }
}
