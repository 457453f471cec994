//! Sources over HTTP.

use std::collections::HashSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::sources::wire::{PassList, SourceCreate, SourceErrorList, SourceList, SourceUpdate, SourceView};

use super::permission::check_reach;
use super::store::Source;
use super::{Trigger, jobs, service, store, views};
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{AddSources, Authorized, ReadSources, WriteSources};
use crate::http::body::{self, JsonBody};
use crate::http::context::RequestId;
use crate::http::idempotency::{Idempotent, replayed};
use crate::http::params::Params;
use crate::http::{cursor, etag};
use crate::state::App;

/// All sources with their health.
#[utoipa::path(
    get, path = "/sources", tag = "sources", operation_id = "list_sources",
    responses((status = 200, description = "All sources", body = SourceList)),
)]
pub async fn list_sources(
    _auth: Authorized<ReadSources>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<SourceList>> {
    params.finish()?;
    let items = views::list(app.db.reader()).await?;
    let total = items.len() as u64;
    Ok(Json(SourceList { items, next_cursor: None, total }))
}

/// Adds a source; its first pass begins at once.
///
/// The target goes through the egress gate: private addresses are refused
/// unless the operator listed them.
#[utoipa::path(
    post, path = "/sources", tag = "sources", operation_id = "create_source",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "A request that is sent again has no second effect")),
    request_body(content = SourceCreate, example = json!({
        "type": "git", "target": "https://github.com/kestrel-freight/booking", "branch": "main",
        "globs": ["**/catalog-info.yaml"], "interval_seconds": 300, "credential": "env:GIT_TOKEN"})),
    responses((status = 201, description = "Added", body = SourceView,
        headers(("Location" = String, description = "Path of the source")))),
)]
pub async fn create_source(
    auth: Authorized<AddSources>,
    State(app): State<App>,
    request_id: RequestId,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let bytes: Bytes = body::read_json(request).await?;
    let idempotent = Idempotent::check(&app.db, &auth.principal, &headers, &[b"create_source", &bytes]).await?;
    if let Idempotent::Replay(status, body) = idempotent {
        return Ok(replayed(status, body));
    }
    let create: SourceCreate = body::parse(&bytes)?;
    check_reach(&auth, &create)?;
    let writing = auth.writing(&app, &request_id);
    let interval = app.config.catalog.interval_seconds;
    let draft = service::draft(&app.sources, create, interval, writing.at).await?;
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let target = draft.target.clone();
            let Some(id) = service::add(txn, &writing, draft, Trigger::Start).await? else {
                return Err(ApiError::conflict("source_exists", format!("there is a source for `{target}` already")));
            };
            let view = views::find(txn, id).await?.ok_or_else(|| absent(id))?;
            let text = serde_json::to_string(&view).map_err(|error| ApiError::Internal(error.to_string()))?;
            idempotent.record(txn, writing.at, StatusCode::CREATED, &text).await?;
            Ok(view)
        })
    });
    let view = work.await?;
    let location = format!("/api/v1/sources/{}", view.id);
    let tag = etag::header_value(&view.etag);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], [(header::ETAG, tag)], Json(view)).into_response())
}

