//! How long a newcomer waits for the first figures once `make demo` has built everything.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, bail, ensure};
use kindred_benches::figures::{Figure, Limit};

use crate::process;

const USERS: &str = "5000";
const DAYS: &str = "90";
const SECONDS_AT_MOST: f64 = 60.0;

/// Long enough to tell by how much the limit is missed.
const PATIENCE: Duration = Duration::from_secs(300);

/// From the start of `kindred demo` until `/kpis/overview` answers figures.
pub(crate) fn measure() -> anyhow::Result<Figure> {
    let (binary, profile) = binary()?;
    // Not below the target folder: the server's user must be able to enter it.
    let home = tempfile::Builder::new().prefix("kindred-growth-").tempdir()?;
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))?;
    let (api, etl) = (free_port()?, free_port()?);
    let mut command = process::command(&binary, home.path());
    command
        .args(["demo", "--users", USERS, "--days", DAYS])
        .env("API_PORT", api.to_string())
        .env("ETL_PORT", etl.to_string());
    let began = Instant::now();
    let mut demo = command.spawn().context("the demo cannot be started")?;
    let answered = answered(&mut demo, (Ipv4Addr::LOCALHOST, api).into(), began);
    // Its database's server ends with it.
    let stopped = Command::new("kill").args(["-TERM", &demo.id().to_string()]).status();
    demo.wait()?;
    ensure!(stopped?.success(), "the demo could not be stopped");
    let took = answered?;
    Ok(Figure {
        what: format!("`kindred demo --users {USERS} --days {DAYS}` until `/kpis/overview` answers"),
        against: format!("nothing; {profile} build"),
        value: took.as_secs_f64(),
        unit: "s".to_owned(),
        limit: Limit::AtMost(SECONDS_AT_MOST),
        seen: format!("{:.1} s", took.as_secs_f64()),
    })
}

/// That of the dev profile, which `make demo` runs, where it is built, else the one beside this binary.
fn binary() -> anyhow::Result<(PathBuf, &'static str)> {
    let own = env::current_exe()?;
    let target = own.ancestors().nth(2).context("a binary outside of a target folder")?;
    let dev = target.join("debug/kindred");
    Ok(match dev.exists() {
        true => (dev, "dev"),
        false => (process::binary()?, "release"),
    })
}

/// Waits for figures, and says how long they took.
fn answered(demo: &mut Child, address: SocketAddr, began: Instant) -> anyhow::Result<Duration> {
    while began.elapsed() < PATIENCE {
        if let Some(status) = demo.try_wait()? {
            bail!("the demo ended with {status}");
        }
        if overview(address).is_ok_and(|answer| has_figures(&answer)) {
            return Ok(began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("the demo had no figures after {PATIENCE:?}")
}

/// The whole answer, head included.
fn overview(address: SocketAddr) -> anyhow::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    connection.write_all(b"GET /kpis/overview HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Whether people were active.
fn has_figures(answer: &str) -> bool {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let figures: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    answer.starts_with("HTTP/1.1 200")
        && figures["currentMetrics"]["dailyActiveUsers"]
            .as_u64()
            .is_some_and(|users| users > 0)
}

/// Free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
