//! The server of a test run: started by the first test of any process, stopped ten seconds after the last.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kindred_embedded_pg::{Durability, EmbeddedPg, Options, start};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Bridges the gaps between test processes, and between two runs at a keyboard.
const LINGER: Duration = Duration::from_secs(10);

/// A pool or two for each of as many tests as a machine has cores.
const MAX_CONNECTIONS: u16 = 300;

/// The throw-away server. It begins empty whenever it is started, so nothing of a killed run is left in it for long.
#[derive(Debug)]
pub struct TestServer(EmbeddedPg);

impl TestServer {
    /// The server, started or joined by the first call in this process and owned until the process ends.
    ///
    /// # Panics
    /// When it cannot be started; the message says what to install.
    pub async fn get() -> &'static Self {
        static SERVER: OnceCell<TestServer> = OnceCell::const_new();
        SERVER
            .get_or_init(|| async {
                let options = Options {
                    durability: Durability::Ephemeral,
                    linger: LINGER,
                    max_connections: MAX_CONNECTIONS,
                    ..Options::new(state_dir())
                };
                Self(
                    start(options)
                        .await
                        .unwrap_or_else(|error| panic!("no PostgreSQL to test with: {error}")),
                )
            })
            .await
    }

    /// The address of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.0.url(database)
    }

    /// The folder of `psql`, `dropdb` and the other programs.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        self.0.bin_dir()
    }

    /// A folder beside it, for files that tests share as they share templates. Unlike those, they outlive it.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        state_dir().join("files")
    }

    /// A connection to the maintenance database.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url("postgres"))
            .await
            .expect("the test server admits us")
    }
}

/// Runs one statement of the test kit's own making.
pub(crate) async fn execute(connection: &mut PgConnection, sql: String) {
    let said = sqlx::query(AssertSqlSafe(sql.as_str())).execute(connection).await;
    said.unwrap_or_else(|error| panic!("the test server refuses `{sql}`: {error}"));
}

/// A folder of this user's and this checkout's: another one's templates may hold something else. Not the temporary folder of the environment: all processes must find the same one, and it
/// must be one that the server's user can reach.
fn state_dir() -> PathBuf {
    let user = fs::metadata("/proc/self").expect("Linux has a /proc").uid();
    let mut checkout = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut checkout);
    PathBuf::from(format!("/tmp/kindred-testkit-{user}-{:08x}", checkout.finish() as u32))
}
