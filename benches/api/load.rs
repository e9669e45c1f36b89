//! Many who ask at once, on kept connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::task::{JoinSet, yield_now};

use crate::http::Connection;

/// How many ask at once.
pub(crate) const CONNECTIONS: u32 = 16;

/// How fast they ask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Each as soon as it was answered.
    Full,
    /// So many requests a second, evenly, as long as the answers keep up.
    PerSecond(f64),
}

/// What came of it.
pub(crate) struct Load {
    /// Answers a second.
    pub(crate) rate: f64,
    /// How long each answer took, the shortest first.
    pub(crate) latencies: Vec<Duration>,
}

/// Asks for the same thing for so long. Every answer must be 200.
pub(crate) async fn load(address: SocketAddr, request: &[u8], pace: Pace, length: Duration) -> anyhow::Result<Load> {
    let request: Arc<[u8]> = request.into();
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CONNECTIONS {
        let request = Arc::clone(&request);
        let schedule = match pace {
            Pace::Full => None,
            Pace::PerSecond(rate) => {
                let gap = Duration::from_secs_f64(f64::from(CONNECTIONS) / rate);
                Some((began + gap.mul_f64(f64::from(caller) / f64::from(CONNECTIONS)), gap))
            }
        };
        callers.spawn(async move { call(address, &request, schedule, began + length).await });
    }
    let mut latencies = Vec::new();
    while let Some(called) = callers.join_next().await {
        latencies.append(&mut called??);
    }
    let took = began.elapsed();
    latencies.sort_unstable();
    #[allow(clippy::cast_precision_loss, reason = "far below what a float holds")]
    let rate = latencies.len() as f64 / took.as_secs_f64();
    Ok(Load { rate, latencies })
}

async fn call(
    address: SocketAddr,
    request: &[u8],
    mut schedule: Option<(Instant, Duration)>,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::with_capacity(64 * 1024);
    loop {
        if let Some((due, gap)) = &mut schedule {
            // A timer is a thousandth of a second coarse. This thread has a core to itself: it may spin.
            while Instant::now() < *due {
                yield_now().await;
            }
            *due += *gap;
        }
        let asked = Instant::now();
        if asked >= end {
            return Ok(latencies);
        }
        let status = connection.ask(request).await?.status;
        ensure!(status == 200, "an answer of status {status}");
        latencies.push(asked.elapsed());
    }
}
