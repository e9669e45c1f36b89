//! Starts `supervisor.sh`, the small process that owns the server so that no owner has to: a shell script, because any
//! binary can start it, and because the signal of a parent's death then follows a process with a single thread.

use std::fs::File;
use std::process::Stdio;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::home::Home;
use crate::{EmbeddedPgError, Options};

const SCRIPT: &str = include_str!("supervisor.sh");

/// Starts a supervisor and with it the server, in a session of its own; hands it the server's `lock`. Nothing of this
/// process stays open in it, and it is nobody's child: `setsid --fork` returns at once.
pub(crate) async fn spawn(
    home: &Home,
    account: &Account,
    binaries: &Binaries,
    options: &Options,
    lock: File,
) -> Result<(), EmbeddedPgError> {
    let mut setsid = account.command("setsid");
    setsid
        .args(["--fork", "sh", "-c", SCRIPT, "kindred-pg-supervisor"])
        .arg(options.linger.as_secs().to_string());
    setsid.arg(binaries.dir.join("postgres")).arg("-D").arg(&home.data);
    for setting in options.settings(&home.socket_dir) {
        setsid.arg("-c").arg(setting);
    }
    setsid
        .stdin(Stdio::from(lock))
        .stdout(home.owners_lock()?)
        .stderr(home.append_log()?);
    let forked = setsid.status().await;
    forked.map(drop).map_err(|source| EmbeddedPgError::Program {
        program: "setsid".to_owned(),
        source,
    })
}
