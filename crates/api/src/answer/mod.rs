//! How every KPI endpoint answers: in the form that the caller accepts, from the cache when it holds the answer, and
//! with no body at all when the caller holds it already.
//!
//! An endpoint gives its parameters and one function that computes an [`Answer`]; everything else is here.

mod accept;
mod cache;
mod entity;
mod table;

use std::future::Future;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use kindred_model::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ApiState;
use crate::meta::Meta;
use crate::params::Params;
use crate::problem::{ApiError, Problem};

use accept::Form;
pub use cache::AnswerCache;
use entity::Entity;
pub(crate) use entity::Unwritable;
pub(crate) use table::Table;

/// What an endpoint answers: a document that carries its `meta`, and at its heart a table.
pub(crate) trait Answer: Serialize {
    /// What the answer says about itself.
    fn meta_mut(&mut self) -> &mut Meta;

    /// The main table, for callers who ask for rows and not for a document.
    fn table(&self) -> Table;
}

/// A request for figures: what it asks, in which form, and which answer the caller holds already.
#[derive(Debug)]
pub(crate) struct Asked<P> {
    uri: Uri,
    form: Form,
    held: HeaderMap,
    params: PhantomData<P>,
}

impl<P, S: Send + Sync> FromRequestParts<S> for Asked<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let held = parts.headers.get_all(header::IF_NONE_MATCH).into_iter();
        Ok(Self {
            uri: parts.uri.clone(),
            form: Form::accepted_by(&parts.headers)?,
            held: held.map(|tags| (header::IF_NONE_MATCH, tags.clone())).collect(),
            params: PhantomData,
        })
    }
}

impl<P: DeserializeOwned> Asked<P> {
    /// Answers from the cache, or by computing: once, however many callers ask for the same at a time.
    pub(crate) async fn answered<A, F>(self, state: &ApiState, compute: impl FnOnce(P, Instant) -> F) -> Response
    where
        A: Answer,
        F: Future<Output = Result<A, ApiError>>,
    {
        // Whatever is kept was asked for rightly, so that the parameters are read when it is not.
        if let Some(given) = state.cache.kept(&self.uri, self.form).await {
            return given.respond(&self.held);
        }
        // Apart, so that an answer that is kept does not carry about what it takes to compute one.
        Box::pin(self.computed(state, compute)).await
    }

    async fn computed<A, F>(self, state: &ApiState, compute: impl FnOnce(P, Instant) -> F) -> Response
    where
        A: Answer,
        F: Future<Output = Result<A, ApiError>>,
    {
        let make = async {
            let Params(params) = Params::of(&self.uri)?;
            let answer = compute(params, state.clock.now()).await?;
            Entity::of(answer, self.form).map_err(ApiError::Unwritable)
        };
        let make = async { make.await.map_err(Problem::from) };
        match state.cache.answer(&self.uri, self.form, make).await {
            Ok(given) => given.respond(&self.held),
            Err(problem) => problem.into_response(),
        }
    }
}
