//! Routes that demand a role.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use super::{Access, Caller, Role};
use crate::ApiState;
use crate::problem::{ApiError, Problem};

/// Routes for whoever has a role, or a higher one.
pub(crate) struct Guarded {
    guard: Guard,
    routes: OpenApiRouter<ApiState>,
}

impl Guarded {
    /// No routes yet.
    pub(crate) fn for_role(role: Role, access: &Arc<Access>) -> Self {
        let access = Arc::clone(access);
        Self {
            guard: Guard { role, access },
            routes: OpenApiRouter::new(),
        }
    }

    /// With a route more. A method that it does not take is still answered 405, to everyone.
    pub(crate) fn routes(self, route: UtoipaMethodRouter<ApiState>) -> Self {
        let guard = self.guard.clone();
        let guarded = |methods: MethodRouter<ApiState>| methods.route_layer(from_fn_with_state(guard, demand));
        Self {
            routes: self.routes.routes(route.map(guarded)),
            ..self
        }
    }

    /// Pages for the same, which are no part of the API's document. A browser is told to ask for the token.
    pub(crate) fn pages(self, pages: Router<ApiState>) -> Router<ApiState> {
        pages
            .route_layer(from_fn_with_state(self.guard, demand))
            .layer(map_response(ask_for_password))
    }
}

impl From<Guarded> for OpenApiRouter<ApiState> {
    fn from(group: Guarded) -> Self {
        group.routes
    }
}

#[derive(Clone)]
struct Guard {
    role: Role,
    access: Arc<Access>,
}

/// Lets a request pass that may.
async fn demand(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.refusal(&request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    }
}

impl Guard {
    /// What a request is told that may not pass.
    fn refusal(&self, request: &Request) -> Option<Response> {
        if !self.access.is_page_permitted(request) {
            return Some(ApiError::ForeignPage.into_response());
        }
        if self.access.is_open() {
            return None;
        }
        let Some(caller) = request.extensions().get::<Caller>() else {
            return Some(ApiError::Refused(StatusCode::UNAUTHORIZED).into_response());
        };
        if let Err(wait) = caller.count() {
            return Some(too_many(wait));
        }
        (caller.role() < self.role).then(|| ApiError::Forbidden(self.role).into_response())
    }
}

/// What makes a browser show its dialog for a name and a password: the token is the password.
async fn ask_for_password(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge =
            HeaderValue::from_static("Basic realm=\"kindred: the token is the password\", charset=\"UTF-8\"");
        response.headers_mut().append(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Told in whole seconds, after which there is one request at the least.
fn too_many(wait: Duration) -> Response {
    let mut response = Problem::of(StatusCode::TOO_MANY_REQUESTS).into_response();
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}
