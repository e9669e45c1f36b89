use super::*;

fn parse(url: &str) -> Address {
    Address::parse(Source::Users, url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refusal(url: &str) -> String {
    match Address::parse(Source::Users, url) {
        Ok(_) => panic!("{url} was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_host_parameter_replaces_the_host_as_it_does_for_psql() {
    for url in [
        "postgresql://kindred@localhost/users?host=/run/my%20db&application_name=x",
        "postgresql://kindred@localhost/users?application_name=x&host=%2Frun%2Fmy%20db",
        "postgresql://kindred@/users?host=/run/my%20db",
        "postgresql://kindred@%2Frun%2Fmy%20db/users",
    ] {
        let address = parse(url);
        assert_eq!(address.config.get_hosts(), [Host::Unix("/run/my db".into())], "{url}");
        assert_eq!(address.config.get_user(), Some("kindred"));
        assert_eq!(address.label, "/run/my db/.s.PGSQL.5432/users");
    }
    let address = parse("postgresql://u:p@localhost:5433/users?host=db.internal");
    assert_eq!(address.config.get_hosts(), [Host::Tcp("db.internal".into())]);
    assert_eq!(address.config.get_ports(), [5433]);
    assert_eq!(address.label, "db.internal:5433/users");
}

#[test]
fn a_socket_needs_no_tls_whatever_the_mode() {
    let address = parse("postgresql://kindred@%2Frun%2Fdb/users?sslmode=verify-full");
    assert_eq!(address.config.get_ssl_mode(), config::SslMode::Disable);
}

#[test]
fn modes_are_read_as_libpq_reads_them() {
    for (mode, expected) in [
        ("?sslmode=disable", config::SslMode::Disable),
        ("?sslmode=prefer", config::SslMode::Prefer),
        ("?sslmode=require", config::SslMode::Require),
        ("?sslmode=verify-ca", config::SslMode::Require),
        ("?connect_timeout=3&sslmode=verify-full", config::SslMode::Require),
    ] {
        assert_eq!(
            parse(&format!("postgres://u:p@db/users{mode}")).config.get_ssl_mode(),
            expected,
            "{mode}"
        );
    }
}

#[test]
fn an_address_that_leads_away_is_verified_unless_it_says_otherwise() {
    for (url, mode) in [
        ("postgresql://u:p@localhost/users", SslMode::Prefer),
        ("postgresql://u:p@[::1]/users", SslMode::Prefer),
        ("postgresql://u:p@db/users?host=/run/postgresql", SslMode::Prefer),
        ("postgresql://u:p@db/users", SslMode::VerifyFull),
        ("postgresql://u:p@localhost/users?host=db", SslMode::VerifyFull),
        (
            "postgresql://u:p@localhost/users?hostaddr=10.0.0.1",
            SslMode::VerifyFull,
        ),
        ("postgresql://u:p@localhost,db/users", SslMode::VerifyFull),
        ("postgresql://u:p@db/users?sslrootcert=system", SslMode::VerifyFull),
        (
            "postgresql://u:p@db/users?sslmode=require&sslrootcert=system",
            SslMode::Require,
        ),
        ("postgresql://u:p@db/users?sslmode=disable", SslMode::Disable),
    ] {
        let address = parse(url);
        assert_eq!(address.mode, mode, "{url}");
        let is_risky = matches!(mode, SslMode::Require | SslMode::Disable);
        assert_eq!(address.risk().is_some(), is_risky, "{url}: {:?}", address.risk());
        assert!(!address.risk().unwrap_or_default().contains("u:p"), "{url}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_without_repeating_the_password() {
    for (url, said) in [
        ("mysql://u:hunter2@db/users", "does not begin with postgresql://"),
        (
            "host=db user=u password=hunter2 dbname=users",
            "does not begin with postgresql://",
        ),
        ("redshift-iam://u:hunter2@db/users", "does not begin with postgresql://"),
        ("postgresql://u:hunter2@db", "names no database"),
        ("postgresql:///users", "names no host"),
        (
            "postgresql://u:hunter2@db/users?sslmode=on",
            "`on` is no sslmode; expected one of disable",
        ),
        (
            "postgresql://u:hunter2@db/users?sslrootcert=/no/such.pem",
            "sslrootcert /no/such.pem cannot be read",
        ),
        ("postgresql://u:hunter2@db/users?sslcert=/a.pem", "only of use together"),
        ("postgresql://u:hunter2@db/users?schema=public", "schema"),
        ("postgresql://u:hunter2@db:port/users", "port"),
    ] {
        let refusal = refusal(url);
        assert!(refusal.contains(said), "{url}: {refusal}");
        assert!(refusal.starts_with("USER_SERVICE_DATABASE_URL"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
