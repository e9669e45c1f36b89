//! Whether the sources answer, for the control API's health: that crate must not see them.

use std::pin::Pin;
use std::sync::Arc;

use kindred_api::Reach;
use kindred_jobs::{Platform, describe};
use kindred_model::Source;

/// A look at a source of the platform: it is signed in to, and asked for nothing.
pub(crate) fn probe(platform: Arc<Platform>) -> impl Fn(Source) -> Pin<Box<dyn Future<Output = Reach> + Send>> {
    move |source| Box::pin(look(Arc::clone(&platform), source))
}

async fn look(platform: Arc<Platform>, source: Source) -> Reach {
    let Some(database) = platform.sources.get(&source) else {
        return Reach::Unset;
    };
    match database.check(&[]).await {
        Ok(()) => Reach::Answers,
        Err(mistakes) => {
            for mistake in mistakes {
                tracing::warn!(%source, error = describe(&mistake), "the source does not answer");
            }
            Reach::Silent
        }
    }
}
