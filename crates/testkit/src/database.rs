//! A database for a test, empty or copied from a template that is built once.

use std::process::{Command, Stdio};

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::TestServer;
use crate::server::execute;

/// A database of one test, dropped with its connections when the value is.
#[derive(Debug)]
pub struct TestDatabase {
    server: &'static TestServer,
    name: String,
    pool: PgPool,
}

/// A database that tests copy instead of building it again: it lives as long as the server does.
#[derive(Debug, Clone)]
pub struct Template {
    name: String,
}

impl Template {
    /// The template `name`, built by `build` (given the address of an empty database) unless some test of any process
    /// has built it. The name must say what is in it, a version or hash included: the server may outlive a run.
    ///
    /// # Panics
    /// When `build` fails.
    pub async fn once<E: std::fmt::Display>(name: &str, build: impl AsyncFnOnce(String) -> Result<(), E>) -> Self {
        let server = TestServer::get().await;
        let name = format!("template_{}", word(name));
        let mut connection = server.connect().await;
        // Held by this connection: freed at its end, and at ours.
        execute(&mut connection, format!("select pg_advisory_lock(hashtext('{name}'))")).await;
        let found = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(&name);
        let built: bool = found.fetch_one(&mut connection).await.expect("the catalogue answers");
        if !built {
            let unfinished = format!("unfinished_{name}");
            execute(
                &mut connection,
                format!(r#"drop database if exists "{unfinished}" with (force)"#),
            )
            .await;
            execute(&mut connection, format!(r#"create database "{unfinished}""#)).await;
            let built = build(server.url(&unfinished)).await;
            built.unwrap_or_else(|error| panic!("the template {name} cannot be built: {error}"));
            // A pool that `build` has dropped may still be saying goodbye; nobody may be in a template.
            let goodbye = "select pg_terminate_backend(pid) from pg_stat_activity where datname";
            execute(&mut connection, format!("{goodbye} = '{unfinished}'")).await;
            execute(
                &mut connection,
                format!(r#"alter database "{unfinished}" rename to "{name}""#),
            )
            .await;
            execute(
                &mut connection,
                format!(r#"alter database "{name}" with allow_connections false"#),
            )
            .await;
        }
        Self { name }
    }
}

impl TestDatabase {
    /// An empty database, whose name begins with `label`.
    ///
    /// # Panics
    /// When it cannot be created.
    pub async fn create(label: &str) -> Self {
        Self::copy("template0", label).await
    }

    /// A copy of `template`.
    ///
    /// # Panics
    /// When it cannot be created.
    pub async fn from_template(template: &Template, label: &str) -> Self {
        Self::copy(&template.name, label).await
    }

    async fn copy(template: &str, label: &str) -> Self {
        let server = TestServer::get().await;
        let name = format!("{}_{}", word(label), Uuid::new_v4().simple());
        execute(
            &mut server.connect().await,
            format!(r#"create database "{name}" template "{template}""#),
        )
        .await;
        let pool = PgPoolOptions::new().max_connections(8).connect_lazy(&server.url(&name));
        Self {
            server,
            name,
            pool: pool.expect("the test server's addresses are well formed"),
        }
    }

    /// Its address, for sqlx, the `postgres` crate and psql.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Connections to it.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let mut dropdb = Command::new(self.server.bin_dir().join("dropdb"));
        dropdb.arg("--maintenance-db").arg(self.server.url("postgres"));
        dropdb
            .args(["--force", "--if-exists", "--", &self.name])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // Left alone it ends by itself, after this test, and what it cannot drop goes with the server.
        _ = dropdb.spawn();
    }
}

/// `label` as the beginning of a database's name: at most 30 characters of `a-z0-9_`.
fn word(label: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    label.chars().map(plain).take(30).collect()
}
