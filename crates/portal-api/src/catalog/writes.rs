//! Writing entities through the API: one at a time, and validating without storing.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::catalog::index::Visibility;
use portal_core::catalog::kinds::KindRegistry;
use portal_core::catalog::validate::{nowhere, validate, verdicts};
use portal_core::catalog::wire::{DocumentVerdict, EntityView, Fault};
use portal_core::catalog::{Entity, EntityRef};
use portal_core::document::Budget;
use portal_core::problem::FieldError;
use serde_json::Value;

use super::handlers::{RefPath, absent, document, reference};
use super::permission::check_write;
use super::prune::Fields;
use super::service::{self, EntityDraft, Upserted};
use super::{detail, store};
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog, WriteCatalog};
use crate::http::body::{self, BODY_LIMIT, JsonBody};
use crate::http::context::RequestId;
use crate::http::etag;
use crate::http::params::Params;
use crate::state::App;

/// Judges descriptors without storing them: YAML (several documents) or JSON.
///
/// The verdicts are those of `portal validate`.
#[utoipa::path(
    post, path = "/entities/validate", tag = "entities", operation_id = "validate_entities",
    params(("file" = Option<String>, Query, description = "Name to use in the verdicts", example = "catalog-info.yaml")),
    request_body(content = String, content_type = "application/yaml", description = "Descriptors, at most 1 MiB",
        example = json!("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: booking-api\nspec:\n  type: service\n  lifecycle: production\n  owner: team-booking\n")),
    responses((status = 200, description = "One verdict a document", body = [DocumentVerdict])),
)]
pub async fn validate_entities(
    _auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
    request: Request,
) -> ApiResult<Json<Vec<DocumentVerdict>>> {
    let file = params.one("file")?.unwrap_or_else(|| "catalog-info.yaml".to_owned());
    params.finish()?;
    let bytes: Bytes = body::read(request.into_body(), BODY_LIMIT).await?;
    if bytes.trim_ascii().is_empty() {
        return Err(ApiError::bad("empty_body", "there is nothing to judge: send descriptors, as YAML or JSON"));
    }
    let kinds = app.catalog.snapshot().kinds.clone();
    let judged = tokio::task::spawn_blocking(move || verdicts(&file, &bytes, &kinds, &Budget::default())).await;
    judged.map(Json).map_err(|error| ApiError::Internal(error.to_string()))
}

/// Stores an entity that the API owns.
///
/// An entity that a source declares cannot be changed here: change its file.
#[utoipa::path(
    put, path = "/entities/{kind}/{namespace}/{name}", tag = "entities", operation_id = "put_entity",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("If-Match" = Option<String>, Header, description = "Etag of the version that this replaces"),
    ),
    request_body(content = Object, description = "The descriptor", example = json!({"apiVersion": "backstage.io/v1alpha1", "kind": "Component",
        "metadata": {"name": "booking-api"}, "spec": {"type": "service", "lifecycle": "production", "owner": "team-booking"}})),
    responses(
        (status = 200, description = "Changed, or already so", body = EntityView),
        (status = 201, description = "Created", body = EntityView),
    ),
)]
pub async fn put_entity(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    params: Params,
    Path(parts): RefPath,
    request_id: RequestId,
    headers: HeaderMap,
    JsonBody(value): JsonBody<Value>,
) -> ApiResult<Response> {
    params.finish()?;
    let entity_ref = reference(parts)?;
    let kinds = app.catalog.snapshot().kinds.clone();
    let entity = checked(value, &kinds).map_err(|faults| invalid(&entity_ref, faults))?;
    if entity.entity_ref().as_ref() != Some(&entity_ref) {
        let found = entity.entity_ref().map(|found| found.to_string()).unwrap_or_default();
        return Err(ApiError::field(
            "/metadata/name",
            format!("the descriptor is `{found}`, the path names `{entity_ref}`"),
        ));
    }
    check_write(&app, &auth, &app.catalog.snapshot(), &entity_ref, Some(&entity)).await?;
    let writing = auth.writing(&app, &request_id);
    let draft = api_draft(entity);
    let name = entity_ref.to_string();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let current = store::by_ref(txn, &name).await?;
            etag::require_match(&headers, current.as_ref().map(|state| state.etag.as_str()))?;
            Ok::<_, ApiError>(service::upsert(txn, &writing, vec![draft]).await?)
        })
    });
    let (status, seq) = match work.await?.pop() {
        Some(Upserted::Created { seq }) => (StatusCode::CREATED, Some(seq)),
        Some(Upserted::Updated { seq }) => (StatusCode::OK, Some(seq)),
        Some(Upserted::Conflict { source_id, location }) => {
            return Err(declared_elsewhere(&entity_ref, source_id, &location));
        }
        _ => (StatusCode::OK, None),
    };
    if let Some(seq) = seq {
        super::lists::wait(&app, seq).await?;
    }
    let snapshot = app.catalog.snapshot();
    // What one has just written one is shown, even if it is hidden from now on.
    let mut visibility = auth.visibility(&snapshot);
    if let (Visibility::Rows(rows), Some(row)) = (&mut visibility, snapshot.index.row(&entity_ref)) {
        Arc::make_mut(rows).insert(row);
    }
    let (_, document) = document(&app, &snapshot, &entity_ref, &visibility).await?;
    let view = detail::view(&document, &snapshot.index, &visibility, &detail::Sources::default(), &Fields::default());
    Ok((status, [(header::ETAG, etag::header_value(&view.etag))], Json(view)).into_response())
}

