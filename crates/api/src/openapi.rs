//! The OpenAPI document of a server, made from its handlers, and the page to read it with.
//!
//! What every operation has in common (who may call it, what can go wrong, the forms of a KPI answer) is added here
//! once, and not written at each handler.

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use axum::middleware::map_response;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::PartialSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::Problem;

const TOKEN: &str = "token";

/// The page sets styles in its elements and has its pictures in its style sheet; its scripts are files.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Errors that any operation may answer, and what each means.
const PROBLEMS: [(&str, &str); 8] = [
    ("400", "A parameter is unknown, malformed, or contradicts another"),
    ("401", "A token is needed, and none that is known was given"),
    (
        "403",
        "The token's role may not do this, or the page that asks is not the dashboard",
    ),
    ("408", "The answer took too long"),
    ("413", "The body is longer than 64 KiB"),
    (
        "429",
        "The token was used too often; Retry-After says when it may be again",
    ),
    ("500", "Something went wrong here"),
    ("503", "The warehouse is away; Retry-After says when to ask again"),
];

/// Those of them that only a route answers that takes a token.
const OF_TOKENS: [&str; 3] = ["401", "403", "429"];

/// The document's first words, to complete with the paths.
pub(crate) fn document(title: &str, description: &str) -> OpenApi {
    let licence = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0"));
    let info = InfoBuilder::new()
        .title(title)
        .description(Some(description))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(licence.build()));
    let mut document = OpenApi::new(info.build(), utoipa::openapi::Paths::new());
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of API_TOKENS; none is needed where no tokens are set"));
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer.build()));
    components.schemas.insert("Problem".to_owned(), Problem::schema());
    document
}

/// Adds what operations have in common.
pub(crate) fn completed(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        if let Some(post) = &mut item.post {
            let conflict = problem("A run stands in the way: `runId` names it");
            post.responses.responses.insert("409".to_owned(), conflict);
        }
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            if operation.request_body.is_some() {
                let unread = problem("The body is not said to be JSON");
                operation.responses.responses.insert("415".to_owned(), unread);
            }
            if path.starts_with("/kpis/") {
                with_forms(operation);
            }
            let is_open = path == "/health" || path == "/ready";
            if !is_open {
                operation.security = Some(vec![
                    SecurityRequirement::default(),
                    SecurityRequirement::new(TOKEN, Vec::<String>::new()),
                ]);
            }
            let is_found = path.contains('{').then_some(("404", "There is nothing of this name"));
            let problems = PROBLEMS
                .into_iter()
                .filter(|(status, _)| !is_open || !OF_TOKENS.contains(status));
            for (status, meaning) in problems.chain(is_found) {
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert_with(|| problem(meaning));
            }
        }
    }
    document
}

/// `/openapi.json` with the document, `/docs` to read it. The page loads nothing from elsewhere.
pub(crate) fn pages<S: Clone + Send + Sync + 'static>(document: OpenApi) -> Router<S> {
    // The validator that the page would send the document to is a stranger's.
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .try_it_out_enabled(true);
    let page = SwaggerUi::new("/docs").config(config);
    Router::from(page)
        .layer(map_response(confined))
        .route("/openapi.json", get(async || Json(document)))
}

/// A page that may load from, and talk to, this server alone, and that no other page may show as its own.
async fn confined<B>(mut page: axum::http::Response<B>) -> axum::http::Response<B> {
    let headers = [
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    page.headers_mut().extend(headers);
    page
}

fn problem(meaning: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new()
        .description(meaning)
        .content("application/problem+json", content.build());
    RefOr::T(response.build())
}

/// A KPI answer comes as a document, as CSV and as an Arrow stream, with what the cache says of it.
fn with_forms(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    if let Some(RefOr::T(answer)) = responses.get_mut("200") {
        let text = || ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        let forms = [
            ("text/csv", text()),
            (
                "application/vnd.apache.arrow.stream",
                text().format(Some(SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Binary))),
            ),
        ];
        for (form, schema) in forms {
            let content = ContentBuilder::new().schema(Some(Schema::Object(schema.build())));
            answer.content.insert(form.to_owned(), RefOr::T(content.build()));
        }
        let headers = [
            ("X-Cache", "HIT when the answer was kept or being computed, else MISS"),
            ("ETag", "Names the figures: the same as long as they are"),
            ("Cache-Control", "How long the answer is kept, and may be"),
        ];
        for (name, meaning) in headers {
            let header = HeaderBuilder::new()
                .description(Some(meaning))
                .schema(Some(text().build()));
            answer.headers.insert(name.to_owned(), RefOr::T(header.build()));
        }
    }
    let unchanged = ResponseBuilder::new().description("The figures are those that the caller holds, by If-None-Match");
    responses.insert("304".to_owned(), RefOr::T(unchanged.build()));
    let refused = problem("The Accept header takes none of the forms");
    responses.insert("406".to_owned(), refused);
}
