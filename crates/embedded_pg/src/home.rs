//! The server's place in the state folder: `postgres/{data,run,server.log,owners.lock,server.lock}`.
//!
//! As root, the folder itself, the locks and the log stay root's, and only `data` and `run` are the server's user's:
//! root never writes through a path that the server's user could have bent elsewhere.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::EmbeddedPgError;
use crate::account::{Account, check_own};

/// A socket's path is at most 107 bytes long, and `/.s.PGSQL.5432` is 14 of them.
const LONGEST_SOCKET_DIR: usize = 107 - 14;

/// A log that has grown beyond this many bytes is put aside, once, when the server starts.
const LONG_LOG: u64 = 16 * 1024 * 1024;

/// As much of the log's end as an error carries.
const TAIL_BYTES: u64 = 16 * 1024;
const TAIL_LINES: usize = 12;

/// The folders and files of one private server.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) socket_dir: PathBuf,
    pub(crate) log: PathBuf,
}

impl Home {
    /// Makes what is missing below `state_dir` and checks the rest.
    pub(crate) fn open(state_dir: &Path, account: &Account) -> Result<Self, EmbeddedPgError> {
        let state_dir = std::path::absolute(state_dir).map_err(EmbeddedPgError::folder("find", state_dir))?;
        let folder = state_dir.join("postgres");
        way_through(&state_dir)?;
        way_through(&folder)?;
        check_own(&folder)?;
        account.can_enter(&folder)?;
        // A folder that another process has made, and not yet handed over, would look like a stranger's.
        let making = File::open(&folder).and_then(|it| it.lock().map(|()| it));
        let _making = making.map_err(EmbeddedPgError::folder("lock", &folder))?;
        let socket_dir = socket_dir(&folder)?;
        account.own_folder(&socket_dir)?;
        let data = folder.join("data");
        if data.exists() {
            account.own_folder(&data)?;
        }
        Ok(Self {
            data,
            socket_dir,
            log: folder.join("server.log"),
            folder,
        })
    }

    /// Where `initdb` works until the cluster is whole.
    pub(crate) fn unfinished_data(&self) -> PathBuf {
        self.folder.join("data.unfinished")
    }

    /// The lock that every owner holds shared, opened anew and not yet held.
    pub(crate) fn owners_lock(&self) -> Result<File, EmbeddedPgError> {
        self.open_file("owners.lock")
    }

    /// Whether some process owns the server; not so while a supervisor stops it.
    pub(crate) fn is_owned(&self) -> Result<bool, EmbeddedPgError> {
        let lock = self.owners_lock()?;
        // Shared can be had, but not alone.
        Ok(lock.try_lock_shared().is_ok() && lock.try_lock().is_err())
    }

