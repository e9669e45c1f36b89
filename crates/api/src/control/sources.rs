//! Whether the sources answer. The binary hands in a way to look: this crate knows no source.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use kindred_model::Source;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a source may take to answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long an answer holds, so that whoever polls health does not poll the sources.
const FRESH: Duration = Duration::from_secs(5);

/// What a look at a source has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It answers.
    Answers,
    /// It does not, or does not let us in.
    Silent,
    /// It was not asked: no address of it is set, or being asked costs it too much.
    Unasked,
}

/// Looks whether a source answers. What went wrong is for its log: answers are open to all.
pub trait SourceProbe: Fn(Source) -> Pin<Box<dyn Future<Output = Reach> + Send>> + Send + Sync + 'static {}

impl<F> SourceProbe for F where F: Fn(Source) -> Pin<Box<dyn Future<Output = Reach> + Send>> + Send + Sync + 'static {}

/// The sources, as they were seen last.
#[derive(Default)]
pub(crate) struct Sources {
    probe: Option<Box<dyn SourceProbe>>,
    seen: Mutex<Option<(Instant, BTreeMap<Source, Seen>)>>,
}

/// How a source was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// What was found.
    pub(crate) reach: Reach,
    /// How long it took.
    pub(crate) latency: Duration,
}

impl Sources {
    pub(crate) fn looked_at_by(probe: impl SourceProbe) -> Self {
        Self {
            probe: Some(Box::new(probe)),
            seen: Mutex::default(),
        }
    }

    /// Every source as it is now, or was a few seconds ago. Empty without a way to look.
    pub(crate) async fn look(&self) -> BTreeMap<Source, Seen> {
        let Some(probe) = &self.probe else {
            return BTreeMap::new();
        };
        // Held while looking: who asks meanwhile gets the same answer.
        let mut seen = self.seen.lock().await;
        if let Some((at, sources)) = &*seen
            && at.elapsed() < FRESH
        {
            return sources.clone();
        }
        let mut looks = JoinSet::new();
        for source in Source::ALL {
            let look = probe(*source);
            looks.spawn(async move {
                let began = Instant::now();
                let reach = timeout(PATIENCE, look).await.unwrap_or(Reach::Silent);
                let latency = began.elapsed();
                (*source, Seen { reach, latency })
            });
        }
        let mut sources = BTreeMap::new();
        while let Some(looked) = looks.join_next().await {
            // One that panicked is not among them: nothing is known of its source.
            sources.extend(looked.ok());
        }
        *seen = Some((Instant::now(), sources.clone()));
        sources
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
