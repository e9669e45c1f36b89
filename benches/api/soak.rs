//! Memory under continuous load: every endpoint, in every form, with parameters that hardly ever repeat, and mistakes
//! among them. The cache fills within the warm-up; from then on nothing may grow.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use kindred_benches::megabytes;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::CACHE_TTL;
use crate::http::{Connection, get, get_as};
use crate::load::CONNECTIONS;
use crate::server::{Cores, Server};
use crate::uncached::answers;

/// After this the cache is full.
const WARM_UP: Duration = Duration::from_secs(30);

/// How often the memory is looked at after it.
const PARTS: u32 = 10;

/// What leaks grows on: the halves are compared. What an allocator keeps in pieces levels off.
const GROWTH_AT_MOST: f64 = 1.05;

const FORMS: [&str; 3] = ["application/json", "text/csv", "application/vnd.apache.arrow.stream"];

/// Windows of time, a number in their place.
const WINDOWS: [&str; 4] = ["timeframe={}d", "timeframe={}h", "timeframe={}w", "timeframe={}q"];

/// Loads a server for so long after the warm-up.
pub(crate) async fn soak(cores: &Cores, warehouse: &str, length: Duration) -> anyhow::Result<()> {
    let server = Server::start(cores, warehouse, CACHE_TTL).await?;
    let mut connection = Connection::open(server.address).await?;
    let document: Value = serde_json::from_slice(connection.ask(&get("/openapi.json")).await?.body)?;
    let answers = answers(&document)?;
    let end = Instant::now() + WARM_UP + length;
    let mut callers = JoinSet::new();
    for caller in 0..CONNECTIONS {
        callers.spawn(vary(server.address, answers.clone(), caller, end));
    }
    tokio::time::sleep(WARM_UP).await;
    let warm = server.memory()?;
    println!(
        "after the warm-up of {} s: {:.1} MB",
        WARM_UP.as_secs(),
        megabytes(warm)
    );
    let mut sizes = vec![warm];
    for part in 1..=PARTS {
        tokio::time::sleep(length / PARTS).await;
        sizes.push(server.memory()?);
        println!(
            "after {} s: {:.1} MB",
            (length * part / PARTS).as_secs(),
            megabytes(sizes[part as usize])
        );
    }
    let mut asked = 0;
    while let Some(called) = callers.join_next().await {
        asked += called??;
    }
    let (first_half, second_half) = sizes.split_at(sizes.len() / 2);
    let largest = |sizes: &[u64]| megabytes(sizes.iter().copied().max().unwrap_or_default());
    let growth = largest(second_half) / largest(first_half);
    println!(
        "{asked} requests: the second half's largest size is {growth:.2} times the first half's (at most \
         {GROWTH_AT_MOST})"
    );
    ensure!(growth <= GROWTH_AT_MOST, "memory grew to {growth:.2} times its size");
    Ok(())
}

/// Asks until the end, and says how often.
async fn vary(address: SocketAddr, answers: Vec<String>, caller: u32, end: Instant) -> anyhow::Result<u64> {
    let mut connection = Connection::open(address).await?;
    let mut asked = 0;
    // Every caller walks through the same requests, from another place.
    let mut step = caller as usize * 7919;
    while Instant::now() < end {
        let answer = &answers[step % answers.len()];
        let joined = if answer.contains('?') { '&' } else { '?' };
        let window = WINDOWS[step / 3 % WINDOWS.len()].replace("{}", &(1 + step % 1999).to_string());
        let request = match step % 13 {
            0 => get(answer),
            _ => get_as(&format!("{answer}{joined}{window}"), FORMS[step / 7 % FORMS.len()]),
        };
        let status = connection.ask(&request).await?.status;
        ensure!(
            status == 200 || status == 400,
            "an answer of status {status} to {answer}{joined}{window}"
        );
        step += 1;
        asked += 1;
    }
    Ok(asked)
}
