//! Whether the sources answer, for the control API's health: that crate must not see them.

use std::pin::Pin;
use std::sync::Arc;

use kindred_api::Reach;
use kindred_jobs::{Platform, describe};
use kindred_model::Source;

/// A look at a source of the platform: it is signed in to, and asked for next to nothing. One that counts how often it is
/// asked is not looked at.
pub(crate) fn probe(platform: Arc<Platform>) -> impl Fn(Source) -> Pin<Box<dyn Future<Output = Reach> + Send>> {
    move |source| Box::pin(look(Arc::clone(&platform), source))
}

async fn look(platform: Arc<Platform>, source: Source) -> Reach {
    let checked = match (source, platform.sources.get(&source), &platform.events) {
        (Source::Events, _, Some(events)) if events.is_metered() => return Reach::Unasked,
        (Source::Events, _, Some(events)) => events.check(platform.clock.now()).await,
        (_, Some(database), _) => database.check(&[]).await,
        _ => return Reach::Unasked,
    };
    match checked {
        Ok(()) => Reach::Answers,
        Err(mistakes) => {
            for mistake in mistakes {
                tracing::warn!(%source, error = describe(&mistake), "the source does not answer");
            }
            Reach::Silent
        }
    }
}
