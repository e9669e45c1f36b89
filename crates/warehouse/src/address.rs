//! The warehouse's address, and how far the server behind it is verified.
//!
//! The driver reads addresses as libpq does, but for what decides about trust: without `sslmode` it takes any server for
//! the right one, `allow` is no TLS at all to it, and `require` verifies nothing even beside an `sslrootcert`. That, it
//! is told here. A parameter that it does not know it would log with its value, which may be a secret.

use std::fs;

use kindred_model::SslMode;
use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::WarehouseError;
use crate::error::Cause;

/// What the driver knows, but for `options[…]` and what is read here.
const KNOWN: [&str; 13] = [
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Where the warehouse is, ready to connect to.
pub(crate) struct Address {
    pub(crate) options: PgConnectOptions,
    mode: SslMode,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// When it cannot be used. What is wrong is said without the password.
    pub(crate) fn parse(address: &SecretString) -> Result<Self, WarehouseError> {
        let mut url = Url::parse(address.expose_secret()).map_err(unusable)?;
        let asked = Asked::take_from(&mut url);
        let mut options = PgConnectOptions::from_url(&url).map_err(|error| WarehouseError::Address(Cause(error)))?;
        if let Some(address) = options
            .get_host()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            // In brackets it is the name of no certificate.
            let address = address.to_owned();
            options = options.host(&address);
        }
        let mode = SslMode::of([host(&options)], asked.mode.as_deref(), asked.authority.is_some());
        let mode = mode.map_err(unusable)?;
        let over_socket = options.get_socket().is_some();
        options = options.ssl_mode(match mode {
            _ if over_socket => PgSslMode::Disable,
            SslMode::Disable => PgSslMode::Disable,
            SslMode::Prefer => PgSslMode::Prefer,
            SslMode::Require => PgSslMode::Require,
            SslMode::VerifyCa => PgSslMode::VerifyCa,
            SslMode::VerifyFull => PgSslMode::VerifyFull,
        });
        if let Some(file) = asked.authority {
            fs::metadata(&file).map_err(|error| unusable(format!("sslrootcert {file} cannot be read: {error}")))?;
            options = options.ssl_root_cert(file);
        }
        Ok(Self { options, mode })
    }

    /// Host, port and database name, for messages.
    pub(crate) fn label(&self) -> String {
        let options = &self.options;
        let database = options.get_database().unwrap_or(options.get_username());
        format!("{}:{}/{database}", host(options), options.get_port())
    }

    /// How far the server is verified.
    pub(crate) const fn mode(&self) -> SslMode {
        self.mode
    }

    /// What its connections risk, since they lead away from this machine.
    pub(crate) fn risk(&self) -> Option<String> {
        self.mode.risk([host(&self.options)], &self.label())
    }
}

/// The host, or the folder of its socket.
fn host(options: &PgConnectOptions) -> &str {
    let socket = options.get_socket().and_then(|folder| folder.to_str());
    socket.unwrap_or(options.get_host())
}

fn unusable(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> WarehouseError {
    WarehouseError::Address(Cause(sqlx::Error::Configuration(problem.into())))
}

/// What an address says about trust.
#[derive(Default)]
struct Asked {
    mode: Option<String>,
    /// A file of authorities.
    authority: Option<String>,
}

impl Asked {
    /// Takes that out of an address, and what nobody knows.
    fn take_from(url: &mut Url) -> Self {
        let mut asked = Self::default();
        let (mut kept, mut unknown) = (Vec::new(), Vec::new());
        for (name, value) in url.query_pairs().into_owned() {
            match name.as_str() {
                "sslmode" | "ssl-mode" => asked.mode = Some(value),
                "sslrootcert" | "ssl-root-cert" | "ssl-ca" => {
                    // The machine's authorities are trusted in any case.
                    asked.authority = Some(value).filter(|file| file != "system");
                }
                known if KNOWN.contains(&known) || known.starts_with("options[") => kept.push((name, value)),
                _ => unknown.push(name),
            }
        }
        if !unknown.is_empty() {
            tracing::warn!(
                parameters = unknown.join(", "),
                "parameters of DATABASE_URL are not known, and ignored"
            );
        }
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        Address::parse(&url.into()).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn an_address_that_leads_away_is_verified_unless_it_says_otherwise() {
        for (url, mode) in [
            ("postgresql://u:p@localhost/a", SslMode::Prefer),
            ("postgresql://u:p@[::1]:5433/a", SslMode::Prefer),
            ("postgresql://u:p@db/a?host=/run/postgresql", SslMode::Prefer),
            ("postgresql://u:p@%2Frun%2Fpostgresql/a", SslMode::Prefer),
            ("postgresql://u:p@db/a", SslMode::VerifyFull),
            ("postgresql://u:p@localhost/a?host=db", SslMode::VerifyFull),
            ("postgresql://u:p@localhost/a?hostaddr=10.0.0.1", SslMode::VerifyFull),
            ("postgresql://u:p@db/a?sslrootcert=system", SslMode::VerifyFull),
            (
                "postgresql://u:p@db/a?sslmode=require&sslrootcert=system",
                SslMode::Require,
            ),
            (
                "postgresql://u:p@db/a?sslmode=require&sslrootcert=/etc/hosts",
                SslMode::VerifyCa,
            ),
            ("postgresql://u:p@db/a?ssl-mode=disable", SslMode::Disable),
            ("postgresql://u:p@db/a?ssl%6Dode=disable", SslMode::Disable),
        ] {
            let address = parse(url);
            assert_eq!(address.mode, mode, "{url}");
            let is_risky = !matches!(mode, SslMode::Prefer | SslMode::VerifyFull);
            assert_eq!(address.risk().is_some(), is_risky, "{url}: {:?}", address.risk());
        }
    }

    #[test]
    fn the_driver_is_told_the_mode_and_everything_else_of_the_address() {
        let told = |url: &str| format!("{:?}", parse(url).options);
        let over_tls =
            told("postgresql://u:p%20w@db:5433/a%2Fb?application_name=x%26y&options[search_path]=s&sslmode=verify-ca");
        for word in [
            "VerifyCa",
            "\"db\"",
            "5433",
            "\"a/b\"",
            "\"x&y\"",
            "\"p w\"",
            "search_path=s",
        ] {
            assert!(over_tls.contains(word), "{word}: {over_tls}");
        }
        assert!(told("postgresql://u@db/a?host=/run/x&sslmode=verify-full").contains("Disable"));
        assert_eq!(parse("postgresql://u@[::2]:5433/a").options.get_host(), "::2");
        assert_eq!(parse("postgresql://u@[::2]:5433/a").label(), "::2:5433/a");
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_its_secrets() {
        for (url, said) in [
            ("analytics", "relative URL"),
            ("postgresql://u:hunter2@db:port/a", "port"),
            ("postgresql://u:hunter2@db/a?sslmode=allow", "`allow` is no sslmode"),
            (
                "postgresql://u:hunter2@db/a?sslrootcert=/no/such.pem",
                "/no/such.pem cannot be read",
            ),
        ] {
            let Err(error) = Address::parse(&url.into()) else {
                panic!("{url} was taken")
            };
            let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
            assert!(text.contains(said) && !text.contains("hunter2"), "{text}");
        }
    }
}
