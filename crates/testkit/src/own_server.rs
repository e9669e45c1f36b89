//! A PostgreSQL server of one test's own, for what a shared one cannot have done to it: passwords, TLS, being killed.

use std::fs;
use std::net::{IpAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use tempfile::TempDir;

const USER: &str = "reader";
const PASSWORD_IN_URL: &str = "p%40ss%20word%2F%3F%23";

/// An address of this machine that does not look like one: whoever connects to it ends on loopback.
pub const ELSEWHERE: &str = "0.0.0.0";

/// A server of one test's own. Runs until it is dropped; asks for a password, on a port of 127.0.0.1.
#[derive(Debug)]
pub struct OwnServer {
    folder: TempDir,
    programs: PathBuf,
    /// Where it listens.
    pub port: u16,
}

impl OwnServer {
    /// The password that it asks for.
    pub const PASSWORD: &str = "p@ss word/?#";

    /// A server with TLS, whose certificate is for `localhost`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start() -> Self {
        Self::start_as(Some("localhost"))
    }

    /// A server whose certificate is for a name or an address; none: without TLS.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_as(name: Option<&str>) -> Self {
        let programs = kindred_embedded_pg::find_binaries().unwrap_or_else(|error| panic!("{error}"));
        let folder = tempfile::Builder::new()
            .prefix("kindred-own-server")
            .tempdir()
            .expect("a folder");
        let port = free_port();
        let server = Self { folder, programs, port };
        fs::set_permissions(server.folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        fs::write(server.path("password"), Self::PASSWORD).expect("a file");
        certificates(server.folder.path(), name.unwrap_or("nobody"));
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(server.folder.path()));
        }
        let data = server.path("data");
        server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                USER,
                "-A",
                "scram-sha-256",
                "--pwfile",
                &server.path("password"),
            ],
        );
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off -c ssl={1} \
             -c ssl_cert_file={0}/server.pem -c ssl_key_file={0}/server.key",
            server.folder.path().display(),
            if name.is_some() { "on" } else { "off" },
        );
        server.run(
            "pg_ctl",
            &["-D", &data, "-o", &options, "-l", &server.path("log"), "-w", "start"],
        );
        server
    }

    /// The address of a database at `host`, which may be any name of this machine.
    #[must_use]
    pub fn url(&self, host: &str, database: &str, parameters: &str) -> String {
        format!(
            "postgresql://{USER}:{PASSWORD_IN_URL}@{host}:{}/{database}?{parameters}",
            self.port
        )
    }

    /// A file of the server's: `ca.pem` signed its certificate; `other.pem` did not.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Ends the server as a power cut would.
    ///
    /// # Panics
    /// When it does not end.
    pub fn kill(&self) {
        self.run("pg_ctl", &["-D", &self.path("data"), "-m", "immediate", "-w", "stop"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        run(command.args(arguments).current_dir("/"));
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if Path::new(&self.path("data/postmaster.pid")).exists() {
            self.kill();
        }
    }
}

/// A port that nobody listens on at this moment.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port()
}

fn is_root() -> bool {
    fs::metadata("/proc/self")
        .map(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
        .unwrap_or(false)
}

fn run(command: &mut Command) {
    // A file, not a pipe: the server that pg_ctl leaves behind would keep a pipe open.
    let output = tempfile::tempfile().expect("a file");
    let errors = output.try_clone().expect("a file");
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// Writes `ca.pem`, `server.pem` and `server.key` signed by it, and `other.pem`, another authority.
fn certificates(folder: &Path, name: &str) {
    let (authority, key) = certificate("authority", None);
    let (other, _) = certificate("another authority", None);
    let (server, server_key) = certificate(name, Some((&authority, &key)));
    let write = |name: &str, pem: Vec<u8>| {
        fs::write(folder.join(name), pem).expect("a file");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).expect("permissions");
    };
    write("ca.pem", authority.to_pem().expect("PEM"));
    write("other.pem", other.to_pem().expect("PEM"));
    write("server.pem", server.to_pem().expect("PEM"));
    write("server.key", server_key.private_key_to_pem_pkcs8().expect("PEM"));
}

/// A certificate for `name`: an authority's own, or a server's that an authority signs.
fn certificate(name: &str, signer: Option<(&X509, &PKey<Private>)>) -> (X509, PKey<Private>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
    let mut subject = X509NameBuilder::new().expect("a name");
    subject.append_entry_by_nid(Nid::COMMONNAME, name).expect("a name");
    let subject = subject.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("a version");
    builder.set_subject_name(&subject).expect("a name");
    builder.set_pubkey(&key).expect("a key");
    builder
        .set_not_before(&Asn1Time::days_from_now(0).expect("a time"))
        .expect("a time");
    builder
        .set_not_after(&Asn1Time::days_from_now(2).expect("a time"))
        .expect("a time");
    match signer {
        None => {
            builder.set_issuer_name(&subject).expect("a name");
            builder
                .append_extension(BasicConstraints::new().critical().ca().build().expect("a CA"))
                .expect("a CA");
            builder.sign(&key, MessageDigest::sha256()).expect("a signature");
        }
        Some((authority, authority_key)) => {
            builder.set_issuer_name(authority.subject_name()).expect("a name");
            let context = builder.x509v3_context(Some(authority), None);
            let mut names = SubjectAlternativeName::new();
            match name.parse::<IpAddr>() {
                Ok(_) => names.ip(name),
                Err(_) => names.dns(name),
            };
            builder
                .append_extension(names.build(&context).expect("a name"))
                .expect("a name");
            builder
                .sign(authority_key, MessageDigest::sha256())
                .expect("a signature");
        }
    }
    (builder.build(), key)
}
