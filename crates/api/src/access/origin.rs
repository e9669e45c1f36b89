//! Which web pages may ask: the dashboard's by CORS, and nobody else's to change anything.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, LOCATION, ORIGIN, RETRY_AFTER,
};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::Access;
use crate::layers::REQUEST_ID;

/// For how long a browser need not ask again what the dashboard may.
const PREFLIGHT_AGE: Duration = Duration::from_secs(60 * 60);

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

impl Access {
    /// Tells browsers that the dashboard's page may ask; nothing when there is none.
    pub(crate) fn cors(&self) -> Option<CorsLayer> {
        let frontend = self.frontend.clone()?;
        let cors = CorsLayer::new()
            .allow_origin(AllowOrigin::list([frontend]))
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
            .allow_headers([AUTHORIZATION, CONTENT_TYPE, ACCEPT, IF_NONE_MATCH, REQUEST_ID])
            .expose_headers([ETAG, X_CACHE, REQUEST_ID, RETRY_AFTER, LOCATION])
            .max_age(PREFLIGHT_AGE);
        Some(cors)
    }

    /// Whether the page that asks, if it is one, may ask for this.
    ///
    /// A browser sends what a page asks for without reading to any server, also to one on loopback that is open to
    /// whoever is on the machine. It names the page's origin then; other callers name none.
    pub(super) fn is_page_permitted(&self, request: &Request) -> bool {
        if request.method().is_safe() {
            return true;
        }
        let mut origins = request.headers().get_all(ORIGIN).into_iter();
        origins.all(|origin| self.frontend.as_ref() == Some(origin) || self.is_own(origin, request))
    }

    /// Whether the page is this server's. Where no token is demanded, a server's name must be one that no stranger can
    /// give it: a page may have a name of its own point to this machine, and call that its own origin.
    fn is_own(&self, origin: &HeaderValue, request: &Request) -> bool {
        let own = request.headers().get(HOST).map(HeaderValue::as_bytes);
        let named = ["http://", "https://"]
            .iter()
            .find_map(|scheme| origin.as_bytes().strip_prefix(scheme.as_bytes()));
        named.is_some() && named == own && (!self.is_open() || is_name_of_a_machine(origin))
    }
}

fn is_name_of_a_machine(origin: &HeaderValue) -> bool {
    let uri: Option<Uri> = origin.to_str().ok().and_then(|origin| origin.parse().ok());
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}
