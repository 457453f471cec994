//! Where an entity comes from, as a tree of entities.

use axum::extract::{Path, State};
use axum::response::Response;

use super::entities::{RefPath, named, no_entity_named};
use super::read;
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::state::App;

/// The entity itself: sources are not entities here, so that it has no parents.
#[utoipa::path(
    get, path = "/entities/by-name/{kind}/{namespace}/{name}/ancestry", tag = "backstage",
    operation_id = "get_entity_ancestry_by_name",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
    ),
    responses((status = 200, description = "`{rootEntityRef, items: [{entity, parentEntityRefs}]}`", body = Object)),
)]
pub async fn get_entity_ancestry_by_name(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
) -> ApiResult<Response> {
    let snapshot = app.catalog.snapshot();
    let row = named(&snapshot.index, &parts, &auth.visibility()).ok_or_else(|| no_entity_named(&parts))?;
    let found = app.catalog.documents.get(&app.db, &snapshot.index, &[row]).await?;
    let Some(document) = found.into_iter().flatten().next() else { return Err(no_entity_named(&parts)) };
    let root = serde_json::Value::from(document.entity_ref.as_str());
    let mut body = format!("{{\"rootEntityRef\":{root},\"items\":[{{\"entity\":").into_bytes();
    body.extend_from_slice(&document.json);
    body.extend_from_slice(b",\"parentEntityRefs\":[]}]}");
    Ok(read::json(body))
}
