//! Marks on entities: stars, and what one follows.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use portal_core::catalog::EntityRef;
use portal_core::personal::wire::{Mark, MarkList, MarkView};

use super::store::{self, MARKS, StoredMark};
use crate::catalog::handlers as entities;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, Personalise, ReadCatalog};
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::state::App;

type MarkPath = Path<(String, String, String, String)>;

/// What the caller has starred and follows, newest first.
#[utoipa::path(
    get, path = "/marks", tag = "personal", operation_id = "list_marks",
    responses((status = 200, description = "All marks", body = MarkList)),
)]
pub async fn list_marks(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<MarkList>> {
    params.finish()?;
    let stored = store::marks(app.db.reader(), &auth.principal.actor).await?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let shown = |StoredMark { mark, entity_ref, at }: StoredMark| {
        let entity_ref: EntityRef = entity_ref.parse().ok()?;
        Some(MarkView { mark, link: snapshot.index.link(&entity_ref, &visibility), at })
    };
    let items: Vec<MarkView> = stored.into_iter().filter_map(shown).collect();
    let total = items.len() as u64;
    Ok(Json(MarkList { items, next_cursor: None, total }))
}

/// Marks an entity for the caller; once marked, it stays so.
#[utoipa::path(
    put, path = "/marks/{mark}/{kind}/{namespace}/{name}", tag = "personal", operation_id = "put_mark",
    params(
        ("mark" = String, Path, description = "`star` or `follow`", example = "star"),
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
    ),
    responses((status = 204, description = "Marked")),
)]
pub async fn put_mark(
    auth: Authorized<Personalise>,
    State(app): State<App>,
    params: Params,
    Path(parts): MarkPath,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let (mark, entity_ref) = read(parts)?;
    let snapshot = app.catalog.snapshot();
    entities::visible_row(&snapshot.index, &entity_ref, &auth.visibility(&snapshot))?;
    if store::count_marks(app.db.reader(), &auth.principal.actor).await? >= MARKS {
        return Err(ApiError::conflict("too_many_marks", format!("you have {MARKS} marks; remove some first")));
    }
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { store::set_mark(txn, &writing, &entity_ref.to_string(), mark).await })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a mark away; one that is not there is no fault.
#[utoipa::path(
    delete, path = "/marks/{mark}/{kind}/{namespace}/{name}", tag = "personal", operation_id = "delete_mark",
    params(
        ("mark" = String, Path, description = "`star` or `follow`", example = "star"),
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
    ),
    responses((status = 204, description = "Not marked any more")),
)]
pub async fn delete_mark(
    auth: Authorized<Personalise>,
    State(app): State<App>,
    params: Params,
    Path(parts): MarkPath,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let (mark, entity_ref) = read(parts)?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { store::clear_mark(txn, &writing, &entity_ref.to_string(), mark).await })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read((mark, kind, namespace, name): (String, String, String, String)) -> ApiResult<(Mark, EntityRef)> {
    let unknown =
        || ApiError::not_found("mark_not_found", format!("there is no mark `{mark}`; there are `star` and `follow`"));
    Ok((Mark::parse(&mark).ok_or_else(unknown)?, entities::reference((kind, namespace, name))?))
}
