//! Query parameters and bodies: typed, with unknown fields refused, and their mistakes told in the words of the field.

use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};

use crate::problem::ApiError;

/// The query of a request, as `T`; a mistake in it is a 400 that names it.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let detail = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                Err(ApiError::BadRequest(detail.to_owned()))
            }
        }
    }
}

/// The body of a request, JSON, as `T`; a mistake in it is a 400 that names it.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let mistake = |text: String, known: &str| {
            let detail = text.strip_prefix(known).unwrap_or(&text);
            ApiError::BadRequest(detail.to_owned())
        };
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::JsonDataError(error)) => Err(mistake(
                error.body_text(),
                "Failed to deserialize the JSON body into the target type: ",
            )),
            Err(JsonRejection::JsonSyntaxError(error)) => {
                Err(mistake(error.body_text(), "Failed to parse the request body as JSON: "))
            }
            Err(rejection) => Err(ApiError::Refused(rejection.status())),
        }
    }
}

/// Reads a word by its `FromStr`, so that the mistake is told as the word's own type tells it.
pub(crate) fn word<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(deserializer)?
        .parse()
        .map(Some)
        .map_err(D::Error::custom)
}

/// Reads a date, written `YYYY-MM-DD` and no other way.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d")
        .ok()
        .filter(|date| date.to_string() == text && text.len() == 10);
    match date {
        Some(date) => Ok(Some(date)),
        None => {
            let given: String = text.chars().take(40).collect();
            Err(D::Error::custom(format_args!(
                "`{given}` is no date; write it as 2024-11-17"
            )))
        }
    }
}
