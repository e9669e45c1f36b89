//! Keeps the cache true: whatever a run publishes, in whichever process, empties it.

use std::time::Duration;

use kindred_warehouse::Warehouse;
use kindred_warehouse::read::publications::Publications;

use crate::answer::AnswerCache;
use crate::problem::log;

/// How long to leave a warehouse alone that does not let us listen.
const PAUSE: Duration = Duration::from_secs(1);

/// Empties the cache at every publication, and whenever publications may have been missed. Runs for as long as it is
/// polled.
pub async fn forget_what_is_published_anew(warehouse: &Warehouse, cache: &AnswerCache) {
    loop {
        if let Ok(mut publications) = warehouse.publications().await {
            // Nobody listened until now.
            cache.clear().await;
            follow(&mut publications, cache).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow(publications: &mut Publications, cache: &AnswerCache) {
    loop {
        match publications.next().await {
            Ok(_) => drop(cache.clear().await),
            Err(error) => return log(&error),
        }
    }
}
