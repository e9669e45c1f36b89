//! The release binary as a server of its own process, on a core of its own.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kindred_benches::memory;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::http::{Connection, get};

/// How long a server may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// The cores that this process may use: one for the server, the last for who asks it.
pub(crate) struct Cores {
    server: usize,
    load: usize,
}

impl Cores {
    /// The first two cores.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let mut cores = Vec::new();
        for range in list
            .context("no Cpus_allowed_list in /proc/self/status")?
            .trim()
            .split(',')
        {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            cores.extend(first.parse::<usize>()?..=last.parse()?);
        }
        match cores[..] {
            [server, load, ..] => Ok(Self { server, load }),
            _ => bail!("two cores are needed: one for the server, one for the load"),
        }
    }

    /// Keeps the calling process, which has one thread that matters, to the load's core.
    pub(crate) fn keep_to_load(&self) -> anyhow::Result<()> {
        let process = std::process::id().to_string();
        let mut taskset = Command::new("taskset");
        taskset.args(["--cpu-list", "--pid", &self.load.to_string(), &process]);
        let status = taskset.stdout(Stdio::null()).status();
        ensure!(
            status.context("taskset of util-linux is needed")?.success(),
            "taskset failed"
        );
        Ok(())
    }
}

/// A KPI API that serves; killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    _state: TempDir,
}

impl Server {
    /// Starts one on this warehouse, which keeps answers for so many seconds, and waits until it is ready.
    pub(crate) async fn start(cores: &Cores, warehouse: &str, cache_ttl: u64) -> anyhow::Result<Self> {
        let binary = env::current_exe()?.with_file_name("kindred");
        ensure!(binary.exists(), "{} is missing: build it first", binary.display());
        let state = TempDir::new()?;
        // Free a moment ago: the server says no port of its own choice but in its log.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", &cores.server.to_string()])
            .arg(binary)
            .args(["serve", "api"])
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", warehouse)
            .env("USER_KEY_SECRET", "a secret of a benchmark")
            .env("STATE_DIR", state.path())
            .env("API_PORT", port.to_string())
            .env("CACHE_TTL", cache_ttl.to_string())
            .env("LOG_LEVEL", "warn")
            // Not where an `.env` may lie.
            .current_dir(state.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let process = command.spawn().context("taskset of util-linux is needed")?;
        let mut server = Self {
            process,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            _state: state,
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// What it has resident now, in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        memory(self.process.id(), "VmRSS")
    }

    /// How long it has computed so far.
    pub(crate) fn computed(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name before it, in brackets, may hold anything.
        let (_, fields) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        let (Some(user), Some(system)) = (ticks.next(), ticks.next()) else {
            bail!("no times in /proc/PID/stat")
        };
        // A tick is a hundredth of a second wherever Linux runs.
        Ok(Duration::from_millis((user? + system?) * 10))
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait()? {
                bail!("kindred serve api ended with {status}");
            }
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection
                    .ask(&get("/ready"))
                    .await
                    .is_ok_and(|answer| answer.status == 200)
            {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("kindred serve api was not ready within {PATIENCE:?}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
