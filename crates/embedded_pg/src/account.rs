//! Who runs the server. PostgreSQL refuses to be root, so root hands it to the `postgres` user of the distribution; any
//! other user runs it as itself.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::Path;

use nix::unistd::{Uid, User, getegid, geteuid};
use tokio::process::Command;

use crate::EmbeddedPgError;

const SERVICE_USER: &str = "postgres";

/// The user that runs the server and owns the cluster and the socket folder.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether this process is root and becomes the account for every program that it runs.
    switches: bool,
}

impl Account {
    pub(crate) fn of_server() -> Result<Self, EmbeddedPgError> {
        let me = geteuid();
        if me.is_root() {
            let user = User::from_name(SERVICE_USER).ok().flatten();
            let user = user.ok_or(EmbeddedPgError::NoAccount { name: SERVICE_USER })?;
            return Ok(Self {
                name: user.name,
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
                switches: true,
            });
        }
        Ok(Self {
            name: name_of(me),
            uid: me.as_raw(),
            gid: getegid().as_raw(),
            switches: false,
        })
    }

    /// A command that runs as this user, from `/`, with nothing of our environment: no `PG*` variable reaches it.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LC_ALL", "C").current_dir("/");
        if self.switches {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes `folder` (mode 0700) this user's, or checks that it is. Its parent must not be writable by strangers
    /// unless it is sticky, as `/tmp` is.
    pub(crate) fn own_folder(&self, folder: &Path) -> Result<(), EmbeddedPgError> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) if self.switches => {
                chown(folder, Some(self.uid), Some(self.gid)).map_err(EmbeddedPgError::folder("chown", folder))?;
            }
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(EmbeddedPgError::folder("create", folder)(error)),
        }
        check_owner(folder, self.uid, 0o077)
    }

    /// Checks that this user can get to `folder`: root's own home, for one, is closed to it.
    pub(crate) fn can_enter(&self, folder: &Path) -> Result<(), EmbeddedPgError> {
        if !self.switches {
            return Ok(());
        }
        let closed = folder.ancestors().filter(|way| !self.passes(way)).last();
        match closed {
            None => Ok(()),
            Some(path) => Err(EmbeddedPgError::ClosedFolder {
                path: path.to_owned(),
                user: self.name.clone(),
            }),
        }
    }

    fn passes(&self, folder: &Path) -> bool {
        fs::metadata(folder).is_ok_and(|found| {
            let bit = match (found.uid() == self.uid, found.gid() == self.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            found.mode() & bit != 0
        })
    }
}

/// Checks that `folder` is one that only this process's user can write to.
pub(crate) fn check_own(folder: &Path) -> Result<(), EmbeddedPgError> {
    check_owner(folder, geteuid().as_raw(), 0o022)
}

/// A link is no folder here: in `/tmp`, a stranger may have left it.
fn check_owner(folder: &Path, uid: u32, forbidden: u32) -> Result<(), EmbeddedPgError> {
    let found = fs::symlink_metadata(folder).map_err(EmbeddedPgError::folder("look at", folder))?;
    if found.is_dir() && found.uid() == uid && found.mode() & forbidden == 0 {
        return Ok(());
    }
    Err(EmbeddedPgError::WrongOwner {
        path: folder.to_owned(),
        owner: found.uid(),
        mode: found.mode() & 0o7777,
        expected: name_of(Uid::from_raw(uid)),
        expected_uid: uid,
    })
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| format!("uid {uid}"), |user| user.name)
}
