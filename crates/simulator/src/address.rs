//! How a source database is connected to, by its address.

use kindred_model::is_local;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The options that an address gives. As for whoever reads these databases, a server on another machine must prove who it
/// is, unless the address says how far.
///
/// # Errors
/// When it is no PostgreSQL address.
pub fn connect_options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let is_here = options.get_socket().is_some() || is_local(options.get_host());
    // Of the parameters alone: a password may hold anything.
    let says_how_far = url
        .split_once('?')
        .is_some_and(|(_, parameters)| ["sslmode=", "ssl-mode="].iter().any(|name| parameters.contains(name)));
    Ok(if is_here || says_how_far {
        options
    } else {
        options.ssl_mode(PgSslMode::VerifyFull)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_must_prove_who_it_is_unless_its_address_says_how_far() {
        for (url, expected) in [
            ("postgresql://db.example.com/users", "VerifyFull"),
            ("postgresql://me:sslmode=disable@db.example.com/users", "VerifyFull"),
            ("postgresql://10.0.0.1/users", "VerifyFull"),
            ("postgresql://localhost.example.com/users", "VerifyFull"),
            ("postgresql://postgres:5432/users?sslmode=disable", "Disable"),
            ("postgresql://localhost/users", "Prefer"),
            ("postgresql://127.0.0.1/users", "Prefer"),
            ("postgresql://[::1]/users", "Prefer"),
            ("postgresql://me@%2Frun%2Fpostgresql/users", "Prefer"),
        ] {
            let options = connect_options(url).unwrap();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), expected, "{url}");
        }
    }
}
