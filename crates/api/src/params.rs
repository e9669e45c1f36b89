//! Query parameters and bodies: typed, with unknown fields refused, and their mistakes told in the words of the field.

use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};

use crate::problem::ApiError;

/// The query of a request, as `T`; a mistake in it is a 400 that names it.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> Params<T> {
    /// The query of an address.
    pub(crate) fn of(uri: &Uri) -> Result<Self, ApiError> {
        match Query::<T>::try_from_uri(uri) {
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

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Self::of(&parts.uri)
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

/// Declares the parameters of an endpoint that answers over a window of time: those that say which, and its own.
///
/// They are one list, since unknown names are refused.
macro_rules! windowed_params {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields, default, rename_all = "camelCase")]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $name {
            /// How far back from the end of the current bucket: a number and one of h, d, w, m, q. Months and quarters are
            /// calendar ones, the current one included.
            #[serde(deserialize_with = "crate::params::word")]
            #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,3}(h|d|w|m|q)$", example = "30d")]
            timeframe: Option<kindred_model::Timeframe>,
            /// The same as `timeframe`: give one of them.
            #[serde(deserialize_with = "crate::params::word")]
            #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,3}(h|d|w|m|q)$")]
            range: Option<kindred_model::Timeframe>,
            /// The first day, in place of a timeframe. Comes with `to`.
            #[serde(deserialize_with = "crate::params::date")]
            from: Option<chrono::NaiveDate>,
            /// The day after the last.
            #[serde(deserialize_with = "crate::params::date")]
            to: Option<chrono::NaiveDate>,
            $($(#[$field_meta])* $field: $type,)*
        }

        impl $name {
            /// Which time is asked for; `default` when nothing is said.
            fn window(
                &self,
                default: kindred_model::Timeframe,
                now: kindred_model::Instant,
            ) -> Result<crate::window::Window, crate::problem::ApiError> {
                let params = crate::window::WindowParams {
                    range: self.range,
                    timeframe: self.timeframe,
                    from: self.from,
                    to: self.to,
                };
                params.window(default, now)
            }
        }
    };
}
pub(crate) use windowed_params;
