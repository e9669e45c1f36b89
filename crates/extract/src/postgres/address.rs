//! A source's address: where it is, who signs in, and how far its certificate is trusted.
//!
//! The driver knows `sslmode` up to `require` and adds a `host` parameter to the host in the address instead of
//! replacing it. Both are read here as libpq reads them, so that one address means the same to psql and to us:
//!
//! - `disable`: no TLS. `prefer`: TLS when the server has it, without verifying it. `require`: TLS, without verifying it.
//!   `verify-ca`: TLS, the certificate must be signed by a trusted authority. `verify-full`: its name must be the
//!   host's, too. None: `prefer` for this machine, `verify-full` for any other.
//! - `sslrootcert`: a PEM file with the only authorities to trust, and makes `require` verify them; without it, those
//!   of the machine. `sslcert` and `sslkey`: PEM files of a client certificate and its PKCS #8 key.
//! - Over a Unix socket there is no TLS.

use std::fs;
use std::time::Duration;

use kindred_model::{Source, SslMode};
use native_tls::{Certificate, Identity, TlsConnector};
use postgres_native_tls::MakeTlsConnector;
use tokio_postgres::config::{self, Host};
use url::form_urlencoded;

use crate::ExtractError;

/// How long one connection attempt may take, unless the address has a `connect_timeout`.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a silent connection is trusted before it is probed, so that a vanished server does not hold a read for ever.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// Where a source is, ready to connect to.
pub(super) struct Address {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: MakeTlsConnector,
    /// Host, port and database name, for messages. Never the password.
    pub(super) label: String,
    /// How far the server is verified.
    pub(super) mode: SslMode,
}

/// The parameters that are read here and not by the driver.
#[derive(Default)]
struct Taken {
    host: Option<String>,
    sslmode: Option<String>,
    sslrootcert: Option<String>,
    sslcert: Option<String>,
    sslkey: Option<String>,
}

impl Address {
    pub(super) fn parse(database: Source, url: &str) -> Result<Self, ExtractError> {
        let refuse = |problem: String| ExtractError::Address { database, problem };
        let (taken, rest) = take_parameters(url);
        let rest = match &taken.host {
            Some(host) => {
                with_host(&rest, host).ok_or_else(|| refuse("it does not begin with postgresql://".into()))?
            }
            None => rest,
        };
        if !rest.starts_with("postgresql://") && !rest.starts_with("postgres://") {
            return Err(refuse("it does not begin with postgresql://".into()));
        }
        let mut config: tokio_postgres::Config = rest.parse().map_err(|error| refuse(crate::error::reason(&error)))?;
        if config.get_dbname().is_none() {
            return Err(refuse("it names no database".into()));
        }
        if config.get_hosts().is_empty() {
            return Err(refuse("it names no host".into()));
        }
        config.application_name("kindred").keepalives_idle(KEEPALIVE_IDLE);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let has_roots = own_roots(&taken).is_some();
        let mode = SslMode::of(
            hosts(&config).iter().map(String::as_str),
            taken.sslmode.as_deref(),
            has_roots,
        );
        let mode = mode.map_err(|unknown| refuse(unknown.to_string()))?;
        let tls = trust(&taken, mode, &mut config).map_err(refuse)?;
        let label = label(&config);
        Ok(Self {
            config,
            tls,
            label,
            mode,
        })
    }

    /// What its connections risk, since they lead away from this machine.
    pub(super) fn risk(&self) -> Option<String> {
        self.mode
            .risk(hosts(&self.config).iter().map(String::as_str), &self.label)
    }
}

/// Whatever is connected to: names, numbers beside or in place of them, folders of sockets.
fn hosts(config: &tokio_postgres::Config) -> Vec<String> {
    let named = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    named
        .chain(config.get_hostaddrs().iter().map(ToString::to_string))
        .collect()
}

/// The file of the only authorities to trust; none: those of the machine.
fn own_roots(taken: &Taken) -> Option<&str> {
    taken.sslrootcert.as_deref().filter(|file| *file != "system")
}

/// Sets the driver's TLS mode and makes the connector that verifies as much as `mode` says.
fn trust(taken: &Taken, mode: SslMode, config: &mut tokio_postgres::Config) -> Result<MakeTlsConnector, String> {
    let over_socket = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
    config.ssl_mode(match mode {
        _ if over_socket => config::SslMode::Disable,
        SslMode::Disable => config::SslMode::Disable,
        SslMode::Prefer => config::SslMode::Prefer,
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => config::SslMode::Require,
    });

    let mut connector = TlsConnector::builder();
    connector
        .danger_accept_invalid_certs(!matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull))
        .danger_accept_invalid_hostnames(mode != SslMode::VerifyFull);
    if let Some(file) = own_roots(taken) {
        let certificates = Certificate::stack_from_pem(&read("sslrootcert", file)?)
            .map_err(|error| format!("sslrootcert {file} holds no PEM certificates: {error}"))?;
        connector.disable_built_in_roots(true);
        for certificate in certificates {
            connector.add_root_certificate(certificate);
        }
    }
    match (&taken.sslcert, &taken.sslkey) {
        (Some(certificate), Some(key)) => {
            let identity =
                Identity::from_pkcs8(&read("sslcert", certificate)?, &read("sslkey", key)?).map_err(|error| {
                    format!("sslcert {certificate} and sslkey {key} are no client certificate: {error}")
                })?;
            connector.identity(identity);
        }
        (None, None) => {}
        _ => return Err("sslcert and sslkey are only of use together".into()),
    }
    let connector = connector
        .build()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(MakeTlsConnector::new(connector))
}

fn read(parameter: &str, file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{parameter} {file} cannot be read: {error}"))
}

/// Takes our parameters out of an address.
fn take_parameters(url: &str) -> (Taken, String) {
    let mut taken = Taken::default();
    let Some((base, query)) = url.split_once('?') else {
        return (taken, url.to_owned());
    };
    let left = query.split('&').filter(|pair| !pair.is_empty()).filter(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = match name {
            "host" => &mut taken.host,
            "sslmode" => &mut taken.sslmode,
            "sslrootcert" => &mut taken.sslrootcert,
            "sslcert" => &mut taken.sslcert,
            "sslkey" => &mut taken.sslkey,
            _ => return true,
        };
        *slot = Some(percent_decoded(value));
        false
    });
    let left = left.collect::<Vec<_>>().join("&");
    let rest = if left.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{left}")
    };
    (taken, rest)
}

/// An address with `host`, a name or a socket folder, in place of the host that it has. Its port stays.
fn with_host(url: &str, host: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (format!("{user}@"), place),
        None => (String::new(), authority),
    };
    let port = match place.rsplit_once(':') {
        Some((_, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => format!(":{port}"),
        _ => String::new(),
    };
    Some(format!("{scheme}://{user}{}{port}{path}", percent_encoded(host)))
}

fn percent_decoded(value: &str) -> String {
    // Form encoding and percent encoding differ in the plus sign only.
    form_urlencoded::parse(value.replace('+', "%2B").replace('=', "%3D").as_bytes())
        .next()
        .map(|(value, _)| value.into_owned())
        .unwrap_or_default()
}

fn percent_encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

fn label(config: &tokio_postgres::Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| {
        let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => folder.join(format!(".s.PGSQL.{port}")).display().to_string(),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    format!("{hosts}/{}", config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests;
