//! The OpenAPI document: its frame, and where it is served.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};

use crate::state::App;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Portal",
        description = "The software catalog and what stands on it. Lists answer `{items, next_cursor, total}`; \
            failures are problem documents (RFC 9457) with a stable `code`; unknown query parameters are refused.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This portal")),
    tags(
        (name = "entities", description = "What exists: components, APIs, systems, teams, …"),
        (name = "kinds", description = "Kinds of entities, built in or declared as data"),
        (name = "sources", description = "Where descriptors come from, and what is wrong with them"),
        (name = "search", description = "Ranked full text"),
        (name = "changes", description = "The feed of everything that changed"),
        (name = "access", description = "Who is asking; accounts, sessions, tokens and the audit log"),
        (name = "backstage", description = "Backstage's catalog and search API, for its own clients"),
    ),
    components(schemas(
        portal_core::problem::Problem,
        portal_core::problem::FieldError,
        crate::search::FacetName
    )),
)]
struct Frame;

/// The document without any path.
pub fn frame() -> OpenApi {
    Frame::openapi()
}

/// The complete document, as it is served and committed.
pub fn document() -> OpenApi {
    let (_, mut document) = crate::router::documented();
    complete(&mut document);
    document
}

/// The document as text, as `openapi.json` holds it.
///
/// # Errors
/// The document cannot be serialised, which a test rules out.
pub fn text() -> Result<String, serde_json::Error> {
    let mut text = document().to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

pub fn router(mut document: OpenApi) -> Router<App> {
    complete(&mut document);
    let text = document.to_json().unwrap_or_default();
    Router::new()
        .route("/api/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }))
}

/// Adds what holds for every operation: who sends it, and that failures are problems.
fn complete(document: &mut OpenApi) {
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("portal_…").build();
    let session = ApiKey::Cookie(ApiKeyValue::new("portal_session"));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    components.add_security_scheme("session", SecurityScheme::ApiKey(session));
    let none: [&str; 0] = [];
    document.security = Some(vec![SecurityRequirement::new("token", none), SecurityRequirement::new("session", none)]);
    use utoipa::openapi::{Content, ObjectBuilder, Ref, RefOr, ResponseBuilder};
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            if operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag == "backstage")) {
                let error = ResponseBuilder::new()
                    .description("An error as Backstage answers it: `{error: {name, message}, request, response}`")
                    .content("application/json", Content::new(Some(ObjectBuilder::new())));
                operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(error.build()));
                continue;
            }
            let problem = ResponseBuilder::new()
                .description("A problem document; `code` says what went wrong")
                .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))))
                .build();
            operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(problem));
        }
    }
}
