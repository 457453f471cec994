//! Reading documentation.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::catalog::{Entity, EntityRef};
use portal_core::documentation::wire::{Documentation, DocumentationPage};
use portal_core::documentation::{TECHDOCS_REF, nav};
use tokio::sync::Semaphore;
use url::form_urlencoded::byte_serialize;

use super::TECHDOCS_ENTITY;
use super::markdown::{self, Surroundings};
use super::store::{self, Stored, StoredFile};
use crate::catalog::handlers::{self as entities, RefPath};
use crate::error::{ApiError, ApiResult};
use crate::events::Event;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::etag;
use crate::http::params::Params;
use crate::state::App;

/// Pages that are rendered at the same time.
static RENDERS: Semaphore = Semaphore::const_new(4);

/// The documentation of an entity, opened at a page.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}/documentation", tag = "entities", operation_id = "find_documentation",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("page" = Option<String>, Query, description = "Path of a page; the first one when absent"),
        ("If-None-Match" = Option<String>, Header, description = "An `ETag`; 304 when it is still the current one"),
    ),
    responses((status = 200, description = "Navigation and page", body = Documentation), (status = 304, description = "Not modified")),
)]
pub async fn find_documentation(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Response> {
    let page = params.one("page")?;
    params.finish()?;
    let Found { asked, entity_ref, title, stored, files } = find(&app, &auth, parts).await?;
    let order = nav::in_order(&stored.outline.nav);
    let first = order.first().map(|page| &page.path);
    let pages: BTreeMap<&str, &StoredFile> =
        files.iter().filter(|file| file.title.is_some()).map(|file| (file.path.as_str(), file)).collect();
    let path = match page.as_ref().or(first) {
        Some(path) => path.clone(),
        None => pages.keys().next().map(|path| (*path).to_owned()).unwrap_or_default(),
    };
    let file = pages.get(path.as_str()).ok_or_else(|| {
        ApiError::not_found("page_not_found", format!("the documentation of `{entity_ref}` has no page `{path}`"))
    })?;
    app.events.record(Event {
        at: app.clock.now(),
        actor: auth.principal.actor.clone(),
        surface: "api",
        verb: "read",
        object: format!("{entity_ref}#{path}"),
        outcome: "ok",
        duration_ms: 0,
        rank: None,
        result_count: None,
    });
    let text = store::content(app.db.reader(), &file.hash).await?.unwrap_or_default();
    let place = Place {
        asked: asked.to_string(),
        path: path.clone(),
        pages: pages.keys().map(|path| (*path).to_owned()).collect(),
        files: files.iter().map(|file| file.path.clone()).collect(),
    };
    // Colouring code takes milliseconds, and a few at a time are enough.
    let turn = RENDERS.acquire().await.map_err(|error| ApiError::Internal(error.to_string()))?;
    let rendered = tokio::task::spawn_blocking(move || markdown::render(&String::from_utf8_lossy(&text), &place));
    let rendered = rendered.await.map_err(|error| ApiError::Internal(error.to_string()))?;
    drop(turn);
    let at = order.iter().position(|page| page.path == path);
    let page = DocumentationPage {
        title: file.title.clone().unwrap_or_default(),
        html: rendered.html,
        headings: rendered.headings,
        previous: at.and_then(|at| order.get(at.checked_sub(1)?)).cloned(),
        next: at.and_then(|at| order.get(at + 1)).cloned(),
        path,
    };
    let Stored { root, outline, changed_at, .. } = stored;
    let title = outline.title.unwrap_or(title);
    let body = Documentation {
        entity_ref: entity_ref.to_string(),
        title,
        root,
        changed_at,
        nav: outline.nav,
        faults: outline.faults,
        page,
    };
    let tag = etag::of(&body);
    Ok(etag::answer(&headers, &tag, body))
}

/// An image of the documentation.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}/documentation/file", tag = "entities", operation_id = "find_documentation_file",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("path" = String, Query, description = "Path inside the documentation", example = "images/flow.svg"),
        ("If-None-Match" = Option<String>, Header, description = "An `ETag`; 304 when it is still the current one"),
    ),
    responses(
        (status = 200, description = "Its bytes, under its media type", content_type = "application/octet-stream"),
        (status = 304, description = "Not modified"),
    ),
)]
pub async fn find_documentation_file(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Response> {
    let path = params.one("path")?;
    params.finish()?;
    let path = path.ok_or_else(|| ApiError::parameter("path", "which file is meant; for example `images/flow.svg`"))?;
    let Found { entity_ref, files, .. } = find(&app, &auth, parts).await?;
    let absent =
        || ApiError::not_found("file_not_found", format!("the documentation of `{entity_ref}` has no file `{path}`"));
    let file = files.iter().find(|file| file.path == path).ok_or_else(absent)?;
    let tags = [(header::ETAG, etag::header_value(&file.hash))];
    if etag::is_not_modified(&headers, &file.hash) {
        return Ok((StatusCode::NOT_MODIFIED, tags).into_response());
    }
    let bytes = store::content(app.db.reader(), &file.hash).await?.ok_or_else(absent)?;
    let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    // A picture may hold script; opened by itself it can neither run nor load anything.
    let guards: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, text(&file.media_type)),
        (header::CONTENT_SECURITY_POLICY, text("default-src 'none'; style-src 'unsafe-inline'; sandbox")),
        (header::CACHE_CONTROL, text("private, no-cache")),
    ];
    Ok((tags, guards, bytes).into_response())
}

