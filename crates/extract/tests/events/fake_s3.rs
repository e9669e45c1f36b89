//! A server that speaks as much of S3's protocol as a reader needs: ListObjectsV2 in pages, GET with an ETag.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;

/// Objects in a page of a listing, so that there are several.
const PAGE: usize = 2;

const LAST_MODIFIED: &str = "2026-03-10T13:00:00.000Z";

pub(crate) struct FakeS3 {
    objects: Objects,
    pub(crate) endpoint: String,
}

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

impl FakeS3 {
    /// A server with one bucket, `events`.
    pub(crate) async fn start() -> Self {
        let objects = Objects::default();
        let app = Router::new()
            .route("/events", get(list))
            .route("/events/{*key}", get(object))
            .with_state(Arc::clone(&objects));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { objects, endpoint }
    }

    pub(crate) fn put(&self, key: &str, content: impl Into<Vec<u8>>) {
        self.objects.lock().unwrap().insert(key.to_owned(), content.into());
    }

    pub(crate) fn delete(&self, key: &str) {
        self.objects.lock().unwrap().remove(key);
    }
}

fn etag(content: &[u8]) -> String {
    format!("\"{}\"", blake3::hash(content).to_hex())
}

/// Requests must be signed by the right access key; the signature itself is believed.
fn is_signed(headers: &HeaderMap) -> bool {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok());
    signed.is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=reader/"))
}

fn refused() -> Response<Body> {
    let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    Response::builder()
        .status(StatusCode::FORBIDDEN)
        .body(body.into())
        .unwrap()
}

async fn list(
    State(objects): State<Objects>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    if !is_signed(&headers) {
        return refused();
    }
    assert_eq!(query["list-type"], "2");
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let after = query.get("continuation-token").cloned().unwrap_or_default();
    let objects = objects.lock().unwrap();
    let mut found = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let more = match (found.next(), page.last()) {
        (Some(_), Some((last, _))) => {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>")
        }
        _ => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    let contents: String = page
        .iter()
        .map(|(key, content)| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>{LAST_MODIFIED}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                etag(content).replace('"', "&quot;"),
                content.len()
            )
        })
        .collect();
    Response::new(format!("<ListBucketResult>{more}{contents}</ListBucketResult>").into())
}

async fn object(State(objects): State<Objects>, Path(key): Path<String>, headers: HeaderMap) -> Response<Body> {
    if !is_signed(&headers) {
        return refused();
    }
    let objects = objects.lock().unwrap();
    let Some(content) = objects.get(&key) else {
        return Response::builder()
            .status(StatusCode::NOT_FOUND)
            .body(Body::empty())
            .unwrap();
    };
    Response::builder()
        .header("etag", etag(content))
        .header("last-modified", "Tue, 10 Mar 2026 13:00:00 GMT")
        .body(content.clone().into())
        .unwrap()
}
