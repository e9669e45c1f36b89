//! A platform of one test: its databases, its three services on loopback, and a clock that a test may set.

use axum::Router;
use kindred_model::{Clock, Instant};
use kindred_playground::{Playground, communication_service, interaction_service, user_service};
use kindred_simulator::Targets;
use kindred_testkit::TestDatabase;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row, ValueRef};
use tokio::net::TcpListener;
use uuid::Uuid;

/// When the clock of a test stands still.
pub(crate) const NOON: &str = "2026-03-10T12:00:00Z";

pub(crate) const PASSWORD: &str = "password123";

/// The services, on one database that holds all tables.
pub(crate) struct Town {
    pub(crate) database: TestDatabase,
    pub(crate) clock: Clock,
    pub(crate) playground: Playground,
    users: String,
    interactions: String,
    communications: String,
    client: reqwest::Client,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Citizen {
    pub(crate) id: Uuid,
    pub(crate) token: String,
}

/// What a call was answered: its status and its body.
pub(crate) type Answer = (u16, Value);

impl Town {
    /// At noon, with nobody in it.
    pub(crate) async fn found() -> Self {
        let database = TestDatabase::create("playground").await;
        let clock = Clock::fixed(NOON.parse().unwrap());
        let playground = Playground::open(&targets(&database), clock.clone()).await.unwrap();
        Self {
            users: serve(user_service(playground.clone())).await,
            interactions: serve(interaction_service(playground.clone())).await,
            communications: serve(communication_service(playground.clone())).await,
            client: reqwest::Client::new(),
            database,
            clock,
            playground,
        }
    }

    /// Makes it some seconds later.
    pub(crate) fn wait(&self, seconds: i64) -> Instant {
        let later = self.clock.now() + chrono::TimeDelta::seconds(seconds);
        self.clock.set(later);
        later
    }

    /// A request to whichever service has the address.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let service = match path {
            path if path.starts_with("/api/matches") => &self.interactions,
            path if path.starts_with("/api/messages") => &self.communications,
            _ => &self.users,
        };
        self.client.request(method, format!("{service}{path}"))
    }

    /// A call without a token.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    /// A call of somebody who is signed in.
    pub(crate) async fn post_as(&self, citizen: &Citizen, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(&citizen.token);
        answer(request.json(&body)).await
    }

    pub(crate) async fn put_as(&self, citizen: &Citizen, path: &str, body: Value) -> Answer {
        let request = self.request(Method::PUT, path).bearer_auth(&citizen.token);
        answer(request.json(&body)).await
    }

    pub(crate) async fn get_as(&self, citizen: &Citizen, path: &str) -> Answer {
        answer(self.request(Method::GET, path).bearer_auth(&citizen.token)).await
    }

    pub(crate) async fn register(&self, name: &str) -> Answer {
        let body = json!({
            "email": format!("{name}@example.com"),
            "password": PASSWORD,
            "username": name,
            "dateOfBirth": "1995-05-15",
        });
        self.post("/api/auth/register", body).await
    }

    pub(crate) async fn login(&self, name: &str) -> Citizen {
        let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        let (status, body) = self.post("/api/auth/login", body).await;
        assert_eq!(status, 200, "{body}");
        Citizen {
            id: body["userId"].as_str().unwrap().parse().unwrap(),
            token: body["token"].as_str().unwrap().to_owned(),
        }
    }

    /// Registers somebody and signs them in.
    pub(crate) async fn settle(&self, name: &str) -> Citizen {
        let (status, body) = self.register(name).await;
        assert_eq!(status, 201, "{body}");
        self.login(name).await
    }

    /// What a statement answers: a line a row, fields apart by `|`, without those that are null.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(self.database.pool()).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let text = |row: &PgRow| {
            let fields = (0..row.len()).map(|at| row.try_get_raw(at).unwrap());
            let fields = fields
                .filter(|field| !field.is_null())
                .map(|field| field.as_str().unwrap().to_owned());
            fields.collect::<Vec<_>>().join("|")
        };
        rows.iter().map(text).collect()
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let count = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")));
        count.fetch_one(self.database.pool()).await.unwrap()
    }

    /// Changes the databases behind the services' back.
    pub(crate) async fn alter(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.database.pool()).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

/// All three sources in one database.
pub(crate) fn targets(database: &TestDatabase) -> Targets {
    Targets {
        users: database.url(),
        interactions: database.url(),
        communications: database.url(),
        moderation: None,
    }
}

/// Sends a request. Every refusal is the same problem document.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").cloned();
    let body: Value = answer.json().await.unwrap_or(Value::Null);
    if status >= 400 {
        assert_eq!(content_type.unwrap(), "application/problem+json", "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert!(!body["detail"].as_str().unwrap().is_empty(), "{body}");
    }
    (status, body)
}

/// Demands a status, and words in what is told.
#[track_caller]
pub(crate) fn refused((status, body): &Answer, expected: u16, words: &[&str]) {
    assert_eq!(*status, expected, "{body}");
    let detail = body["detail"].as_str().unwrap_or_default();
    for word in words {
        assert!(detail.contains(word), "`{word}` is missing: {body}");
    }
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
