//! Connections to a source, and what their failures mean.

use std::time::Duration;

use kindred_model::{TLS_IS_MISSING, TLS_PROVES_NOTHING};
use postgres_native_tls::MakeTlsConnector;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Socket};

use super::Settings;
use super::address::CONNECT_TIMEOUT;
use crate::ExtractError;
use crate::error::reason;

/// Signing in may take this long beyond the connection itself, before the source counts as unreachable.
const SIGN_IN: Duration = Duration::from_secs(3);

/// What the driver says first of a server that it does not trust.
const HANDSHAKE: &str = "error performing TLS handshake";

/// The first version that has `date_bin`.
const FIRST_VERSION: u32 = 14;

type Connection =
    tokio_postgres::Connection<Socket, <MakeTlsConnector as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>;

/// Connects once, and says within seconds when that fails. The connection's own work runs as a task.
pub(super) async fn connect(settings: &Settings) -> Result<Client, ExtractError> {
    let address = &settings.address;
    let allowed = address.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT) + SIGN_IN;
    let connecting = address.config.connect(address.tls.clone());
    let (client, connection): (Client, Connection) = match timeout(allowed, connecting).await {
        Ok(connected) => connected.map_err(|error| settings.connecting_failed(&error))?,
        Err(_) => {
            return Err(ExtractError::Unreachable {
                database: settings.database,
                address: address.label.clone(),
                reason: format!("no answer within {} s", allowed.as_secs()),
            });
        }
    };
    let database = settings.database;
    if let Some(version) = connection.parameter("server_version").filter(|it| is_too_old(it)) {
        return Err(ExtractError::OldServer {
            database,
            address: address.label.clone(),
            version: version.to_owned(),
        });
    }
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(source = %database, "a connection ended: {}", reason(&error));
        }
    });
    Ok(client)
}

/// Whether a version such as `13.22 (Debian 13.22-1)` is older than the first. What has no number in front is believed to
/// be new enough: its queries tell.
fn is_too_old(version: &str) -> bool {
    let major = version
        .split(|it: char| !it.is_ascii_digit())
        .next()
        .unwrap_or_default();
    major.parse().is_ok_and(|major: u32| major < FIRST_VERSION)
}

impl Settings {
    /// The transaction that every connection of a snapshot begins with.
    pub(super) fn begin(&self) -> String {
        format!(
            "begin isolation level repeatable read read only; \
             set local statement_timeout = {}; \
             set local idle_in_transaction_session_timeout = 0",
            self.deadline.as_millis().clamp(1, i32::MAX as u128)
        )
    }

    pub(super) fn connecting_failed(&self, error: &tokio_postgres::Error) -> ExtractError {
        let database = self.database;
        let address = self.address.label.clone();
        let reason = reason(error);
        match error.code() {
            Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
                ExtractError::Credentials {
                    database,
                    address,
                    reason,
                }
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => ExtractError::UnknownDatabase {
                database,
                address,
                reason,
            },
            // The driver found no password to answer with, or no way of signing in that both sides know.
            None if reason.starts_with("invalid configuration") || reason.starts_with("authentication error") => {
                ExtractError::Credentials {
                    database,
                    address,
                    reason,
                }
            }
            None if reason.starts_with(HANDSHAKE) => ExtractError::Untrusted {
                check: if reason.ends_with("does not support TLS") {
                    TLS_IS_MISSING
                } else {
                    TLS_PROVES_NOTHING
                },
                database,
                address: format!("{address} (sslmode={})", self.address.mode),
                reason,
            },
            _ => ExtractError::Unreachable {
                database,
                address,
                reason,
            },
        }
    }

    /// What a failure means that came after connecting, while `what` was being done.
    pub(super) fn query_failed(&self, what: &str, error: &tokio_postgres::Error) -> ExtractError {
        let database = self.database;
        let what = what.to_owned();
        let reason = reason(error);
        let Some(code) = error.code() else {
            return if error.is_closed() || reason.starts_with("error communicating") {
                ExtractError::Lost { database, what, reason }
            } else {
                ExtractError::Failed { database, what, reason }
            };
        };
        match code.code() {
            // query_canceled: nobody but the statement timeout cancels a query that is still wanted.
            "57014" => ExtractError::Deadline {
                database,
                what,
                allowed: self.deadline,
            },
            // admin_shutdown, crash_shutdown, timeouts of idleness and transactions, and everything about the connection.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => ExtractError::Lost { database, what, reason },
            class if class.starts_with("08") => ExtractError::Lost { database, what, reason },
            _ => ExtractError::Failed { database, what, reason },
        }
    }
}

/// The transaction that exported the snapshot: whoever joins it needs it alive.
pub(super) struct Exported {
    pub(super) client: Client,
    pub(super) id: String,
}

#[cfg(test)]
mod tests {
    use super::is_too_old;

    #[test]
    fn a_server_without_what_we_ask_of_it_is_told_by_its_version() {
        for version in ["9.6.24", "13.22 (Debian 13.22-1.pgdg12+1)", "13"] {
            assert!(is_too_old(version), "{version}");
        }
        for version in ["14.0", "15.18 (Debian 15.18-0+deb12u1)", "19devel", "unknown", ""] {
            assert!(!is_too_old(version), "{version}");
        }
    }
}
