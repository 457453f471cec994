//! Saved views of the catalog's list.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use portal_core::personal::wire::{SavedView, SavedViewCreate, SavedViewList};

use super::store::{self, VIEWS};
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, Personalise, ReadCatalog};
use crate::http::body;
use crate::http::context::RequestId;
use crate::http::idempotency::{Idempotent, replayed};
use crate::http::params::Params;
use crate::state::App;

const QUERY: usize = 2000;

/// The caller's views and the shared ones, by name.
#[utoipa::path(
    get, path = "/views", tag = "personal", operation_id = "list_views",
    responses((status = 200, description = "All views", body = SavedViewList)),
)]
pub async fn list_views(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<SavedViewList>> {
    params.finish()?;
    let items = store::views(app.db.reader(), &auth.principal.actor).await?;
    let total = items.len() as u64;
    Ok(Json(SavedViewList { items, next_cursor: None, total }))
}

/// Saves what the catalog's list shows, under a name.
#[utoipa::path(
    post, path = "/views", tag = "personal", operation_id = "create_view",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "A request that is sent again has no second effect")),
    request_body(content = SavedViewCreate, example = json!({"name": "Our APIs", "query": "kind=api&owner=group:default/booking", "shared": true})),
    responses((status = 201, description = "Saved", body = SavedView)),
)]
pub async fn create_view(
    auth: Authorized<Personalise>,
    State(app): State<App>,
    request_id: RequestId,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let bytes: Bytes = body::read_json(request).await?;
    let idempotent = Idempotent::check(&app.db, &auth.principal, &headers, &[b"create_view", &bytes]).await?;
    if let Idempotent::Replay(status, body) = idempotent {
        return Ok(replayed(status, body));
    }
    let mut create: SavedViewCreate = body::parse(&bytes)?;
    create.name = body::label("/name", "a name", &create.name)?;
    if create.query.len() > QUERY || create.query.contains(['#', '\n', '\0']) {
        return Err(ApiError::field("/query", format!("the query of an address, at most {QUERY} characters")));
    }
    if store::count_views(app.db.reader(), &auth.principal.actor).await? >= VIEWS {
        return Err(ApiError::conflict("too_many_views", format!("you have {VIEWS} views; remove some first")));
    }
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let taken = || ApiError::conflict("view_exists", format!("you have a view `{}` already", create.name));
            let view = store::add_view(txn, &writing, &create).await?.ok_or_else(taken)?;
            let text = serde_json::to_string(&view).map_err(|error| ApiError::Internal(error.to_string()))?;
            idempotent.record(txn, writing.at, StatusCode::CREATED, &text).await?;
            Ok::<_, ApiError>(view)
        })
    });
    Ok((StatusCode::CREATED, Json(work.await?)).into_response())
}

/// Removes a view of the caller's own.
#[utoipa::path(
    delete, path = "/views/{id}", tag = "personal", operation_id = "delete_view",
    params(("id" = i64, Path, example = 1)),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_view(
    auth: Authorized<Personalise>,
    State(app): State<App>,
    params: Params,
    Path(id): Path<String>,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let absent = || ApiError::not_found("view_not_found", format!("there is no view `{id}`"));
    let number: i64 = id.parse().map_err(|_| absent())?;
    let view = store::find_view(app.db.reader(), &auth.principal.actor, number).await?;
    // Of what is neither one's own nor shared, nobody learns that it is there.
    let view = view.filter(|view| view.own || view.shared).ok_or_else(absent)?;
    if !view.own {
        return Err(ApiError::Forbidden(format!(
            "the view `{}` is somebody else's; only they can remove it",
            view.name
        )));
    }
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move { store::remove_view(txn, &writing, number).await })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}
