//! One command of the binary, in an environment that holds nothing of the test's own, and what it answers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use kindred_embedded_pg::{Durability, EmbeddedPg, Options};
use tempfile::TempDir;
use tokio::process::Command;

/// Longer than any command of these tests takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder for the state of a test: the server's user must be able to enter it.
pub(crate) fn home() -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("kindred-cli-")
        .tempdir_in("/tmp")
        .unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The embedded server of the state below `home`, held by the test and never forced to disk: commands join it, which
/// takes less time than to start and stop it for each.
pub(crate) async fn embedded_server(home: &Path) -> EmbeddedPg {
    let options = Options {
        durability: Durability::Ephemeral,
        ..Options::new(home.join("state"))
    };
    kindred_embedded_pg::start(options).await.unwrap()
}

/// The binary with its settings.
#[derive(Clone)]
pub(crate) struct Kindred {
    program: Vec<String>,
    folder: PathBuf,
    settings: BTreeMap<String, String>,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Kindred {
    /// With its state below `home`, the ports left to the system, no tick while a test runs, and every other setting at
    /// its default.
    pub(crate) fn new(home: &Path) -> Self {
        let kindred = Self {
            program: vec![env!("CARGO_BIN_EXE_kindred").to_owned()],
            folder: home.to_owned(),
            settings: BTreeMap::new(),
        };
        let schedules = [
            "DAILY_SCHEDULE",
            "HOURLY_SCHEDULE",
            "WEEKLY_SCHEDULE",
            "SESSIONS_SCHEDULE",
        ];
        schedules
            .into_iter()
            .fold(kindred, |kindred, setting| kindred.with(setting, "0 0 29 2 *"))
            .with("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .with("HOME", home.to_str().unwrap())
            .with("STATE_DIR", home.join("state").to_str().unwrap())
            .with("API_PORT", "0")
            .with("ETL_PORT", "0")
    }

    /// With a setting.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// Without a setting.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.settings.remove(name);
        self
    }

    /// Another program that runs the binary, or a copy of it.
    pub(crate) fn run_by(mut self, program: &[&str]) -> Self {
        self.program = program.iter().map(ToString::to_string).collect();
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command
            .args(&self.program[1..])
            .args(arguments)
            .env_clear()
            .envs(&self.settings)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Answer {
        let child = self.command(arguments).spawn().unwrap();
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("{arguments:?} did not end")).unwrap();
        Answer {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            bytes: output.stdout,
        }
    }

    /// What a statement answers on a database of the embedded server: a line a row, fields apart by `|`.
    pub(crate) async fn ask(&self, database: &str, sql: &str) -> String {
        let answer = self.run(&["psql", database, "-XAtqc", sql]).await.expect(0);
        answer.out.trim().to_owned()
    }
}

impl Answer {
    /// The answer, if it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Demands words in what was said on standard error.
    #[track_caller]
    pub(crate) fn complains(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is missing: {self}");
        }
    }

    /// Demands words in the answer itself.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.out.contains(word), "`{word}` is missing: {self}");
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit code {:?}\n--- out\n{}\n--- err\n{}",
            self.code, self.out, self.err
        )
    }
}
