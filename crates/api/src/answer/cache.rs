//! Answers kept for a while, in this process: one computation for callers who ask for the same at a time, and all of
//! them forgotten when a run has published.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::Uri;
use moka::future::Cache;
use prometheus::{IntCounter, Registry};

use super::accept::Form;
use super::entity::{Entity, Found, Given};
use crate::metrics;
use crate::problem::Problem;

/// What the bodies of all kept answers may come to. A form of the largest window is about 300 KB; callers who vary their
/// parameters can fill the cache, never the memory.
const CAPACITY_BYTES: u64 = 64 * 1024 * 1024;

/// What a kept answer takes beside its body and its address, roughly.
const OVERHEAD_BYTES: usize = 512;

/// What an answer is kept under: the address as it was asked, and the form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    address: Box<str>,
    form: Form,
    /// How often the cache was emptied before: an answer whose computation began before a publication and ended after
    /// it is kept where nobody looks.
    generation: u64,
}

/// The cache. Clones share it.
#[derive(Debug, Clone)]
pub struct AnswerCache {
    entries: Cache<Key, Arc<Entity>>,
    generation: Arc<AtomicU64>,
    ttl: Duration,
    hits: IntCounter,
    misses: IntCounter,
}

impl AnswerCache {
    /// A cache whose answers are kept for `ttl`; not at all when that is zero.
    #[must_use]
    pub fn new(ttl: Duration) -> Self {
        let weight = |key: &Key, entity: &Arc<Entity>| {
            u32::try_from(key.address.len() + entity.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder()
            .max_capacity(if ttl.is_zero() { 0 } else { CAPACITY_BYTES })
            .weigher(weight)
            .time_to_live(ttl.max(Duration::from_millis(1)))
            .build();
        Self {
            entries,
            generation: Arc::default(),
            ttl,
            hits: metrics::counter(
                "kindred_cache_hits_total",
                "Answers that were kept, or being computed for another caller.",
            ),
            misses: metrics::counter(
                "kindred_cache_misses_total",
                "Answers that were computed for their caller.",
            ),
        }
    }

    /// Forgets every answer, and says how many there were.
    pub async fn clear(&self) -> u64 {
        self.entries.run_pending_tasks().await;
        let cleared = self.entries.entry_count();
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.entries.invalidate_all();
        self.entries.run_pending_tasks().await;
        cleared
    }

    /// Forgets, every `period`, the answers whose time is over. Runs for as long as it is polled.
    pub async fn sweep_every(&self, period: Duration) {
        loop {
            tokio::time::sleep(period).await;
            self.entries.run_pending_tasks().await;
        }
    }

    /// How many answers are kept, about.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Whether none is kept, about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Registers how often answers were kept, and how many are.
    pub(crate) fn tell(&self, registry: &Registry) {
        let entries = metrics::gauge("kindred_cache_entries", "Answers that are kept, about.");
        entries.set(i64::try_from(self.len()).unwrap_or(i64::MAX));
        metrics::register(registry, self.hits.clone());
        metrics::register(registry, self.misses.clone());
        metrics::register(registry, entries);
    }

    fn key(&self, uri: &Uri, form: Form) -> Key {
        Key {
            address: uri.path_and_query().map_or("", |address| address.as_str()).into(),
            form,
            generation: self.generation.load(Ordering::SeqCst),
        }
    }

    /// The answer that is kept for this address and form.
    pub(super) async fn kept(&self, uri: &Uri, form: Form) -> Option<Given> {
        let entity = self.entries.get(&self.key(uri, form)).await?;
        self.hits.inc();
        Some(Given::new(entity, Found::Hit, self.ttl))
    }

    /// The answer that `make` makes, to be kept. Whoever asks for the same meanwhile waits for it; what went wrong is told
    /// to all of them and not kept.
    pub(super) async fn answer(
        &self,
        uri: &Uri,
        form: Form,
        make: impl Future<Output = Result<Entity, Problem>>,
    ) -> Result<Given, Problem> {
        let key = self.key(uri, form);
        let mut found = Found::Hit;
        let made = async {
            found = Found::Miss;
            make.await.map(Arc::new)
        };
        match self.entries.try_get_with(key, made).await {
            Ok(entity) => {
                match found {
                    Found::Hit => self.hits.inc(),
                    Found::Miss => self.misses.inc(),
                }
                Ok(Given::new(entity, found, self.ttl))
            }
            Err(problem) => Err(Problem::clone(&problem)),
        }
    }
}
