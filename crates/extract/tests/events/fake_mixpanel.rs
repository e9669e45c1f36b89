//! A server that speaks the protocol of Mixpanel's raw export, and fails as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use futures::StreamExt;
use kindred_extract::{EventSource, EventsConfig, Patience};

use crate::source::config;

pub(crate) const SECRET: &str = "hunter2";

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200, and this body.
    Body(Vec<u8>),
    /// A status, headers and a body.
    Status(u16, &'static [(&'static str, &'static str)], &'static str),
    /// 200, these pieces, each after a pause; then the connection breaks.
    Broken(&'static [&'static str]),
    /// 200, these pieces, each after a pause, and a sound end.
    Slow(Duration, Vec<String>),
}

/// Answers in this order, one a request; nothing but empty bodies after them.
#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
}

/// A request.
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) authorization: String,
}

pub(crate) struct FakeMixpanel {
    script: Arc<Mutex<Script>>,
    pub(crate) base: String,
}

impl FakeMixpanel {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Arc::new(Mutex::new(Script {
            answers: answers.into_iter().collect(),
            asked: Vec::new(),
        }));
        let app = Router::new()
            .route("/api/2.0/export", get(export))
            .with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { script, base }
    }

    /// The days asked for, in their order.
    pub(crate) fn days(&self) -> Vec<String> {
        self.with_asked(|asked| asked.iter().map(|asked| asked.query["from_date"].clone()).collect())
    }

    pub(crate) fn with_asked<T>(&self, of: impl FnOnce(&[Asked]) -> T) -> T {
        of(&self.script.lock().unwrap().asked)
    }

    /// The export of project 42, read by somebody who waits for nothing.
    pub(crate) fn source(&self) -> EventSource {
        self.source_with(|_| {})
    }

    pub(crate) fn source_with(&self, change: impl FnOnce(&mut Patience)) -> EventSource {
        EventSource::new(self.config_with(change)).expect("the settings are good")
    }

    pub(crate) fn config_with(&self, change: impl FnOnce(&mut Patience)) -> EventsConfig {
        let mut config = config("mixpanel://42");
        config.mixpanel.username = Some("robot".into());
        config.mixpanel.secret = Some(SECRET.into());
        config.mixpanel.base_url = Some(self.base.clone());
        config.mixpanel.patience = Patience {
            silence: Duration::from_millis(500),
            retries: 2,
            backoff: Duration::from_millis(1),
            longest_wait: Duration::from_secs(3),
            between_requests: Duration::ZERO,
            ..Patience::default()
        };
        change(&mut config.mixpanel.patience);
        config
    }
}

/// Lines of events of these ids, done by `u1` at noon of 2026-03-10.
pub(crate) fn lines(ids: &[&str]) -> String {
    let line = |id| {
        format!(
            r#"{{"event":"app_open","properties":{{"time":1773144000,"distinct_id":"u1","$insert_id":"{id}","mp_processing_time_ms":1773144001000,"secret":1}}}}"#
        )
    };
    ids.iter().map(|id| line(id) + "\n").collect()
}

pub(crate) fn body(ids: &[&str]) -> Answer {
    Answer::Body(lines(ids).into())
}

async fn export(
    State(script): State<Arc<Mutex<Script>>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    let answer = {
        let mut script = script.lock().unwrap();
        script.asked.push(Asked {
            at: Instant::now(),
            query,
            authorization: headers["authorization"].to_str().unwrap().to_owned(),
        });
        script.answers.pop_front().unwrap_or(Answer::Body(Vec::new()))
    };
    let mut response = Response::builder();
    let body = match answer {
        Answer::Body(body) => Body::from(body),
        Answer::Status(status, headers, body) => {
            response = response.status(status);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            Body::from(body)
        }
        Answer::Broken(pieces) => {
            let pieces = pieces.iter().map(|piece| Ok(Bytes::from(*piece)));
            paced(
                Duration::from_millis(20),
                pieces.chain([Err(io::Error::other("broken"))]).collect(),
            )
        }
        Answer::Slow(pause, pieces) => paced(pause, pieces.into_iter().map(|piece| Ok(piece.into())).collect()),
    };
    response.body(body).unwrap()
}

fn paced(pause: Duration, pieces: Vec<io::Result<Bytes>>) -> Body {
    Body::from_stream(futures::stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        piece
    }))
}
