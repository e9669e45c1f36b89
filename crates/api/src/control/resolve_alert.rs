//! `POST /alerts/{id}/resolve`: a person says that an alert is settled.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use uuid::Uuid;

use super::alerts::AlertAnswer;
use crate::ApiState;
use crate::access::Caller;
use crate::problem::ApiError;

/// Who resolved it, where callers have no names.
const SOMEBODY: &str = "somebody on this machine";

/// Say that an alert is settled
///
/// Answers the alert as it stands then; one that was settled already stays as it was. When its check fails again, it is
/// raised anew.
#[utoipa::path(post, path = "/alerts/{id}/resolve", operation_id = "resolveAlert", tag = "Alerts",
    params(("id" = Uuid, Path, description = "The alert's id")), responses((status = 200, body = AlertAnswer)))]
pub(crate) async fn post(
    State(state): State<ApiState>,
    caller: Option<Extension<Caller>>,
    Path(id): Path<String>,
) -> Result<Json<AlertAnswer>, ApiError> {
    let by = caller.as_ref().map_or(SOMEBODY, |caller| caller.name());
    let resolved = match id.parse::<Uuid>() {
        Ok(id) => state.warehouse.resolve_alert(id, by, state.clock.now()).await?,
        Err(_) => None,
    };
    let found = resolved.ok_or_else(|| ApiError::NotFound("there is no alert of this id".to_owned()))?;
    Ok(Json(found.into()))
}