/// One source with its health.
#[utoipa::path(
    get, path = "/sources/{id}", tag = "sources", operation_id = "find_source",
    params(("id" = i64, Path, example = 1)),
    responses((status = 200, description = "The source", body = SourceView)),
)]
pub async fn find_source(
    _auth: Authorized<ReadSources>,
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> ApiResult<Response> {
    params.finish()?;
    let id = number(&id)?;
    let view = views::find(app.db.reader(), id).await?.ok_or_else(|| absent(id))?;
    Ok(([(header::ETAG, etag::header_value(&view.etag))], Json(view)).into_response())
}

/// Changes a source; what the configuration owns can only be changed there.
#[utoipa::path(
    patch, path = "/sources/{id}", tag = "sources", operation_id = "update_source",
    params(
        ("id" = i64, Path, example = 1),
        ("If-Match" = Option<String>, Header, description = "Etag of the version that this changes"),
    ),
    request_body(content = SourceUpdate, description = "Absent fields stay, `null` clears", example = json!({"trusted": true})),
    responses((status = 200, description = "As it is now", body = SourceView)),
)]
pub async fn update_source(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    params: Params,
    Path(id): Path<String>,
    request_id: RequestId,
    headers: HeaderMap,
    JsonBody(update): JsonBody<SourceUpdate>,
) -> ApiResult<Response> {
    params.finish()?;
    let id = number(&id)?;
    let stored = stored(&app, id).await?;
    etag::require_match(&headers, Some(&stored.etag))?;
    let amended = service::amend(&app.sources, &stored, update).await?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            // It may also have been read since, which changes no tag.
            let current = store::find(txn, id).await?.ok_or_else(|| absent(id))?;
            etag::require_unchanged(&stored.etag, &current.etag)?;
            let mut source = amended;
            if source.etag != current.etag {
                let tag = source.etag.clone();
                service::keep_history(&mut source, &current);
                source.etag = tag;
                service::replace(txn, &writing, &current, source).await?;
            }
            views::find(txn, id).await?.ok_or_else(|| absent(id))
        })
    });
    let view = work.await.map_err(taken)?;
    Ok(([(header::ETAG, etag::header_value(&view.etag))], Json(view)).into_response())
}

/// Removes a source. Its entities become orphans: they stay for the grace
/// period, and can be restored.
#[utoipa::path(
    delete, path = "/sources/{id}", tag = "sources", operation_id = "delete_source",
    params(
        ("id" = i64, Path, example = 1),
        ("If-Match" = Option<String>, Header, description = "Etag of the version to remove"),
    ),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_source(
    auth: Authorized<WriteSources>,
    State(app): State<App>,
    params: Params,
    Path(id): Path<String>,
    request_id: RequestId,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let id = number(&id)?;
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let source = store::find(txn, id).await?.ok_or_else(|| absent(id))?;
            etag::require_match(&headers, Some(&source.etag))?;
            service::require_own(&source, "removed")?;
            Ok::<_, ApiError>(service::remove(txn, &writing, &source).await?)
        })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads a source now. Requests that come while it is read count as one.
#[utoipa::path(
    post, path = "/sources/{id}/refresh", tag = "sources", operation_id = "refresh_source",
    params(
        ("id" = i64, Path, example = 1),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "A request that is sent again has no second effect"),
    ),
    responses((status = 202, description = "A pass will begin at once; `last_pass` tells when it is done", body = SourceView)),
)]
pub async fn refresh_source(
    auth: Authorized<AddSources>,
    State(app): State<App>,
    params: Params,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    params.finish()?;
    let id = number(&id)?;
    let name = format!("refresh_source {id}");
    let idempotent = Idempotent::check(&app.db, &auth.principal, &headers, &[name.as_bytes()]).await?;
    if let Idempotent::Replay(status, body) = idempotent {
        return Ok(replayed(status, body));
    }
    let now = app.clock.now();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            if store::find(txn, id).await?.is_none() {
                return Err(absent(id));
            }
            jobs::ask(txn, id, Trigger::Manual, now).await?;
            let view = views::find(txn, id).await?.ok_or_else(|| absent(id))?;
            let text = serde_json::to_string(&view).map_err(|error| ApiError::Internal(error.to_string()))?;
            idempotent.record(txn, now, StatusCode::ACCEPTED, &text).await?;
            Ok(view)
        })
    });
    Ok((StatusCode::ACCEPTED, Json(work.await?)).into_response())
}

