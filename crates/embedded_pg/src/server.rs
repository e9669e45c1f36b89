//! An owner's hold on the private server: starting or joining it, its addresses, letting it go.

use std::fs::{File, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinHandle;

use crate::account::Account;
use crate::cluster::SUPERUSER;
use crate::home::{Home, last_lines};
use crate::launch::{Launch, wait_a_little};
use crate::{EmbeddedPgError, Options, binaries};

/// A hold on a running private server. The server stops when the last hold of any process on its state folder is
/// dropped, or its process killed.
///
/// A server that is killed, or whose supervisor is, comes back within about two seconds while a hold lives: open
/// connections break, new ones are refused until then. (Both at once, and orphaned processes of the server may keep it
/// for a minute.) This needs the runtime on which [`start`] was called.
#[derive(Debug)]
pub struct EmbeddedPg {
    launch: Arc<Launch>,
    /// Held shared; closing the file lets go of it.
    _owners_lock: File,
    keeper: JoinHandle<()>,
}

/// Starts the private server of `options.state_dir`, making its cluster when there is none, or joins it when it runs.
///
/// Safe to call from any number of processes at once. Waits for a server that is just stopping, and for one that
/// recovers from a crash.
///
/// # Errors
/// Every [`EmbeddedPgError`] but [`EmbeddedPgError::CreateDatabase`].
pub async fn start(options: Options) -> Result<EmbeddedPg, EmbeddedPgError> {
    let account = Account::of_server()?;
    let home = Home::open(&options.state_dir, &account)?;
    let owners_lock = home.owners_lock()?;
    let began = Instant::now();
    loop {
        match owners_lock.try_lock_shared() {
            Ok(()) => break,
            // A supervisor holds it alone: the server is being stopped.
            Err(TryLockError::WouldBlock) => wait_a_little(began, &home).await?,
            Err(TryLockError::Error(error)) => return Err(EmbeddedPgError::folder("lock", &options.state_dir)(error)),
        }
    }
    let binaries = binaries::for_cluster(&home.data)?;
    let launch = Arc::new(Launch {
        options,
        account,
        home,
        binaries,
    });
    launch.ready().await?;
    let keeper = tokio::spawn(Arc::clone(&launch).keep());
    Ok(EmbeddedPg {
        launch,
        _owners_lock: owners_lock,
        keeper,
    })
}

impl EmbeddedPg {
    /// The address of `database`, in a form that libpq, sqlx and the `postgres` crate read alike.
    ///
    /// The socket folder is a percent-encoded host: `?host=` beside a host makes the `postgres` crate try both. Port
    /// and sslmode are there because a client would otherwise take them from `PGPORT` and `PGSSLMODE`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = percent_encoded(self.socket_dir().as_os_str().as_bytes());
        let database = percent_encoded(database.as_bytes());
        format!("postgresql://{SUPERUSER}@{folder}:5432/{database}?sslmode=disable")
    }

    /// The folder of the server's socket, open to the server's user (and root) alone.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.launch.home.socket_dir
    }

    /// The folder of the server's programs, `psql` and `pg_dump` among them.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        &self.launch.binaries.dir
    }

    /// The server's log.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.launch.home.log
    }

    /// Creates `database` unless it is there; answers whether it was created.
    ///
    /// # Errors
    /// [`EmbeddedPgError::CreateDatabase`] with what the server said.
    pub async fn create_database(&self, database: &str) -> Result<bool, EmbeddedPgError> {
        let mut createdb = self.launch.client("createdb");
        let said = createdb
            .args(["--maintenance-db", "postgres", "--", database])
            .output()
            .await;
        let said = said.map_err(|source| EmbeddedPgError::Program {
            program: "createdb".to_owned(),
            source,
        })?;
        let output = last_lines(&String::from_utf8_lossy(&said.stderr));
        match said.status.success() {
            true => Ok(true),
            false if output.contains("already exists") || output.contains("pg_database_datname_index") => Ok(false),
            false => Err(EmbeddedPgError::CreateDatabase {
                name: database.to_owned(),
                output,
            }),
        }
    }

    /// Lets go of the server and, when nobody else holds it and it is not to linger, waits until it has stopped. For
    /// the orderly end of a process, above all of a container's first one, whose end kills the rest.
    ///
    /// # Errors
    /// [`EmbeddedPgError::NotReady`] when the server has not stopped in time, [`EmbeddedPgError::Folder`].
    pub async fn close(self) -> Result<(), EmbeddedPgError> {
        let launch = Arc::clone(&self.launch);
        drop(self);
        let began = Instant::now();
        while launch.home.try_server_lock()?.is_none() {
            if !launch.options.linger.is_zero() || launch.home.is_owned()? {
                break;
            }
            wait_a_little(began, &launch.home).await?;
        }
        Ok(())
    }
}

impl Drop for EmbeddedPg {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// `bytes` for a place in a URL, with everything encoded that means something there.
fn percent_encoded(bytes: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(encode).collect()
}
