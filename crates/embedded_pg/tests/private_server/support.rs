//! A state folder of a test, and what the machine says about the processes of its server.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use kindred_embedded_pg::{EmbeddedPg, Options};
use nix::sys::signal::{Signal, kill as signal};
use nix::unistd::{Pid, geteuid};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A folder that the server's user can reach, removed at the end.
pub(crate) struct State(tempfile::TempDir);

impl State {
    pub(crate) fn new() -> Self {
        let reachable = fs::Permissions::from_mode(0o755);
        Self(
            tempfile::Builder::new()
                .prefix("kindred-pg-test-")
                .permissions(reachable)
                .tempdir()
                .unwrap(),
        )
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("postgres/data")
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(self.path())
    }

    pub(crate) async fn execute(&self, server: &EmbeddedPg, database: &str, sql: &str) {
        query(&server.url(database), sql).await.unwrap();
    }

    pub(crate) async fn text(&self, server: &EmbeddedPg, database: &str, sql: &str) -> String {
        query(&server.url(database), sql).await.unwrap().expect("a row")
    }

    /// Returns when a new connection is served.
    pub(crate) async fn until_up(&self, server: &EmbeddedPg) {
        let began = Instant::now();
        while let Err(error) = query(&server.url("postgres"), "select 'up'").await {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "it does not come back: {error}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The supervisors that run for this folder.
    pub(crate) fn supervisors(&self) -> Vec<i32> {
        let data = self.data();
        let mine = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words.starts_with(&[b"sh", b"-c"])
                && words.contains(&b"kindred-pg-supervisor".as_slice())
                && words.contains(&data.as_os_str().as_encoded_bytes())
        };
        pids().filter(mine).collect()
    }

    /// A living process of the server's user that has nothing to do with the server.
    pub(crate) fn foreigner(&self) -> Child {
        let mut sleep = Command::new("sleep");
        if geteuid().is_root() {
            sleep.uid(fs::metadata(self.data()).unwrap().uid());
        }
        sleep.arg("60").current_dir("/").spawn().unwrap()
    }
}

impl Drop for State {
    /// A server that is still stopping writes into the folder that is about to be removed.
    fn drop(&mut self) {
        let began = Instant::now();
        while !(self.supervisors().is_empty() && processes_in(self).is_empty()) && began.elapsed().as_secs() < 40 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The first value of the first row, if any.
pub(crate) async fn query(url: &str, sql: &str) -> Result<Option<String>, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_optional(&mut connection)
        .await
}

/// The main process of the folder's server, by its pid file.
pub(crate) fn postmaster(state: &State) -> Option<i32> {
    let written = fs::read_to_string(state.data().join("postmaster.pid")).ok()?;
    written.lines().next()?.trim().parse().ok()
}

/// Every process that works in the folder's cluster, whatever the server's own files say.
pub(crate) fn processes_in(state: &State) -> Vec<i32> {
    let Ok(data) = fs::metadata(state.data()) else {
        return Vec::new();
    };
    let inside = |pid: &i32| {
        fs::metadata(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| (cwd.dev(), cwd.ino()) == (data.dev(), data.ino()))
    };
    pids().filter(inside).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

pub(crate) fn supervisor_of(postmaster: i32) -> i32 {
    let status = fs::read_to_string(format!("/proc/{postmaster}/status")).unwrap();
    let parent = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let line = fs::read_to_string(format!("/proc/{parent}/cmdline")).unwrap();
    assert!(
        line.contains("kindred-pg-supervisor"),
        "{parent} is no supervisor: {line}"
    );
    parent
}

/// `kill -9`, of a process that may have just ended.
pub(crate) fn kill(pid: i32) {
    _ = signal(Pid::from_raw(pid), Signal::SIGKILL);
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "after 30 s it is not so that {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
