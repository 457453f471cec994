//! Reading one entity: its page's data, and its neighbourhood.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use portal_core::access::Principal;
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::{CatalogIndex, Direction, GraphQuery, Visibility};
use portal_core::catalog::wire::{EntityDetail, EntityGraph, Impact};

use super::detail;
use super::documents::Document;
use super::prune::Fields;
use super::view::Snapshot;
use super::{documents, lists, store};
use crate::error::{ApiError, ApiResult};
use crate::events::Event;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::etag;
use crate::http::params::Params;
use crate::personal;
use crate::state::App;
use crate::{runs, sources};

/// The parts of a reference, as they stand in a path.
pub type RefPath = Path<(String, String, String)>;

/// Most nodes of a graph.
const GRAPH_LIMIT: u64 = 2000;
/// Entities that a graph in the past may be looked for in.
const GRAPH_PAST_LIMIT: u64 = 200_000;

/// One entity with everything that its page shows.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}", tag = "entities", operation_id = "find_entity",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("fields" = Option<String>, Query, description = "Comma list of paths to keep of the descriptor"),
        ("as_of" = Option<String>, Query, format = DateTime, description = "The entity at this time (RFC 3339)"),
        ("min_seq" = Option<i64>, Query, minimum = 0, description = "Waits until this change is visible"),
        ("If-None-Match" = Option<String>, Header, description = "An `ETag`; 304 when it is still the current one"),
    ),
    responses((status = 200, description = "The entity", body = EntityDetail), (status = 304, description = "Not modified")),
)]
pub async fn find_entity(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Response> {
    let entity_ref = reference(parts)?;
    let fields = lists::fields(&mut params)?;
    let as_of = params.time("as_of")?;
    let seq = params.sequence("min_seq")?;
    params.finish()?;
    if let Some(seq) = seq {
        lists::wait(&app, seq).await?;
    }
    let detail = match as_of {
        Some(time) => at(&app, &entity_ref, time, &auth.principal, &fields).await?,
        None => {
            let mut detail = current(&app, &entity_ref, &auth, &fields).await?;
            let (db, actor) = (app.db.reader(), &auth.principal.actor);
            detail.marks = personal::store::marks_on(db, actor, &detail.view.entity_ref).await?;
            detail
        }
    };
    app.events.record(Event {
        at: app.clock.now(),
        actor: auth.principal.actor,
        surface: "api",
        verb: "view",
        object: detail.view.entity_ref.clone(),
        outcome: "ok",
        duration_ms: 0,
        rank: None,
        result_count: None,
    });
    // Relations and provenance change without the descriptor.
    let tag = format!("{}-{}", detail.view.etag, crate::http::etag::of(&detail));
    Ok(etag::answer(&headers, &tag, detail))
}

/// The neighbourhood of an entity, in one call.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}/graph", tag = "entities", operation_id = "graph_entity",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("depth" = Option<u64>, Query, minimum = 1, maximum = 10, description = "Steps from the entity, 1 to 10; 1 when absent"),
        ("direction" = Option<String>, Query, pattern = "^(in|out|both)$", description = "`out`, `in` or `both` (when absent)"),
        ("relation" = Option<Vec<String>>, Query, description = "Repeatable; only these types, e.g. `dependsOn`"),
        ("kinds" = Option<Vec<String>>, Query, description = "Repeatable; only these kinds"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 2000, description = "Most nodes, 1 to 2000; 200 when absent"),
        ("as_of" = Option<String>, Query, format = DateTime, description = "The graph at this time (RFC 3339)"),
    ),
    responses((status = 200, description = "Nodes and edges", body = EntityGraph)),
)]
pub async fn graph_entity(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    mut params: Params,
) -> ApiResult<Json<EntityGraph>> {
    let root = reference(parts)?;
    let depth = params.number("depth", 1, 1..=10)?;
    let direction = match params.one("direction")?.as_deref() {
        None | Some("both") => Direction::Both,
        Some("out") => Direction::Out,
        Some("in") => Direction::In,
        Some(other) => {
            return Err(ApiError::parameter("direction", format!("`{other}` is none of `out`, `in`, `both`")));
        }
    };
    let query = GraphQuery {
        root: root.clone(),
        depth: u32::try_from(depth).unwrap_or(1),
        direction,
        relations: params.all("relation"),
        kinds: params.all("kinds"),
        limit: usize::try_from(params.number("limit", 200, 1..=GRAPH_LIMIT)?).unwrap_or(200),
    };
    let as_of = params.time("as_of")?;
    params.finish()?;
    let (index, visibility, seq) = match as_of {
        Some(time) => {
            let past = lists::past(&app, time, None, GRAPH_PAST_LIMIT, &auth.principal).await?;
            (past.index, past.visibility, past.seq)
        }
        None => {
            let snapshot = app.catalog.snapshot();
            (snapshot.index.clone(), auth.visibility(&snapshot), snapshot.seq)
        }
    };
    visible_row(&index, &root, &visibility)?;
    let mut graph = index.graph(&query, &visibility);
    graph.seq = seq;
    Ok(Json(graph))
}

