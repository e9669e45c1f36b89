//! Everything that can keep a private server from running, said to the person who has to mend it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::binaries::INSTALL;

/// Why the private PostgreSQL could not be started or used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedPgError {
    /// No installed PostgreSQL server is new enough.
    #[error(
        "no PostgreSQL server of version {} or later is installed: install one with `{INSTALL}` (`pg_config --bindir` \
         and /usr/lib/postgresql/*/bin are searched), or set DATABASE_URL to a server that runs already",
        crate::OLDEST_MAJOR
    )]
    NoBinaries,
    /// The cluster was made by a major version of PostgreSQL that is not installed.
    #[error(
        "{} was made by PostgreSQL {found}, which is not installed (installed: {}): install it with `apt-get install \
         -y --no-install-recommends postgresql-{found}`, upgrade the folder with pg_upgrade, or move it away to begin \
         anew", data.display(), .installed.join(", ")
    )]
    OtherMajor {
        /// The cluster's folder.
        data: PathBuf,
        /// The major version that made it.
        found: String,
        /// The major versions that are installed.
        installed: Vec<String>,
    },
    /// The process is root, which PostgreSQL refuses to run as, and there is nobody else to run it.
    #[error(
        "PostgreSQL does not run as root and there is no user `{name}` to run it as: install the distribution's \
         postgresql package, create the user with `useradd --system {name}`, or run as another user than root"
    )]
    NoAccount {
        /// The user that was looked for.
        name: &'static str,
    },
    /// A folder or file of the state folder could not be made, opened, read or removed.
    #[error("cannot {action} {}: {source}; check that the disk is writable and not full, and who owns it", path.display())]
    Folder {
        /// What was tried, for example `create`.
        action: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder belongs to another user than it must, or is open to others.
    #[error(
        "{} must be a folder of user {expected} (uid {expected_uid}) that others cannot write, or read if it holds \
         data; but its owner is uid {owner} and its mode {mode:04o}: `chown -R` and `chmod` it, choose another \
         STATE_DIR, or run as its owner", path.display()
    )]
    WrongOwner {
        /// The folder.
        path: PathBuf,
        /// The uid that owns it.
        owner: u32,
        /// Its permissions.
        mode: u32,
        /// The user that must own it: the one that runs the server, or this process's.
        expected: String,
        /// That user's uid.
        expected_uid: u32,
    },
    /// The user that runs the server cannot get to its own folder.
    #[error(
        "user {user}, who runs the server, cannot enter {}, which is on the way to STATE_DIR: `chmod o+x` it, or choose \
         a STATE_DIR such as /var/lib/kindred", path.display()
    )]
    ClosedFolder {
        /// The folder that is closed.
        path: PathBuf,
        /// The user that runs the server.
        user: String,
    },
    /// A program that comes with PostgreSQL or with util-linux could not be started.
    #[error("cannot run {program}: {source}; check that it is installed (PostgreSQL's client programs, util-linux)")]
    Program {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// `initdb` could not make the cluster.
    #[error("initdb could not make a cluster in {}: {output}", data.display())]
    Initdb {
        /// The folder that the cluster was to get.
        data: PathBuf,
        /// What `initdb` said last.
        output: String,
    },
    /// The server ended instead of becoming ready.
    #[error("the private PostgreSQL did not start; the end of its log {} says:\n{tail}", log.display())]
    Stopped {
        /// The server's log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// The server was neither ready nor gone when patience ran out.
    #[error(
        "the private PostgreSQL was not ready after {} s; the end of its log {} says:\n{tail}",
        waited.as_secs(), log.display()
    )]
    NotReady {
        /// How long it was waited for.
        waited: Duration,
        /// The server's log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A database could not be created.
    #[error("cannot create the database `{name}` on the private PostgreSQL: {output}")]
    CreateDatabase {
        /// The database.
        name: String,
        /// What `createdb` said.
        output: String,
    },
}

impl EmbeddedPgError {
    /// Says what was being done to which path; for `map_err`.
    pub(crate) fn folder(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder { action, path, source }
    }
}
