//! What happened to an entity, and what differs between two moments.

use axum::Json;
use axum::extract::{Path, State};
use portal_core::catalog::diff::diff;
use portal_core::catalog::wire::{ChangeList, FieldChange};
use serde::Serialize;
use serde_json::Value;

use super::handlers::{RefPath, absent, reference};
use crate::changes::handlers::{page, shown};
use crate::changes::seeing::Seeing;
use crate::changes::store::ChangeFilter;
use crate::changes::{self, entity_subject};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::params::Params;
use crate::state::App;

/// The history of an entity, newest first; it outlives the entity.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}/history", tag = "entities", operation_id = "list_entity_history",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "1 to 200; 50 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of changes", body = ChangeList)),
)]
pub async fn list_entity_history(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    mut params: Params,
) -> ApiResult<Json<ChangeList>> {
    let entity_ref = reference(parts)?;
    let limit = params.number("limit", 50, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    let filter = ChangeFilter { subject: Some(entity_subject(&entity_ref.to_string())), ..ChangeFilter::default() };
    let history = page(&app, &auth.principal, &filter, before, limit).await?;
    if history.total == 0 {
        return Err(absent(&entity_ref));
    }
    Ok(Json(history))
}

/// What differs between two moments of an entity.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EntityDiff {
    pub entity_ref: String,
    /// Change that made the older state; absent when the entity did not exist.
    pub from_seq: Option<i64>,
    pub to_seq: Option<i64>,
    #[schema(value_type = Option<Value>)]
    pub before: Option<Value>,
    #[schema(value_type = Option<Value>)]
    pub after: Option<Value>,
    /// The fields that differ, by JSON pointer.
    pub changes: Vec<FieldChange>,
}

/// The difference between an entity at two times.
#[utoipa::path(
    get, path = "/entities/{kind}/{namespace}/{name}/diff", tag = "entities", operation_id = "diff_entity",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
        ("from" = String, Query, format = DateTime, description = "RFC 3339 time", example = "2026-11-10T00:00:00Z"),
        ("to" = Option<String>, Query, format = DateTime, description = "RFC 3339 time; now when absent"),
    ),
    responses((status = 200, description = "The difference", body = EntityDiff)),
)]
pub async fn diff_entity(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
    mut params: Params,
) -> ApiResult<Json<EntityDiff>> {
    let entity_ref = reference(parts)?;
    let Some(from) = params.time("from")? else {
        return Err(ApiError::parameter("from", "is missing; give a time like 2026-11-17T09:00:00Z"));
    };
    let to = params.time("to")?.unwrap_or_else(|| app.clock.now());
    params.finish()?;
    let subject = entity_subject(&entity_ref.to_string());
    if !Seeing::new(&app, &auth.principal).sees(&subject).await? {
        return Err(absent(&entity_ref));
    }
    let db = app.db.reader();
    let older = changes::store::at(db, &subject, from).await?;
    let newer = changes::store::at(db, &subject, to).await?;
    if older.is_none() && newer.is_none() {
        return Err(absent(&entity_ref));
    }
    let before = older.as_ref().and_then(|change| shown(change.document.as_deref()));
    let after = newer.as_ref().and_then(|change| shown(change.document.as_deref()));
    let changes = match (&before, &after) {
        (Some(before), Some(after)) => diff(before, after),
        _ => Vec::new(),
    };
    Ok(Json(EntityDiff {
        entity_ref: entity_ref.to_string(),
        from_seq: older.map(|change| change.seq),
        to_seq: newer.map(|change| change.seq),
        before,
        after,
        changes,
    }))
}
