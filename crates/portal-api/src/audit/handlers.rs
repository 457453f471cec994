//! The audit log over HTTP: page by page, and whole.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use portal_core::access::wire::{AuditList, AuditView};

use super::store::{self, AuditFilter};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadAudit};
use crate::http::cursor;
use crate::http::params::Params;
use crate::state::App;

/// Rows of one piece of an export.
const PIECE: u64 = 500;

fn filter(params: &mut Params) -> ApiResult<AuditFilter> {
    let outcome = params.one("outcome")?;
    if let Some(outcome) = outcome.as_deref().filter(|outcome| !["done", "refused", "failed"].contains(outcome)) {
        return Err(ApiError::parameter("outcome", format!("`{outcome}` is none of `done`, `refused` and `failed`")));
    }
    Ok(AuditFilter {
        actor: params.chosen("actor")?,
        action: params.one("action")?,
        outcome,
        target: params.one("target")?,
        since: params.time("since")?,
        until: params.time("until")?,
    })
}

/// Who did what, newest first.
#[utoipa::path(
    get, path = "/audit", tag = "access", operation_id = "list_audit",
    params(
        ("actor" = Option<String>, Query, description = "Id or name of an account"),
        ("action" = Option<String>, Query, description = "How the action begins, e.g. `token` or `entity.update`"),
        ("outcome" = Option<String>, Query, pattern = "^(done|refused|failed)$", description = "`done`, `refused` or `failed`", example = "done"),
        ("target" = Option<String>, Query, description = "A part of what it was done to"),
        ("since" = Option<String>, Query, format = DateTime, description = "RFC 3339 time, inclusive"),
        ("until" = Option<String>, Query, format = DateTime, description = "RFC 3339 time, inclusive"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "1 to 200; 50 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of the log", body = AuditList)),
)]
pub async fn list_audit(
    _auth: Authorized<ReadAudit>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<AuditList>> {
    let filter = filter(&mut params)?;
    let limit = params.number("limit", 50, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    let db = app.db.reader();
    let items = store::page(db, &filter, before, limit + 1).await?;
    let (items, next_cursor) = cursor::page(items, limit, |row| row.seq);
    let total = store::count(db, &filter).await?;
    Ok(Json(AuditList { items, next_cursor, total }))
}

/// The same as NDJSON, all of it, newest first.
#[utoipa::path(
    get, path = "/audit/export", tag = "access", operation_id = "export_audit",
    params(
        ("actor" = Option<String>, Query, description = "Id or name of an account"),
        ("action" = Option<String>, Query, description = "How the action begins"),
        ("outcome" = Option<String>, Query, pattern = "^(done|refused|failed)$", description = "`done`, `refused` or `failed`", example = "done"),
        ("target" = Option<String>, Query, description = "A part of what it was done to"),
        ("since" = Option<String>, Query, format = DateTime, description = "RFC 3339 time, inclusive"),
        ("until" = Option<String>, Query, format = DateTime, description = "RFC 3339 time, inclusive"),
    ),
    responses((status = 200, description = "One line a row", content_type = "application/x-ndjson", body = String)),
)]
pub async fn export_audit(
    _auth: Authorized<ReadAudit>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Response> {
    let filter = filter(&mut params)?;
    params.finish()?;
    let pieces = stream::try_unfold(Some(None), move |position: Option<Option<i64>>| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let Some(before) = position else { return Ok::<_, std::io::Error>(None) };
            let rows = store::page(app.db.reader(), &filter, before, PIECE).await.map_err(std::io::Error::other)?;
            let next = rows.last().filter(|_| rows.len() as u64 == PIECE).map(|row| Some(row.seq));
            Ok(Some((lines(&rows), next)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

fn lines(rows: &[AuditView]) -> Bytes {
    let mut text = String::new();
    for row in rows {
        text.push_str(&serde_json::to_string(row).unwrap_or_default());
        text.push('\n');
    }
    text.into()
}
