//! A cached answer against the static `/health` of the same process: floor, product, floor, at full load; then both at
//! half of the product's rate, where waiting in line no longer hides how long an answer takes.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::http::{Connection, get};
use crate::load::{Load, Pace, load};
use crate::percentile;
use crate::server::Server;

const FLOOR: &str = "/health";

/// How long each load lasts.
const LENGTH: Duration = Duration::from_secs(3);

/// Rounds that count, and rounds that are tried for them.
const ROUNDS: usize = 3;
const TRIES: usize = 15;

/// Rounds at half load.
const HALF_LOAD_ROUNDS: usize = 5;

/// Two floors of a round that are further apart than this were not measured on the same machine, so to speak.
const APART_AT_MOST: f64 = 0.1;

/// What a cached answer came to.
#[derive(Debug)]
pub(crate) struct Cached {
    pub(crate) answer: &'static str,
    pub(crate) bytes: usize,
    /// Answers a second at full load, in the round whose ratio is the median.
    pub(crate) rate: f64,
    /// The floor's, in that round.
    pub(crate) floor_rate: f64,
    pub(crate) ratio: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Of the product's load at full rate, how much the server computed: near 1 it was the server that could no more.
    pub(crate) server_busy: f64,
    /// At half of the product's rate.
    pub(crate) half_load_p99_ms: f64,
    pub(crate) half_load_floor_p99_ms: f64,
}

/// Measures one answer.
pub(crate) async fn measure(server: &Server, answer: &'static str) -> anyhow::Result<Cached> {
    let bytes = warm(server, answer).await?;
    let (floor, product) = (get(FLOOR), get(answer));
    let mut rounds = Vec::new();
    for _ in 0..TRIES {
        if let Some(round) = round(server, &floor, &product).await? {
            rounds.push(round);
        }
        if rounds.len() == ROUNDS {
            break;
        }
    }
    if rounds.len() < ROUNDS {
        bail!("{TRIES} rounds gave fewer than {ROUNDS} whose floors agree: the machine is not quiet enough");
    }
    rounds.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
    let median = &rounds[ROUNDS / 2];
    let (half_load_p99_ms, half_load_floor_p99_ms) =
        at_half_load(server, &floor, &product, median.product.rate).await?;
    Ok(Cached {
        answer,
        bytes,
        rate: median.product.rate,
        floor_rate: median.floor_rate,
        ratio: median.ratio(),
        p50_ms: percentile(&median.product.latencies, 50),
        p99_ms: percentile(&median.product.latencies, 99),
        server_busy: median.server_busy,
        half_load_p99_ms,
        half_load_floor_p99_ms,
    })
}

/// The 99th percentiles of product and floor at half of the product's rate, in the round of the median ratio. Whoever else
/// is on the machine shows here first, so that there are more rounds, and each floor stands beside two products.
async fn at_half_load(server: &Server, floor: &[u8], product: &[u8], rate: f64) -> anyhow::Result<(f64, f64)> {
    let pace = Pace::PerSecond(rate / 2.0);
    let p99 = async |request: &[u8]| {
        let load = load(server.address, request, pace, LENGTH).await?;
        anyhow::Ok(percentile(&load.latencies, 99))
    };
    let mut before = p99(floor).await?;
    let mut rounds = Vec::new();
    for _ in 0..HALF_LOAD_ROUNDS {
        let (product, after) = (p99(product).await?, p99(floor).await?);
        rounds.push((product, f64::midpoint(before, after)));
        before = after;
    }
    rounds.sort_by(|(one, floor), (other, of)| (one / floor).total_cmp(&(other / of)));
    Ok(rounds[HALF_LOAD_ROUNDS / 2])
}

/// Has the answer kept, and says how long it is.
async fn warm(server: &Server, answer: &str) -> anyhow::Result<usize> {
    let mut connection = Connection::open(server.address).await?;
    connection.ask(&get(answer)).await?;
    let again = connection.ask(&get(answer)).await?;
    ensure!(
        again.status == 200 && again.header("x-cache") == Some("HIT"),
        "{answer} is not answered from the cache: status {}",
        again.status
    );
    Ok(again.body.len())
}

struct Round {
    floor_rate: f64,
    product: Load,
    server_busy: f64,
}

impl Round {
    fn ratio(&self) -> f64 {
        self.product.rate / self.floor_rate
    }
}

/// Floor, product, floor; none when the floors are too far apart.
async fn round(server: &Server, floor: &[u8], product: &[u8]) -> anyhow::Result<Option<Round>> {
    let before = load(server.address, floor, Pace::Full, LENGTH).await?.rate;
    let (began, computed) = (Instant::now(), server.computed()?);
    let product = load(server.address, product, Pace::Full, LENGTH).await?;
    let computed = server.computed()? - computed;
    let server_busy = computed.as_secs_f64() / began.elapsed().as_secs_f64();
    let after = load(server.address, floor, Pace::Full, LENGTH).await?.rate;
    let is_good = (before - after).abs() <= APART_AT_MOST * before.max(after);
    println!(
        "floor {before:.0}/s, product {:.0}/s, floor {after:.0}/s{}",
        product.rate,
        if is_good { "" } else { ": thrown away" }
    );
    Ok(is_good.then_some(Round {
        floor_rate: f64::midpoint(before, after),
        product,
        server_busy,
    }))
}
