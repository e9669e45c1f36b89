//! Bringing the server up: run it if nobody does, wait until it takes connections, and bring it back while it is owned.

use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::time::sleep;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::cluster::SUPERUSER;
use crate::home::Home;
use crate::{EmbeddedPgError, Options, cluster, supervisor};

/// Between two looks at a lock or at a server that is starting: soon at first, then rarer, for a server that recovers
/// writes every look into its log.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_millis(250);

/// A failed start is noticed at once; this is for a server that recovers from a crash, which may have much to replay.
const PATIENCE: Duration = Duration::from_secs(300);

/// A start that takes longer than this is said to.
const WORTH_TELLING: Duration = Duration::from_secs(5);

/// A server that is gone before it was ready may have been killed: it gets a second chance.
const LAUNCHES: u32 = 2;

/// How often an owner checks that the server is still run by somebody, and how much it slows down when it is not.
const CHECK_EVERY: Duration = Duration::from_secs(1);
const CHECK_AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// All that starting the server takes.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) options: Options,
    pub(crate) account: Account,
    pub(crate) home: Home,
    pub(crate) binaries: Binaries,
}

impl Launch {
    /// Returns when the server takes connections, having started it if nobody runs it.
    pub(crate) async fn ready(&self) -> Result<(), EmbeddedPgError> {
        let began = Instant::now();
        let (mut launches, mut told) = (0, false);
        loop {
            if !told && began.elapsed() > WORTH_TELLING {
                tracing::info!(log = %self.home.log.display(), "the private PostgreSQL is still starting, or recovering");
                told = true;
            }
            match self.home.try_server_lock()? {
                Some(_) if launches == LAUNCHES => {
                    return Err(EmbeddedPgError::Stopped {
                        log: self.home.log.clone(),
                        tail: self.home.log_tail(),
                    });
                }
                Some(lock) => {
                    self.run(lock).await?;
                    launches += 1;
                }
                None if self.takes_connections().await? => return Ok(()),
                None => wait_a_little(began, &self.home).await?,
            }
        }
    }

    async fn run(&self, lock: File) -> Result<(), EmbeddedPgError> {
        cluster::ensure(
            &self.home,
            &self.account,
            &self.binaries,
            self.options.durability,
            &lock,
        )
        .await?;
        self.home.forget_dead_server()?;
        supervisor::spawn(&self.home, &self.account, &self.binaries, &self.options, lock).await?;
        tracing::debug!(data = %self.home.data.display(), "started the private PostgreSQL");
        Ok(())
    }

    async fn takes_connections(&self) -> Result<bool, EmbeddedPgError> {
        let asked = self
            .client("pg_isready")
            .args(["--dbname", "postgres", "--quiet"])
            .status()
            .await;
        let asked = asked.map_err(|source| EmbeddedPgError::Program {
            program: "pg_isready".to_owned(),
            source,
        })?;
        Ok(asked.success())
    }

    /// A client program of the server, told where the server is.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = self.account.command(self.binaries.dir.join(program));
        command
            .arg("--host")
            .arg(&self.home.socket_dir)
            .args(["--port", "5432", "--username", SUPERUSER]);
        command.stdin(Stdio::null());
        command
    }

    /// Starts the server again when whoever ran it is gone although it is owned.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut pause = CHECK_EVERY;
        loop {
            sleep(pause).await;
            let unattended = self.home.try_server_lock().is_ok_and(|lock| lock.is_some());
            let revived = if unattended { self.ready().await } else { Ok(()) };
            pause = match revived {
                Ok(()) => CHECK_EVERY,
                Err(error) => {
                    tracing::error!(%error, "the private PostgreSQL is gone and cannot be started again");
                    CHECK_AT_LEAST_EVERY.min(pause * 2)
                }
            };
        }
    }
}

/// Passes some time, and fails when it has been too long since `began`.
pub(crate) async fn wait_a_little(began: Instant, home: &Home) -> Result<(), EmbeddedPgError> {
    let waited = began.elapsed();
    if waited > PATIENCE {
        return Err(EmbeddedPgError::NotReady {
            waited,
            log: home.log.clone(),
            tail: home.log_tail(),
        });
    }
    sleep((waited / 4).clamp(LOOK_AGAIN, LOOK_AGAIN_AT_MOST)).await;
    Ok(())
}
