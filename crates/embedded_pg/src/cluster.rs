//! Makes the cluster, once: `initdb` in a folder of its own, which gets its name when it is whole. A kill at any moment
//! leaves either no cluster or a good one.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Stdio;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::home::{Home, last_lines};
use crate::{Durability, EmbeddedPgError};

/// The one role of a private server, its superuser.
pub const SUPERUSER: &str = "kindred";

/// Leaves a cluster in `home.data`. Call it with the server's lock held: `initdb` inherits it, so that nobody else
/// begins while an orphaned `initdb` is still at work.
pub(crate) async fn ensure(
    home: &Home,
    account: &Account,
    binaries: &Binaries,
    durability: Durability,
    lock: &File,
) -> Result<(), EmbeddedPgError> {
    match durability {
        Durability::Durable if home.data.exists() => return Ok(()),
        Durability::Durable => {}
        Durability::Ephemeral => remove(&home.data)?,
    }
    let unfinished = home.unfinished_data();
    remove(&unfinished)?;
    account.own_folder(&unfinished)?;

    let mut initdb = account.command(binaries.dir.join("initdb"));
    initdb
        .arg("--pgdata")
        .arg(&unfinished)
        .args(["--username", SUPERUSER, "--encoding", "UTF8", "--locale", "C"]);
    // Whoever can enter the private socket folder is the owner; nobody comes another way.
    initdb.args(["--auth-local", "trust", "--auth-host", "reject", "--no-instructions"]);
    initdb.arg(match durability {
        Durability::Durable => "--data-checksums",
        Durability::Ephemeral => "--no-sync",
    });
    let lock = lock
        .try_clone()
        .map_err(EmbeddedPgError::folder("hand on the lock of", &home.data))?;
    let said = initdb.stdin(Stdio::from(lock)).output().await;
    let said = said.map_err(|source| EmbeddedPgError::Program {
        program: "initdb".to_owned(),
        source,
    })?;
    if !said.status.success() {
        let output = format!(
            "{}\n{}",
            said.status,
            last_lines(&String::from_utf8_lossy(&said.stderr))
        );
        remove(&unfinished)?;
        return Err(EmbeddedPgError::Initdb {
            data: home.data.clone(),
            output,
        });
    }
    fs::rename(&unfinished, &home.data).map_err(EmbeddedPgError::folder("rename", &unfinished))?;
    home.sync()
}

fn remove(folder: &Path) -> Result<(), EmbeddedPgError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EmbeddedPgError::folder("remove", folder)(error)),
        _ => Ok(()),
    }
}
