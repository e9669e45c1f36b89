//! A serving process: its addresses, its answers, its end.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Answer, Kindred};

const PATIENCE: Duration = Duration::from_secs(90);
const KPI: &str = "KPI API listens on ";
const CONTROL: &str = "ETL control API listens on ";

/// A running `kindred demo` or `kindred serve`.
pub(crate) struct Server {
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
    /// They end when the process has closed what it prints to.
    gathering: [JoinHandle<()>; 2],
    client: reqwest::Client,
    /// How long it took until it answered.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts a serving command and waits until it serves.
    pub(crate) async fn start(kindred: &Kindred, arguments: &[&str]) -> Self {
        Self::start_until(kindred, arguments, "everything is open to whoever is on this machine").await
    }

    /// Starts a command and waits until it has logged a text.
    pub(crate) async fn start_until(kindred: &Kindred, arguments: &[&str], text: &str) -> Self {
        let began = Instant::now();
        let mut child = kindred.command(arguments).spawn().unwrap();
        let (out, gathering_out) = gather(child.stdout.take().unwrap());
        let (err, gathering_err) = gather(child.stderr.take().unwrap());
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let mut server = Self {
            child,
            out,
            err,
            gathering: [gathering_out, gathering_err],
            client,
            ready_after: Duration::ZERO,
        };
        server.wait_for(text).await;
        server.ready_after = began.elapsed();
        server
    }

    async fn wait_for(&mut self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < PATIENCE,
                "`{text}` was not logged ({ended:?}):\n{}",
                self.log()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    pub(crate) fn printed(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// GET of the KPI API.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, _, body) = self.ask(Method::GET, KPI, path).await;
        (status, body)
    }

    /// A request of the ETL control API.
    pub(crate) async fn control(&self, method: Method, path: &str) -> (StatusCode, Value) {
        let (status, _, body) = self.ask(method, CONTROL, path).await;
        (status, body)
    }

    /// The status of a GET of the KPI API with a token.
    pub(crate) async fn get_with(&self, token: &str, path: &str) -> StatusCode {
        self.send(Method::GET, KPI, path, Some(token)).await.status()
    }

    /// The status of a request of the ETL control API with a token.
    pub(crate) async fn control_with(&self, token: &str, method: Method, path: &str) -> StatusCode {
        self.send(method, CONTROL, path, Some(token)).await.status()
    }

    /// How both servers answer a GET: status, and what `Retry-After` says.
    pub(crate) async fn standing(&self, kpi: &str, control: &str) -> [(u16, Option<String>); 2] {
        let told = async |part, path| {
            let answer = self.send(Method::GET, part, path, None).await;
            let after = answer.headers().get("retry-after");
            let after = after.map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), after)
        };
        [told(KPI, kpi).await, told(CONTROL, control).await]
    }

    /// A request that is refused: its status, and the detail of the problem document.
    pub(crate) async fn refusal(&self, method: Method, path: &str) -> (u16, String) {
        let (status, content_type, body) = self.ask(method, CONTROL, path).await;
        assert_eq!(content_type, "application/problem+json", "{path}: {body}");
        assert_eq!(body["status"], status.as_u16(), "{path}: {body}");
        (status.as_u16(), body["detail"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until no run is queued or under way, and answers the last one.
    pub(crate) async fn idle(&self) -> Value {
        let began = Instant::now();
        loop {
            let (_, health) = self.control(Method::GET, "/health").await;
            let run = &health["jobs"][0]["lastRun"];
            if !matches!(run["status"].as_str(), Some("queued" | "running")) {
                return run.clone();
            }
            assert!(began.elapsed() < PATIENCE, "the run does not end: {run}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn ask(&self, method: Method, part: &str, path: &str) -> (StatusCode, String, Value) {
        let answer = self.send(method, part, path, None).await;
        let content_type = answer.headers().get("content-type");
        let content_type = content_type.map_or(String::new(), |value| value.to_str().unwrap().to_owned());
        (
            answer.status(),
            content_type,
            answer.json().await.unwrap_or(Value::Null),
        )
    }

    async fn send(&self, method: Method, part: &str, path: &str, token: Option<&str>) -> Response {
        let log = self.log();
        let at = log
            .find(part)
            .unwrap_or_else(|| panic!("`{part}` was not logged:\n{log}"));
        let address = log[at + part.len()..].split(['\n', '"']).next().unwrap();
        // One that listens everywhere listens here, too.
        let address = address.replace("//0.0.0.0:", "//127.0.0.1:");
        let request = self.client.request(method, format!("{address}{path}"));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    pub(crate) async fn stop(mut self) -> Answer {
        self.signal("TERM");
        let ended = timeout(Duration::from_secs(30), self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it did not stop within 30 s:\n{}", self.log()));
        for gathering in &mut self.gathering {
            gathering.await.unwrap();
        }
        self.answer(ended.unwrap())
    }

    /// Kills it, without a chance to say goodbye.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn answer(&self, ended: ExitStatus) -> Answer {
        Answer {
            code: ended.code(),
            bytes: Vec::new(),
            out: self.printed(),
            err: self.log(),
        }
    }
}

fn gather(stream: impl AsyncRead + Unpin + Send + 'static) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let gathered = Arc::new(Mutex::new(String::new()));
    let text = Arc::clone(&gathered);
    let gathering = tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut text = text.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    (gathered, gathering)
}