/// The log of passes, newest first.
#[utoipa::path(
    get, path = "/sources/{id}/passes", tag = "sources", operation_id = "list_source_passes",
    params(
        ("id" = i64, Path, example = 1),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "1 to 200; 20 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of passes", body = PassList)),
)]
pub async fn list_source_passes(
    _auth: Authorized<ReadSources>,
    State(app): State<App>,
    Path(id): Path<String>,
    mut params: Params,
) -> ApiResult<Json<PassList>> {
    let id = number(&id)?;
    let limit = params.number("limit", 20, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    stored(&app, id).await?;
    let db = app.db.reader();
    let rows = store::passes(db, id, before, limit + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, |row| row.id);
    let total = store::count_passes(db, id).await?;
    Ok(Json(PassList { items: rows.into_iter().map(views::pass).collect(), next_cursor, total }))
}

/// What is wrong with the documents of a source, with the lines in question.
#[utoipa::path(
    get, path = "/sources/{id}/errors", tag = "sources", operation_id = "list_source_errors",
    params(
        ("id" = i64, Path, example = 1),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "Documents of a page, with all their errors: 1 to 500; 200 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of errors; `total` counts documents with errors", body = SourceErrorList)),
)]
pub async fn list_source_errors(
    auth: Authorized<ReadSources>,
    State(app): State<App>,
    Path(id): Path<String>,
    mut params: Params,
) -> ApiResult<Json<SourceErrorList>> {
    let id = number(&id)?;
    let limit = params.number("limit", 200, 1..=500)?;
    let after = params.cursor::<(String, i32)>()?;
    params.finish()?;
    stored(&app, id).await?;
    let (db, snapshot) = (app.db.reader(), app.catalog.snapshot());
    let concealed = views::Concealed::of(db, id, &snapshot, &auth.principal).await?;
    let page = views::errors(db, id, after, limit, &concealed).await?;
    let next_cursor = page.next.map(|place| cursor::encode(&place));
    Ok(Json(SourceErrorList { items: page.items, next_cursor, total: page.total }))
}

/// Why something is not in the catalog: what is wrong with documents, of any source, whose
/// entity or file contains a text, or which say of no entity and stand in a source whose
/// target contains it, or in the file of an entity whose reference does.
#[utoipa::path(
    get, path = "/source-errors", tag = "sources", operation_id = "find_source_errors",
    params(
        ("q" = String, Query, min_length = 2, max_length = 200, description = "Part of a reference, a path or a target, in any case", example = "booking"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100, description = "Documents, with all their errors: 1 to 100; 20 when absent"),
    ),
    responses((status = 200, description = "Errors in the order of sources and files; `total` counts their documents", body = SourceErrorList)),
)]
pub async fn find_source_errors(
    auth: Authorized<ReadSources>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<SourceErrorList>> {
    let text = params.one("q")?.unwrap_or_default();
    let limit = params.number("limit", 20, 1..=100)?;
    params.finish()?;
    let text = text.trim();
    if !(2..=200).contains(&text.chars().count()) {
        return Err(ApiError::parameter("q", "must be 2 to 200 characters of a reference or a path"));
    }
    let snapshot = app.catalog.snapshot();
    let items = views::errors_like(app.db.reader(), text, limit, &snapshot, &auth.principal).await?;
    let documents: HashSet<_> = items.iter().map(|error| (error.source_id, &error.file, error.document)).collect();
    let total = documents.len() as u64;
    Ok(Json(SourceErrorList { items, next_cursor: None, total }))
}

/// The number in a path; anything else names no source.
pub(super) fn number(text: &str) -> ApiResult<i64> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        let text: String = text.chars().take(50).collect();
        ApiError::not_found(
            "source_not_found",
            format!("there is no source `{text}`; /api/v1/sources lists what there is"),
        )
    })
}

pub(super) async fn stored(app: &App, id: i64) -> ApiResult<Source> {
    store::find(app.db.reader(), id).await?.ok_or_else(|| absent(id))
}

fn absent(id: i64) -> ApiError {
    ApiError::not_found("source_not_found", format!("there is no source {id}; /api/v1/sources lists what there is"))
}

fn taken(error: ApiError) -> ApiError {
    match error {
        ApiError::Conflict { code: "already_exists", .. } => {
            ApiError::conflict("source_exists", "there is a source for this target already")
        }
        other => other,
    }
}
