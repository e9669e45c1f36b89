//! What the benchmarks share: each measures its subject against its floor, alternating, in one run of one machine.

pub mod evening;
pub mod figures;
pub mod rounds;
pub mod steps;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// The middle one of some durations.
#[must_use]
pub fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

/// Runs a command to its end: how long it took as a whole, and what it printed.
///
/// # Errors
/// The command cannot be run, or fails.
pub fn timed(command: &mut Command, stdout: Stdio) -> anyhow::Result<(Duration, String)> {
    let began = Instant::now();
    let child = command
        .stdout(stdout)
        .spawn()
        .with_context(|| format!("{command:?} cannot be run"))?;
    let output = child.wait_with_output()?;
    let took = began.elapsed();
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    Ok((took, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The most memory that this process has had resident so far, in bytes.
///
/// # Errors
/// `/proc` does not tell.
pub fn peak_memory() -> anyhow::Result<u64> {
    memory(std::process::id(), "VmHWM")
}

/// Memory of a process in bytes, as Linux counts it: `VmRSS` is what is resident now, `VmHWM` the most that ever was.
///
/// # Errors
/// `/proc/PID/status` cannot be read or lacks it.
pub fn memory(process: u32, kind: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'))
        .with_context(|| format!("no {kind} in /proc/{process}/status"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Bytes as megabytes, for people.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "for people")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