/// What breaks when an entity does: an API with its provider, a consumer with
/// the API, whatever depends on it, and parts with their whole, transitively.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}/impact", tag = "entities", operation_id = "show_impact",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 2000, description = "Most entities shown, the nearest first, 1 to 2000; 200 when absent"),
    ),
    responses((status = 200, description = "What breaks, by owner", body = Impact)),
)]
pub async fn show_impact(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    mut params: Params,
) -> ApiResult<Json<Impact>> {
    let root = reference(parts)?;
    let limit = usize::try_from(params.number("limit", 200, 1..=GRAPH_LIMIT)?).unwrap_or(200);
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    visible_row(&snapshot.index, &root, &visibility)?;
    let mut impact = snapshot.index.impact(&root, limit, &visibility);
    impact.seq = snapshot.seq;
    Ok(Json(impact))
}

/// Puts a path's parts together.
///
/// # Errors
/// 400 when a part is empty.
pub fn reference((kind, namespace, name): (String, String, String)) -> ApiResult<EntityRef> {
    if kind.is_empty() || namespace.is_empty() || name.is_empty() {
        return Err(ApiError::bad("malformed_reference", "a path to an entity is kind/namespace/name"));
    }
    Ok(EntityRef::new(&kind, &namespace, &name))
}

/// The row of an entity that the caller may see.
///
/// # Errors
/// 404 when it is absent, or not the caller's to know about.
pub fn visible_row(index: &CatalogIndex, entity_ref: &EntityRef, visibility: &Visibility) -> ApiResult<u32> {
    index.row(entity_ref).filter(|row| visibility.admits(*row)).ok_or_else(|| absent(entity_ref))
}

pub fn absent(entity_ref: &EntityRef) -> ApiError {
    ApiError::not_found("entity_not_found", format!("no entity `{entity_ref}`"))
}

/// The current document of an entity.
///
/// # Errors
/// 404, or the database.
pub async fn document(
    app: &App,
    snapshot: &Snapshot,
    entity_ref: &EntityRef,
    visibility: &Visibility,
) -> ApiResult<(u32, Arc<Document>)> {
    let row = visible_row(&snapshot.index, entity_ref, visibility)?;
    let found = app.catalog.documents.get(&app.db, &snapshot.index, visibility, &[row]).await?;
    let document = found.into_iter().next().flatten().ok_or_else(|| absent(entity_ref))?;
    Ok((row, document))
}

async fn current(
    app: &App,
    entity_ref: &EntityRef,
    auth: &Authorized<ReadCatalog>,
    fields: &Fields,
) -> ApiResult<EntityDetail> {
    let snapshot = app.catalog.snapshot();
    let visibility = &auth.visibility(&snapshot);
    let (row, document) = document(app, &snapshot, entity_ref, visibility).await?;
    let sources = detail::sources(app, std::iter::once(&document)).await?;
    Ok(EntityDetail {
        view: detail::view(&document, &snapshot.index, visibility, &sources, fields),
        relations: detail::relations(&snapshot.index, row, visibility),
        marks: Vec::new(),
        errors: sources::views::errors_of(app.db.reader(), &entity_ref.to_string()).await?,
        made_by: runs::store::maker(app.db.reader(), &entity_ref.to_string()).await?,
    })
}

async fn at(
    app: &App,
    entity_ref: &EntityRef,
    time: DateTime<Utc>,
    principal: &Principal,
    fields: &Fields,
) -> ApiResult<EntityDetail> {
    let past = lists::past(app, time, Some(entity_ref), GRAPH_PAST_LIMIT, principal).await?;
    let lists::Past { index, states, visibility, .. } = past;
    let visibility = &visibility;
    let row = visible_row(&index, entity_ref, visibility)?;
    let state = states.get(&row).ok_or_else(|| absent(entity_ref))?;
    let hashes: Vec<String> = state.definition_hash.iter().cloned().collect();
    let definitions = store::definitions(app.db.reader(), &hashes).await?;
    let definition = state.definition_hash.as_ref().and_then(|hash| definitions.get(hash)).map(String::as_str);
    let document = Arc::new(documents::document(state, definition, &index, visibility));
    let sources = detail::sources(app, std::iter::once(&document)).await?;
    Ok(EntityDetail {
        view: detail::view(&document, &index, visibility, &sources, fields),
        relations: detail::relations(&index, row, visibility),
        marks: Vec::new(),
        errors: Vec::new(),
        made_by: None,
    })
}
