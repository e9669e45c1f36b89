//! `POST /erasure`: asks for the erasure of a person. A worker elsewhere carries it out; how far it has come is told by
//! `GET /erasure/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::erasure::ErasureAnswer;
use crate::ApiState;
use crate::params::{Body, word};
use crate::problem::ApiError;

/// The body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct EraseBody {
    /// The person's id in the sources: a uuid, or whatever they use. It is kept nowhere.
    #[serde(default, deserialize_with = "word")]
    #[schema(value_type = String, required = true, pattern = r"\S")]
    user_id: Option<String>,
}

/// Erase a person from warehouse and lake
///
/// From now on nothing of the person is taken in. Answers 202; what is there is removed as soon as no run is under way.
#[utoipa::path(post, path = "/erasure", operation_id = "erase", tag = "Privacy", request_body = EraseBody,
    responses((status = 202, body = ErasureAnswer,
        headers(("Location" = String, description = "Where the erasure is told of")))))]
pub(crate) async fn post(
    State(state): State<ApiState>,
    Body(body): Body<EraseBody>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<ErasureAnswer>), ApiError> {
    let user_id = body.user_id.filter(|id| !id.trim().is_empty());
    let user_id = user_id.ok_or_else(|| ApiError::BadRequest("`userId` is needed".to_owned()))?;
    let Some(keys) = &state.user_keys else {
        return Err(ApiError::Refused(StatusCode::SERVICE_UNAVAILABLE));
    };
    let user_key = keys.of(user_id.trim());
    let erasure = state.warehouse.request_erasure(user_key, state.clock.now()).await?;
    let location = [(LOCATION, format!("/erasure/{user_key}"))];
    Ok((StatusCode::ACCEPTED, location, Json(erasure.into())))
}