/// Documentation that a caller may read.
struct Found {
    /// The entity that was asked for.
    asked: EntityRef,
    /// The entity that has the documentation.
    entity_ref: EntityRef,
    title: String,
    stored: Stored,
    files: Vec<StoredFile>,
}

async fn find(app: &App, auth: &Authorized<ReadCatalog>, parts: (String, String, String)) -> ApiResult<Found> {
    let asked = entities::reference(parts)?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let (_, document) = entities::document(app, &snapshot, &asked, &visibility).await?;
    let entity: Entity = serde_json::from_slice(&document.json).map(Entity).unwrap_or(Entity(serde_json::Value::Null));
    let db = app.db.reader();
    let named =
        entity.annotation(TECHDOCS_ENTITY).map(|text| EntityRef::parse(text, Some("component"), asked.namespace()));
    let mut entity_ref = asked.clone();
    if let Some(Ok(other)) = named {
        // Whether it may be seen is its own question.
        entities::visible_row(&snapshot.index, &other, &visibility)?;
        entity_ref = other;
    }
    let stored = store::find(db, &entity_ref.to_string()).await?.ok_or_else(|| undocumented(&entity_ref, &entity))?;
    let files = store::files(db, &entity_ref.to_string()).await?;
    Ok(Found { asked, entity_ref, title: entity.display_title().to_owned(), stored, files })
}

fn undocumented(entity_ref: &EntityRef, entity: &Entity) -> ApiError {
    let way = match entity.annotation(TECHDOCS_REF) {
        Some(reference) => format!("its source found nothing at `{reference}`"),
        None => {
            format!("name its folder with the annotation `{TECHDOCS_REF}`, or put a `README.md` beside its descriptor")
        }
    };
    ApiError::not_found("documentation_not_found", format!("`{entity_ref}` has no documentation: {way}"))
}

/// Where the pages of an entity stand.
struct Place {
    asked: String,
    path: String,
    pages: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Surroundings for Place {
    fn path(&self) -> &str {
        &self.path
    }

    fn is_page(&self, path: &str) -> bool {
        self.pages.contains(path)
    }

    fn page(&self, path: &str) -> String {
        format!("/catalog/{}?tab=docs&page={}", self.asked.replacen(':', "/", 1), encoded(path))
    }

    fn file(&self, path: &str) -> Option<String> {
        let entity = self.asked.replacen(':', "/", 1);
        self.files
            .contains(path)
            .then(|| format!("/api/v1/entities/{entity}/documentation/file?path={}", encoded(path)))
    }
}

fn encoded(path: &str) -> String {
    byte_serialize(path.as_bytes()).collect()
}
