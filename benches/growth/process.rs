//! The release binary as a process of its own: its settings, how long it ran and computed, and the most memory that it
//! had.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use anyhow::{Context, ensure};
use kindred_benches::memory;

/// How often a process is looked at: its memory is gone with it.
const LOOK: Duration = Duration::from_millis(5);

/// What became of a process.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    /// From start to end.
    pub(crate) took: Duration,
    /// What it computed itself, on whichever core: other load of the machine hardly changes it.
    pub(crate) computed: Duration,
    /// The most bytes that were resident.
    pub(crate) peak: u64,
    /// How it came to the peak: when, and how many bytes had been resident at most by then.
    growth: Vec<(SystemTime, u64)>,
}

impl Ran {
    /// The most bytes that had been resident by an instant.
    pub(crate) fn peak_by(&self, instant: SystemTime) -> u64 {
        let before = self.growth.iter().take_while(|(at, _)| *at <= instant);
        before.last().map_or(0, |(_, peak)| *peak)
    }
}

/// The binary beside this one.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let binary = env::current_exe()?.with_file_name("kindred");
    ensure!(binary.exists(), "{} is missing: build it first", binary.display());
    Ok(binary)
}

/// A program with an empty environment, its state below `home`, and no `.env` to read.
pub(crate) fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("STATE_DIR", home.join("state"))
        .env("LOG_LEVEL", env::var_os("LOG_LEVEL").unwrap_or("warn".into()))
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Ran> {
    let began = Instant::now();
    let mut process = command
        .spawn()
        .with_context(|| format!("{command:?} cannot be started"))?;
    let (mut peak, mut growth, mut computed) = (0, Vec::new(), Duration::ZERO);
    let status = loop {
        // At its end there is nothing to read any more.
        let now = memory(process.id(), "VmHWM").unwrap_or(0);
        if now > peak {
            peak = now;
            growth.push((SystemTime::now(), peak));
        }
        computed = computed_by(process.id()).unwrap_or_default().max(computed);
        if let Some(status) = process.try_wait()? {
            break status;
        }
        sleep(LOOK);
    };
    let asked: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    ensure!(
        status.success(),
        "`kindred {}` ended with {status}; what it said stands above",
        asked.join(" ")
    );
    Ok(Ran {
        took: began.elapsed(),
        computed,
        peak,
        growth,
    })
}

/// How long a process has computed so far; none when it is not there any more.
fn computed_by(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    // A tick is a hundredth of a second wherever Linux runs.
    Some(Duration::from_millis((user + system) * 10))
}
