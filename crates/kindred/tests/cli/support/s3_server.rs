//! An S3-speaking server of a test's own, moto's, with a bucket for a lake in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use kindred_lake::Lake;
use kindred_testkit::Proxy;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use reqwest::{Client, Method};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{Kindred, python, repository};

/// The lake's address.
pub(crate) const LAKE: &str = "s3://lake/kindred";

/// A server that asks for no keys takes any.
const ANY_KEYS: [&str; 2] = ["AKIAOFATEST", "the secret of a test's bucket"];

/// Uploads at the same time.
const UPLOADS: usize = 8;

/// Says to moto which of its services a request is for; it is checked for no more than that.
const FOR_IAM: &str =
    "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x";

/// A server with a bucket. It ends when this is dropped.
pub(crate) struct S3Server {
    _process: Child,
    port: u16,
    client: Client,
}

impl S3Server {
    pub(crate) async fn start() -> Self {
        let script = repository("crates/kindred/tests/cli/support/s3_server.py");
        let mut process = Command::new(python("s3").await)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = said
            .next_line()
            .await
            .unwrap()
            .expect("the server says its port, or above why it did not start");
        let server = Self {
            _process: process,
            port: port.parse().unwrap(),
            client: Client::new(),
        };
        server.make_bucket().await;
        server
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A wire to it.
    pub(crate) async fn wire(&self) -> Proxy {
        Proxy::to_http(self.port).await
    }

    /// The binary with its lake in the bucket, by way of an address of the server.
    pub(crate) fn keeps_lake_of(kindred: Kindred, endpoint: &str) -> Kindred {
        let kindred = kindred.with("LAKE_URL", LAKE);
        options(endpoint).into_iter().fold(kindred, |kindred, (name, value)| {
            kindred.with(&name.to_uppercase(), value)
        })
    }

    /// The lake in the bucket.
    pub(crate) fn lake(&self) -> Lake {
        Lake::open(LAKE, options(&self.url())).unwrap()
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        self.lake().store()
    }

    /// The lake's objects, each with its size and tag.
    pub(crate) async fn objects(&self) -> BTreeMap<String, (u64, String)> {
        let listed = self.store().list(None);
        let objects = listed.map_ok(|meta| (meta.location.to_string(), (meta.size, meta.e_tag.unwrap())));
        objects.try_collect().await.unwrap()
    }

    /// The lake's objects, by name.
    pub(crate) async fn keys(&self) -> BTreeSet<String> {
        self.objects().await.into_keys().collect()
    }

    /// Copies files below a folder into the lake.
    pub(crate) async fn upload(&self, folder: &Path, files: BTreeSet<String>) {
        let store = self.store();
        let uploads = stream::iter(files).map(|file| {
            let (store, content) = (Arc::clone(&store), std::fs::read(folder.join(&file)).unwrap());
            async move { store.put(&Key::from(file), content.into()).await }
        });
        uploads.buffer_unordered(UPLOADS).try_collect::<Vec<_>>().await.unwrap();
    }

    pub(crate) async fn make_bucket(&self) {
        self.send(Method::PUT, "/lake").await;
    }

    /// Deletes the bucket with all that is in it.
    pub(crate) async fn delete_bucket(&self) {
        let store = self.store();
        let all = store.list(None).map_ok(|meta| meta.location).boxed();
        store.delete_stream(all).try_collect::<Vec<_>>().await.unwrap();
        self.send(Method::DELETE, "/lake").await;
    }

    /// Makes a user who may do everything in every bucket, and asks for keys and signatures from now on. Returns the user's
    /// key and its secret.
    pub(crate) async fn demand_keys(&self) -> [String; 2] {
        let all = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
        let user = ("UserName", "kindred");
        self.iam(&[("Action", "CreateUser"), user]).await;
        let policy = [("PolicyName", "all"), ("PolicyDocument", all)];
        self.iam(&[&[("Action", "PutUserPolicy"), user][..], &policy].concat())
            .await;
        let made = self.iam(&[("Action", "CreateAccessKey"), user]).await;
        let told = |name: &str| {
            let after = made.split_once(&format!("<{name}>")).expect("it is told").1;
            after.split('<').next().unwrap().to_owned()
        };
        let demand = self
            .client
            .post(format!("{}/moto-api/reset-auth", self.url()))
            .body("0");
        demand.send().await.unwrap().error_for_status().unwrap();
        [told("AccessKeyId"), told("SecretAccessKey")]
    }

    async fn iam(&self, form: &[(&str, &str)]) -> String {
        let request = self.client.post(self.url()).header("authorization", FOR_IAM).form(form);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.text().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str) {
        let request = self.client.request(method, format!("{}{path}", self.url()));
        request.send().await.unwrap().error_for_status().unwrap();
    }
}

/// The store's settings, as a lake takes them.
fn options(endpoint: &str) -> [(String, String); 5] {
    [
        ("aws_endpoint", endpoint),
        ("aws_allow_http", "true"),
        ("aws_region", "us-east-1"),
        ("aws_access_key_id", ANY_KEYS[0]),
        ("aws_secret_access_key", ANY_KEYS[1]),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}
