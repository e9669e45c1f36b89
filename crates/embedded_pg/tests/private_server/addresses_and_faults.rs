//! Addresses that every client understands, users that are not root, and errors that say what to check.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use crate::owner::Owner;
use crate::support::{self, State, processes_in, until};
use kindred_embedded_pg::{EmbeddedPgError, Options, start};

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[tokio::test]
async fn one_address_serves_psql_sqlx_and_the_postgres_crate_whatever_the_environment_says() {
    let state = State::new();
    let server = start(state.options()).await.unwrap();
    server.create_database("odd name/of % it").await.unwrap();
    let address = server.url("odd name/of % it");

    let sql = "select current_database()::text";
    assert_eq!(
        support::query(&address, sql).await.unwrap().as_deref(),
        Some("odd name/of % it")
    );

    // ConnectorX hands the `postgres` crate what `url::Url` makes of an address.
    let parsed = url::Url::parse(&address).unwrap().to_string();
    let by_postgres = tokio::task::spawn_blocking(move || {
        let mut client = postgres::Client::connect(&parsed, postgres::NoTls).unwrap();
        client
            .query_one("select current_database()::text", &[])
            .unwrap()
            .get::<_, String>(0)
    });
    assert_eq!(by_postgres.await.unwrap(), "odd name/of % it");

    let psql = Command::new(server.bin_dir().join("psql"))
        .envs([
            ("PGPORT", "1"),
            ("PGSSLMODE", "require"),
            ("PGUSER", "nobody"),
            ("PGHOST", "nowhere.invalid"),
        ])
        .args([&address, "-XAtc", sql])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&psql.stdout), "odd name/of % it\n", "{psql:?}");
}

#[tokio::test]
async fn a_state_folder_too_deep_for_a_socket_gets_a_short_private_socket_folder() {
    let state = State::new();
    let deep = state.path().join("d".repeat(60)).join("e".repeat(60));
    let server = start(Options::new(&deep)).await.unwrap();
    assert_eq!(
        support::query(&server.url("postgres"), "select 'up'")
            .await
            .unwrap()
            .as_deref(),
        Some("up")
    );
    assert!(server.socket_dir().starts_with("/tmp"));
    assert_eq!(support::mode(server.socket_dir()), 0o700);
    let socket_dir = server.socket_dir().to_owned();
    server.close().await.unwrap();
    fs::remove_dir_all(socket_dir).unwrap();
}

#[tokio::test]
async fn any_user_can_own_a_server_of_its_own() {
    if !is_root() {
        return; // every other test has shown it
    }
    let state = State::new();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    chown(state.path(), Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    // The test binary lies in a folder that may be closed to others.
    let copy = state.path().join("owner");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid",
            "nobody",
            "--regid",
            &nobody.gid.to_string(),
            "--clear-groups",
        ])
        .arg(copy);
    command.current_dir("/");

    let mut owner = Owner::spawn_by(command, &state);
    assert_eq!(owner.answer(), "ready");
    let user = "select pg_catalog.pg_stat_file('.')::text";
    assert!(support::query(&owner.url(), user).await.is_ok());
    let postmaster = support::postmaster(&state).unwrap();
    let status = fs::read_to_string(format!("/proc/{postmaster}/status")).unwrap();
    assert!(status.contains(&format!("Uid:\t{}\t", nobody.uid)), "{status}");

    // Root does not meddle with the folder of another user.
    let error = start(state.options()).await.unwrap_err();
    assert!(matches!(error, EmbeddedPgError::WrongOwner { .. }), "{error}");
    owner.kill();
    until("the server has stopped", || processes_in(&state).is_empty()).await;
}

#[tokio::test]
async fn a_state_folder_that_the_servers_user_cannot_reach_is_named() {
    if !is_root() {
        return; // only root runs the server as somebody else
    }
    let state = State::new();
    fs::set_permissions(state.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = start(Options::new(state.path().join("below"))).await.unwrap_err();
    assert!(
        matches!(&error, EmbeddedPgError::ClosedFolder { path, .. } if path == state.path()),
        "{error}"
    );
}

#[tokio::test]
async fn a_cluster_of_another_major_version_is_refused_before_anything_is_touched() {
    let state = State::new();
    start(state.options()).await.unwrap().close().await.unwrap();
    fs::write(state.data().join("PG_VERSION"), "9.6\n").unwrap();
    let error = start(state.options()).await.unwrap_err();
    assert!(
        matches!(&error, EmbeddedPgError::OtherMajor { found, .. } if found == "9.6"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_start_says_why_at_once() {
    let state = State::new();
    start(state.options()).await.unwrap().close().await.unwrap();
    fs::write(state.data().join("postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let began = std::time::Instant::now();
    let error = start(state.options()).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("no_such_setting") && said.contains("server.log"),
        "{said}"
    );
    assert!(began.elapsed().as_secs() < 10, "it took {:?}", began.elapsed());

    // It is not stuck: mended, it starts.
    fs::write(state.data().join("postgresql.conf"), "").unwrap();
    start(state.options()).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full() {
    // A file system of 24 MB, when this process may mount one.
    let state = State::new();
    let small = state.path().join("small");
    fs::create_dir(&small).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs"])
        .arg(&small)
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return;
    }
    let error = start(Options::new(&small)).await.map(drop).unwrap_err();
    let left = small.join("postgres/data").exists();
    let unmounted = Command::new("umount").arg(&small).status().unwrap();
    assert!(unmounted.success(), "nothing works in it any more");
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert!(!left, "no half cluster is left");
}