/// Removes an entity that the API owns, or an orphan, for good. Its history stays.
#[utoipa::path(
    delete, path = "/entities/{kind}/{namespace}/{name}", tag = "entities", operation_id = "delete_entity",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("If-Match" = Option<String>, Header, description = "Etag of the version to remove"),
    ),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_entity(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    params: Params,
    Path(parts): RefPath,
    request_id: RequestId,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let entity_ref = reference(parts)?;
    check_write(&app, &auth, &app.catalog.snapshot(), &entity_ref, None).await?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let name = entity_ref.to_string();
            let Some(current) = store::by_ref(txn, &name).await? else { return Err(absent(&entity_ref)) };
            etag::require_match(&headers, Some(&current.etag))?;
            if current.source_id.is_some() && current.orphan_since.is_none() {
                return Err(declared_elsewhere(&entity_ref, current.source_id, &current.location));
            }
            service::remove(txn, &writing, &[name]).await?;
            Ok(crate::changes::store::last_seq(txn).await?)
        })
    });
    super::lists::wait(&app, work.await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps an orphan: from now on the API owns it.
#[utoipa::path(
    post, path = "/entities/{kind}/{namespace}/{name}/restore", tag = "entities", operation_id = "restore_entity",
    params(("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api")),
    responses((status = 204, description = "Restored")),
)]
pub async fn restore_entity(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    params: Params,
    Path(parts): RefPath,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let entity_ref = reference(parts)?;
    check_write(&app, &auth, &app.catalog.snapshot(), &entity_ref, None).await?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let name = entity_ref.to_string();
            if store::by_ref(txn, &name).await?.is_none() {
                return Err(absent(&entity_ref));
            }
            if !service::adopt(txn, &writing, &name).await? {
                return Err(ApiError::conflict(
                    "not_an_orphan",
                    format!("`{name}` is not an orphan; there is nothing to restore"),
                ));
            }
            Ok(crate::changes::store::last_seq(txn).await?)
        })
    });
    super::lists::wait(&app, work.await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Validates a descriptor that came as JSON.
pub fn checked(value: Value, kinds: &KindRegistry) -> Result<Entity, Vec<Fault>> {
    let faults = validate(&value, kinds, &nowhere);
    if faults.is_empty() { Ok(Entity(value)) } else { Err(faults) }
}

/// A draft of what the API writes.
pub fn api_draft(entity: Entity) -> EntityDraft {
    EntityDraft { entity, source_id: None, location: "api".to_owned(), document_index: 0, line: 1 }
}

pub fn invalid(entity_ref: &EntityRef, faults: Vec<Fault>) -> ApiError {
    let errors =
        faults.into_iter().map(|fault| FieldError { pointer: fault.pointer, message: fault.message }).collect();
    ApiError::invalid("invalid_entity", format!("the descriptor of `{entity_ref}` is not valid"), errors)
}

pub fn declared_elsewhere(entity_ref: &EntityRef, source_id: Option<i64>, location: &str) -> ApiError {
    let owner = service::owner(source_id);
    ApiError::conflict(
        "declared_elsewhere",
        format!("`{entity_ref}` is declared by {owner} at `{location}`; change it there"),
    )
}
