//! Kinds of entities over HTTP: the built-in ones and those declared as data.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use portal_core::access::Resource;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::kinds::{KindDefinition, KindRegistry};
use portal_core::catalog::query::{Filter, Selection};
use portal_core::catalog::wire::KindView;

use super::store;
use super::view::Snapshot;
use crate::changes::{self, NewChange, Writing};
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog, WriteCatalog};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::state::App;

/// Every kind, with how many entities the caller may see of it.
#[utoipa::path(
    get, path = "/kinds", tag = "kinds", operation_id = "list_kinds",
    responses((status = 200, description = "All kinds", body = [KindView])),
)]
pub async fn list_kinds(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<Vec<KindView>>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    Ok(Json(snapshot.kinds.iter().map(|kind| view(&auth, &snapshot, kind)).collect()))
}

/// One kind.
#[utoipa::path(
    get, path = "/kinds/{kind}", tag = "kinds", operation_id = "find_kind",
    params(("kind" = String, Path, description = "In any case", example = "Component")),
    responses((status = 200, description = "The kind", body = KindView)),
)]
pub async fn find_kind(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
    Path(kind): Path<String>,
) -> ApiResult<Json<KindView>> {
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let Some(kind) = snapshot.kinds.get(&kind) else { return Err(absent(&kind)) };
    Ok(Json(view(&auth, &snapshot, kind)))
}

/// Declares a kind, or changes one that was declared.
#[utoipa::path(
    put, path = "/kinds/{kind}", tag = "kinds", operation_id = "put_kind",
    params(("kind" = String, Path, description = "As it is to be written in `kind:`", example = "Robot")),
    request_body(content = KindDefinition, example = json!({
        "kind": "Robot", "plural": "robots", "api_versions": ["kestrel.example/v1"], "icon": "box",
        "description": "A picking robot in a warehouse",
        "schema": {"type": "object", "required": ["owner"], "properties": {"owner": {"type": "string"}}},
        "relation_fields": [{"field": "owner", "default_kind": "Group", "outgoing": "ownedBy", "incoming": "ownerOf"}]})),
    responses((status = 200, description = "The kind as it is now", body = KindView)),
)]
pub async fn put_kind(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    params: Params,
    Path(kind): Path<String>,
    request_id: RequestId,
    JsonBody(definition): JsonBody<KindDefinition>,
) -> ApiResult<Json<KindView>> {
    params.finish()?;
    auth.check(&app.catalog.snapshot().policies.rules, everybodys(&kind), None)?;
    if !definition.kind.eq_ignore_ascii_case(&kind) {
        return Err(ApiError::field("/kind", format!("`{}` is not the kind in the path, `{kind}`", definition.kind)));
    }
    // As its definition spells it, whatever the path does.
    let kind = definition.kind.clone();
    let snapshot = app.catalog.snapshot();
    if snapshot.kinds.is_built_in(&kind) {
        return Err(ApiError::conflict("built_in_kind", format!("`{kind}` is built in and cannot be declared anew")));
    }
    let declared = snapshot
        .kinds
        .iter()
        .filter(|other| !snapshot.kinds.is_built_in(&other.kind) && !other.kind.eq_ignore_ascii_case(&kind));
    let declared = declared.cloned().chain([definition.clone()]).collect();
    KindRegistry::with(declared).map_err(|error| ApiError::invalid("invalid_kind", error.to_string(), Vec::new()))?;
    let text = serde_json::to_string(&definition).map_err(|error| ApiError::Internal(error.to_string()))?;
    let seq = change_kind(&app, auth.writing(&app, &request_id), kind.clone(), Some(text)).await?;
    super::lists::wait(&app, seq).await?;
    let snapshot = app.catalog.snapshot();
    let Some(kind) = snapshot.kinds.get(&kind) else { return Err(absent(&kind)) };
    Ok(Json(view(&auth, &snapshot, kind)))
}

/// Removes a declared kind that no entity has.
#[utoipa::path(
    delete, path = "/kinds/{kind}", tag = "kinds", operation_id = "delete_kind",
    params(("kind" = String, Path, description = "In any case", example = "Robot")),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_kind(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    params: Params,
    Path(kind): Path<String>,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    auth.check(&app.catalog.snapshot().policies.rules, everybodys(&kind), None)?;
    let snapshot = app.catalog.snapshot();
    let Some(definition) = snapshot.kinds.get(&kind) else { return Err(absent(&kind)) };
    if snapshot.kinds.is_built_in(&kind) {
        return Err(ApiError::conflict("built_in_kind", format!("`{kind}` is built in and cannot be removed")));
    }
    let name = definition.kind.clone();
    // Of whoever's they are.
    let used = count(&snapshot, definition, &Visibility::All);
    if used > 0 {
        return Err(ApiError::conflict(
            "kind_in_use",
            format!("{used} entities are of kind `{name}`; remove them first"),
        ));
    }
    let seq = change_kind(&app, auth.writing(&app, &request_id), name, None).await?;
    super::lists::wait(&app, seq).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A kind belongs to no team.
fn everybodys(kind: &str) -> Resource<'_> {
    Resource::Entity { entity_ref: kind, owners: &[] }
}

async fn change_kind(app: &App, writing: Writing, kind: String, definition: Option<String>) -> ApiResult<i64> {
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let (operation, document) = match definition {
                Some(text) => {
                    store::put_kind(txn, &kind, text.clone()).await?;
                    ("update", Some(text))
                }
                None => {
                    store::delete_kind(txn, &kind).await?;
                    ("delete", None)
                }
            };
            let change = NewChange { subject: format!("kind:{kind}"), operation, document };
            changes::store::append(txn, &writing, vec![change]).await
        })
    });
    Ok(work.await.map_err(|error: DbError| error)?)
}

fn view<P>(auth: &Authorized<P>, snapshot: &Snapshot, kind: &KindDefinition) -> KindView {
    let count = count(snapshot, kind, &auth.visibility(snapshot));
    let KindDefinition { kind, plural, api_versions, icon, description, schema, relation_fields } = kind.clone();
    let built_in = snapshot.kinds.is_built_in(&kind);
    KindView { kind, plural, api_versions, icon, built_in, description, count, schema, relation_fields }
}

fn count(snapshot: &Snapshot, kind: &KindDefinition, visibility: &Visibility) -> u64 {
    let filter = Filter::parse(&[format!("kind={}", kind.kind)]).unwrap_or_default();
    snapshot.index.select(&Selection { filter, ..Selection::default() }, visibility).len()
}

fn absent(kind: &str) -> ApiError {
    ApiError::not_found("kind_not_found", format!("there is no kind `{kind}`; /api/v1/kinds lists what there is"))
}
