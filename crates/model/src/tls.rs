//! How far a PostgreSQL server has to prove who it is before a password is told to it.
//!
//! The words are libpq's, and mean what they mean to psql, but for the default: to a host that is not this machine it is
//! `verify-full`. Whatever verifies less has to be written into the address, and is warned of.

use std::net::IpAddr;

use crate::{UnknownWord, words};

words! {
    /// What an address asks for as `sslmode`. There is no `allow`: no driver here tries without TLS first.
    SslMode, "sslmode", {
        /// No TLS.
        Disable => "disable",
        /// TLS when the server has it, whoever it is.
        Prefer => "prefer",
        /// TLS, whoever the server is.
        Require => "require",
        /// TLS with a server whose certificate a trusted authority has signed.
        VerifyCa => "verify-ca",
        /// The same, and the certificate is for the host's name.
        VerifyFull => "verify-full",
    }
}

/// What to check when a server without TLS is not talked to.
pub const TLS_IS_MISSING: &str = "turn TLS on at the server (ssl = on), or, where nobody can listen on the way, write \
                                  sslmode=disable into the address";

/// What to check when a server's certificate does not prove who it is.
pub const TLS_PROVES_NOTHING: &str = "check that its certificate is valid, for the host's name as the address writes it, \
                                      and of an authority that this machine trusts, or that stands in the file which \
                                      sslrootcert names in the address";

impl SslMode {
    /// The mode of connections to these hosts: the one that the address asks for, if it does.
    ///
    /// Without a word, a server on this machine may have TLS or not, and any other must prove who it is. An authority of
    /// one's own (`sslrootcert`) makes `require` verify, as it does for psql.
    ///
    /// # Errors
    /// When `asked` is no mode.
    pub fn of<'a>(
        hosts: impl IntoIterator<Item = &'a str>,
        asked: Option<&str>,
        has_own_authority: bool,
    ) -> Result<Self, UnknownWord> {
        Ok(match asked.map(str::parse).transpose()? {
            Some(Self::Require) if has_own_authority => Self::VerifyCa,
            Some(mode) => mode,
            None if hosts.into_iter().all(is_local) => Self::Prefer,
            None => Self::VerifyFull,
        })
    }

    /// What connections to these hosts risk, when they lead away from this machine: `at` says where to.
    #[must_use]
    pub fn risk<'a>(self, hosts: impl IntoIterator<Item = &'a str>, at: &str) -> Option<String> {
        let risk = match self {
            Self::Disable => "nothing is encrypted: whoever is on the way reads the password and every row",
            Self::Prefer => "a server that says it has no TLS is believed, and none is verified",
            Self::Require => "it is encrypted, but for whoever answers: the server is not verified",
            Self::VerifyCa => "any server passes whose certificate is of a trusted authority, whatever its name",
            Self::VerifyFull => return None,
        };
        let leads_away = !hosts.into_iter().all(is_local);
        leads_away
            .then(|| format!("the connection to {at} is made with sslmode={self}: {risk}; write sslmode=verify-full"))
    }
}

/// Whether a host is this machine by its very name: a socket's folder, `localhost`, or a loopback address. What another
/// name leads to may change.
#[must_use]
pub fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_a_socket_localhost_or_a_loopback_address() {
        for host in [
            "",
            "/run/postgresql",
            "@abstract",
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.8.9.10",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "db",
            "localhost.example.com",
            "localhost.",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "0.0.0.0",
            "::",
            "[::2]",
            "192.168.1.7",
            "169.254.0.1",
            "fe80::1",
            "127.1",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn without_a_word_every_other_machine_must_prove_who_it_is() {
        let mode = |hosts: &[&str]| SslMode::of(hosts.iter().copied(), None, false).unwrap();
        assert_eq!(mode(&["localhost"]), SslMode::Prefer);
        assert_eq!(mode(&["/run/postgresql", "::1"]), SslMode::Prefer);
        assert_eq!(mode(&["db.example.com"]), SslMode::VerifyFull);
        assert_eq!(mode(&["localhost", "10.0.0.1"]), SslMode::VerifyFull);
        // An authority of one's own asks for nothing less.
        assert_eq!(SslMode::of(["db"], None, true).unwrap(), SslMode::VerifyFull);
    }

    #[test]
    fn what_an_address_asks_for_is_done_and_what_it_risks_is_said() {
        for mode in SslMode::ALL {
            assert_eq!(SslMode::of(["db"], Some(mode.as_str()), false).unwrap(), *mode);
            assert_eq!(mode.risk(["localhost", "/run"], "localhost:5432/users"), None);
            let risk = mode.risk(["localhost", "db"], "db:5432/users");
            assert_eq!(risk.is_none(), *mode == SslMode::VerifyFull, "{risk:?}");
            if let Some(risk) = risk {
                assert!(risk.contains("db:5432/users") && risk.contains(mode.as_str()), "{risk}");
            }
        }
        assert_eq!(SslMode::of(["db"], Some("require"), true).unwrap(), SslMode::VerifyCa);
        for word in ["allow", "REQUIRE", "on", "", "verify_full"] {
            let error = SslMode::of(["localhost"], Some(word), false).unwrap_err().to_string();
            assert!(error.contains(&format!("`{word}` is no sslmode")), "{error}");
        }
    }
}