    /// The lock of the one that runs the server, if nobody does. It is freed when the last copy of the file is closed,
    /// so it is handed on by letting a child inherit it.
    pub(crate) fn try_server_lock(&self) -> Result<Option<File>, EmbeddedPgError> {
        let file = self.open_file("server.lock")?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(EmbeddedPgError::folder("lock", self.folder.join("server.lock"))(error))
            }
        }
    }

    /// Removes the pid files of a server that was killed. PostgreSQL refuses to start while the number in them is some
    /// process: another one after a restart of the machine, or the dead one where nobody reaps, as in many containers.
    /// We know better: the server's lock is ours, and a server that was started by hand works in the data folder.
    pub(crate) fn forget_dead_server(&self) -> Result<(), EmbeddedPgError> {
        let pid_file = self.data.join("postmaster.pid");
        let written = fs::read_to_string(&pid_file).unwrap_or_default();
        let pid = written.lines().next().unwrap_or_default().trim();
        let here = fs::metadata(&self.data).map_err(EmbeddedPgError::folder("look at", &self.data))?;
        let works_in = fs::metadata(format!("/proc/{pid}/cwd"));
        if works_in.is_ok_and(|it| (it.dev(), it.ino()) == (here.dev(), here.ino())) {
            return Ok(());
        }
        for file in [pid_file, self.socket_dir.join(".s.PGSQL.5432.lock")] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(EmbeddedPgError::folder("remove", file)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The log, opened for adding to it.
    pub(crate) fn append_log(&self) -> Result<File, EmbeddedPgError> {
        if fs::metadata(&self.log).is_ok_and(|log| log.len() > LONG_LOG) {
            let aside = self.log.with_extension("log.1");
            fs::rename(&self.log, &aside).map_err(EmbeddedPgError::folder("rename", &self.log))?;
        }
        self.open_file("server.log")
    }

    /// The last lines of the log, or why they cannot be read.
    pub(crate) fn log_tail(&self) -> String {
        let read = || -> io::Result<String> {
            let mut log = File::open(&self.log)?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
            let mut end = Vec::new();
            log.read_to_end(&mut end)?;
            Ok(last_lines(&String::from_utf8_lossy(&end)))
        };
        read().unwrap_or_else(|error| format!("(it cannot be read: {error})"))
    }

    /// Makes a renamed entry of the folder survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), EmbeddedPgError> {
        File::open(&self.folder)
            .and_then(|it| it.sync_all())
            .map_err(EmbeddedPgError::folder("sync", &self.folder))
    }

    fn open_file(&self, name: &str) -> Result<File, EmbeddedPgError> {
        let path = self.folder.join(name);
        let mut file = OpenOptions::new();
        file.read(true).append(true).create(true).mode(0o600);
        file.open(&path).map_err(EmbeddedPgError::folder("open", path))
    }
}

/// The last lines of what a program said, without the server's answers to those who asked whether it was ready.
pub(crate) fn last_lines(said: &str) -> String {
    let asked = [
        "the database system is starting up",
        "the database system is shutting down",
    ];
    let tells = |line: &&str| !line.trim().is_empty() && !asked.iter().any(|answer| line.ends_with(answer));
    let lines: Vec<&str> = said.lines().filter(tells).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// Makes `folder` unless it is there: the server's user, and who else has a folder of its own below, passes through it
/// but does not list it. The mode is set once more because a umask of 077, usual for services, would close it.
fn way_through(folder: &Path) -> Result<(), EmbeddedPgError> {
    if folder.exists() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o711).create(folder);
    made.map_err(EmbeddedPgError::folder("create", folder))?;
    fs::set_permissions(folder, Permissions::from_mode(0o711)).map_err(EmbeddedPgError::folder("open", folder))
}

/// `run` below `folder`, or below `/tmp` when that is too long for a socket. The short name is made of the folder's own
/// device and inode, so that every process finds the same one by whatever path it came.
fn socket_dir(folder: &Path) -> Result<PathBuf, EmbeddedPgError> {
    let near = folder.join("run");
    if near.as_os_str().as_bytes().len() <= LONGEST_SOCKET_DIR {
        return Ok(near);
    }
    let id = fs::metadata(folder).map_err(EmbeddedPgError::folder("look at", folder))?;
    Ok(PathBuf::from(format!("/tmp/kindred-pg-{:x}-{:x}", id.dev(), id.ino())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_folder_is_near_its_state_or_short() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(socket_dir(root.path()).unwrap(), root.path().join("run"));

        let long = root.path().join("d".repeat(100));
        fs::create_dir(&long).unwrap();
        let short = socket_dir(&long).unwrap();
        assert!(short.as_os_str().len() <= LONGEST_SOCKET_DIR, "{}", short.display());
        assert_eq!(short, socket_dir(&root.path().join(".").join("d".repeat(100))).unwrap());
    }

    #[test]
    fn the_end_of_a_log_is_its_last_lines_that_say_something() {
        let asked = "2026-11-23 07:50:02.656 UTC [1848] postgres FATAL:  the database system is starting up";
        let said: String = (1..=20).map(|n| format!("line {n}\n\n{asked}\n")).collect();
        let end = last_lines(&said);
        assert!(end.starts_with("line 9\n") && end.ends_with("line 20"), "{end}");
        assert_eq!(last_lines(""), "");
    }
}
