//! What a caller may choose, and the few server settings that differ from PostgreSQL's own defaults.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a private server is to run. The process that starts the server decides; those that join it take it as it is.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder whose `postgres` folder holds the cluster, its log, its locks and, if the path is short, its socket.
    pub state_dir: PathBuf,
    /// Whether what was committed must survive a power cut.
    pub durability: Durability,
    /// How long the server outlives its last owner, in whole seconds.
    pub linger: Duration,
    /// How many connections the server admits.
    pub max_connections: u16,
}

/// What becomes of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Commits are on disk when they return, and the cluster is kept.
    Durable,
    /// For tests: nothing is forced to disk, and every start of the server begins with an empty cluster.
    Ephemeral,
}

impl Options {
    /// A durable server of `state_dir` that stops with its last owner.
    #[must_use]
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            durability: Durability::Durable,
            linger: Duration::ZERO,
            max_connections: 100,
        }
    }

    /// The settings of the server's command line, which outrank the cluster's own files.
    pub(crate) fn settings(&self, socket_dir: &Path) -> Vec<String> {
        let mut settings = vec![
            // Only the private socket, whatever the environment or a file says; a comma would separate two folders.
            "listen_addresses=".to_owned(),
            "port=5432".to_owned(),
            format!(
                "unix_socket_directories=\"{}\"",
                socket_dir.display().to_string().replace('"', "\"\"")
            ),
            "unix_socket_permissions=0700".to_owned(),
            "cluster_name=kindred".to_owned(),
            format!("max_connections={}", self.max_connections),
            // A warehouse on a small machine that it shares with the engine: modest caches, generous checkpoints.
            "shared_buffers=256MB".to_owned(),
            "work_mem=16MB".to_owned(),
            "maintenance_work_mem=128MB".to_owned(),
            "max_wal_size=2GB".to_owned(),
            "checkpoint_timeout=15min".to_owned(),
            "random_page_cost=1.1".to_owned(),
            "jit=off".to_owned(),
            // Nothing replicates from here, and a bulk load into a new table then needs no log.
            "wal_level=minimal".to_owned(),
            "max_wal_senders=0".to_owned(),
            // A query ends with the client that asked for it, killed or not.
            "client_connection_check_interval=5s".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
            "log_line_prefix=%m [%p] %d ".to_owned(),
            "log_checkpoints=off".to_owned(),
            // The log is the server's stderr, which the supervisor has pointed at a file.
            "log_destination=stderr".to_owned(),
            "logging_collector=off".to_owned(),
        ];
        match self.durability {
            Durability::Durable => settings.extend(["fsync=on", "synchronous_commit=on"].map(str::to_owned)),
            Durability::Ephemeral => {
                settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
            }
        }
        settings
    }
}
