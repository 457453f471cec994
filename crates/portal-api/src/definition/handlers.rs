//! Reading the definition of an API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use portal_core::catalog::{Entity, EntityRef};
use portal_core::definition;
use portal_core::definition::wire::{Definition, OperationDetail};
use tokio::sync::Semaphore;

use super::prose;
use crate::catalog::handlers::{self as entities, RefPath};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::etag;
use crate::http::params::Params;
use crate::state::App;

/// Definitions that are read at the same time.
static READS: Semaphore = Semaphore::const_new(4);

/// The definition of an API: its operations, and one of them in full.
///
/// OpenAPI, AsyncAPI, GraphQL and Protocol Buffers become one shape; of another
/// format there is the text alone.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}/definition", tag = "entities", operation_id = "find_definition",
    params(
        ("kind" = String, Path, example = "api"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("operation" = Option<String>, Query, description = "Id of an operation to show in full"),
        ("text" = Option<bool>, Query, description = "The definition as it was written, too"),
        ("If-None-Match" = Option<String>, Header, description = "An `ETag`; 304 when it is still the current one"),
    ),
    responses((status = 200, description = "The definition", body = Definition), (status = 304, description = "Not modified")),
)]
pub async fn find_definition(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Response> {
    let operation = params.one("operation")?;
    let with_text = params.flag("text")?;
    params.finish()?;
    let entity_ref = entities::reference(parts)?;
    let Written { format, text } = written(&app, &auth, &entity_ref).await?;
    let named = entity_ref.to_string();
    let work = move || -> ApiResult<Definition> {
        let Some(outline) = definition::read(&format, &text) else {
            let specification = if format.is_empty() { "Text".to_owned() } else { format };
            return Ok(Definition { text: Some(text), ..Definition::of(specification) });
        };
        let mut body = outline.definition();
        if let Some(id) = &operation {
            body.operation = Some(outline.operation(id).ok_or_else(|| no_operation(&named, id))?);
        }
        body.text = with_text.then_some(text);
        prose::render(&mut body);
        Ok(body)
    };
    let body = in_turn(work).await??;
    let tag = etag::of(&body);
    Ok(etag::answer(&headers, &tag, body))
}

pub(super) fn no_operation(entity_ref: &str, id: &str) -> ApiError {
    ApiError::not_found("operation_not_found", format!("the definition of `{entity_ref}` has no operation `{id}`"))
}

/// A definition as its author wrote it.
struct Written {
    /// The type of the entity, e.g. `openapi`.
    format: String,
    text: String,
}

async fn written<P>(app: &App, auth: &Authorized<P>, entity_ref: &EntityRef) -> ApiResult<Written> {
    let snapshot = app.catalog.snapshot();
    let (_, document) = entities::document(app, &snapshot, entity_ref, &auth.visibility(&snapshot)).await?;
    let entity: Entity = serde_json::from_slice(&document.json).map(Entity).unwrap_or(Entity(serde_json::Value::Null));
    let text = entity.spec_str("definition").ok_or_else(|| {
        let way = "it stands in `spec.definition` of the descriptor, or is read by `$text` from a file beside it";
        ApiError::not_found("definition_not_found", format!("`{entity_ref}` has no definition: {way}"))
    })?;
    Ok(Written { format: entity.spec_str("type").unwrap_or_default().to_owned(), text: text.to_owned() })
}

/// An operation of the definition of an entity, where there is one.
pub(super) async fn operation<P>(
    app: &App,
    auth: &Authorized<P>,
    entity_ref: &EntityRef,
    id: &str,
) -> ApiResult<Option<OperationDetail>> {
    let Written { format, text } = written(app, auth, entity_ref).await?;
    let id = id.to_owned();
    in_turn(move || definition::read(&format, &text)?.operation(&id)).await
}

/// Reading a long definition takes milliseconds, and a few at a time are enough,
/// whoever still waits for them.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> ApiResult<T> {
    let turn = READS.acquire().await.map_err(|error| ApiError::Internal(error.to_string()))?;
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Internal(error.to_string()))
}
