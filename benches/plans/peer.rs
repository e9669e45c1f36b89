//! Their side: DuckDB in a Python process that stays, asked through its standard input.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use arrow::array::RecordBatch;
use arrow::ipc::reader::FileReader;
use kindred_benches::figures;
use kindred_engine::Params;
use serde::{Deserialize, Serialize};

use crate::THREADS;
use crate::subject::literal;

/// The process.
pub(crate) struct Peer {
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Serialize)]
struct Question<'a> {
    sql: &'a str,
    /// Where the answer's rows are written as an Arrow file, once the clock has stopped.
    keep: Option<&'a Path>,
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    error: Option<String>,
}

impl Peer {
    /// DuckDB over the lake in this folder.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(interpreter()?)
            .arg(peers().join("plans.py"))
            .arg(folder)
            .arg(THREADS.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the peer cannot be started")?;
        let asked = child.stdin.take().context("the peer's input")?;
        let answers = BufReader::new(child.stdout.take().context("the peer's output")?);
        Ok(Self { child, asked, answers })
    }

    /// How long a statement takes until all of its rows are there as Arrow.
    pub(crate) fn time(&mut self, sql: &str) -> anyhow::Result<Duration> {
        self.ask(&Question { sql, keep: None })
    }

    /// The rows of a statement, and how long they took.
    pub(crate) fn rows(&mut self, sql: &str) -> anyhow::Result<(Vec<RecordBatch>, Duration)> {
        let file = figures::folder()?.join(format!("plans-answer-{}.arrow", std::process::id()));
        let took = self.ask(&Question { sql, keep: Some(&file) })?;
        let rows = FileReader::try_new(File::open(&file)?, None)?.collect::<Result<_, _>>()?;
        std::fs::remove_file(file)?;
        Ok((rows, took))
    }

    fn ask(&mut self, question: &Question) -> anyhow::Result<Duration> {
        writeln!(self.asked, "{}", serde_json::to_string(question)?)?;
        self.asked.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the peer has ended");
        let answer: Answer = serde_json::from_str(&line)?;
        if let Some(error) = answer.error {
            anyhow::bail!("the peer cannot answer: {error}\n{}", question.sql);
        }
        Ok(Duration::from_secs_f64(answer.seconds))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Whoever has ended already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The peer's statement for a query, with the parameters in it, as whoever writes for DuckDB would put them there.
pub(crate) fn statement(query: &str, params: &Params) -> anyhow::Result<String> {
    let file = peers().join("plans").join(format!("{query}.sql"));
    let mut sql = std::fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    for name in [
        "from",
        "to",
        "start",
        "until",
        "rollup_as_of",
        "as_of",
        "currency",
        "first_cohort",
        "last_week",
    ] {
        if let Some(value) = params.get(name) {
            sql = sql.replace(&format!("${name}"), &literal(value));
        }
    }
    Ok(sql)
}

/// The Python that has DuckDB.
pub(crate) fn interpreter() -> anyhow::Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/venv.sh");
    let output = Command::new(script).arg("bench").stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "there is no Python for the peers");
    Ok(Path::new(String::from_utf8(output.stdout)?.trim()).join("bin/python"))
}

/// Where the peers' programs and statements lie.
pub(crate) fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}
