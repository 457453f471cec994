//! Bulk upserts: one descriptor a line, one result a line.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::catalog::Entity;
use portal_core::catalog::kinds::KindRegistry;
use portal_core::catalog::wire::{BulkItem, BulkResult, Fault};

use super::permission::check_write;
use super::service::{self, Upserted};
use super::writes::{api_draft, checked};
use crate::changes::Writing;
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, WriteCatalog};
use crate::http::body::{self, IMPORT_LIMIT};
use crate::http::context::RequestId;
use crate::http::idempotency::Idempotent;
use crate::http::params::Params;
use crate::state::App;

/// Entities of one transaction.
const BATCH: usize = 250;
/// Bytes of one line.
const LINE_LIMIT: usize = 5 << 20;

/// One line, read.
/// The rule of a line that the caller may not write.
const FORBIDDEN: &str = "forbidden";

type Line = (u32, Result<Entity, Vec<Fault>>);

/// Creates or updates many entities: NDJSON, one descriptor a line, at most 20 MiB.
///
/// Each line stands for itself: a bad one harms no other. The answer has one
/// result a line; an acknowledged line survives a crash.
#[utoipa::path(
    post, path = "/entities/bulk", tag = "entities", operation_id = "bulk_upsert_entities",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Sent again with the same body, it has no second effect")),
    request_body(content = String, content_type = "application/x-ndjson",
        example = json!("{\"apiVersion\":\"backstage.io/v1alpha1\",\"kind\":\"Component\",\"metadata\":{\"name\":\"booking-api\"},\"spec\":{\"type\":\"service\",\"lifecycle\":\"production\",\"owner\":\"team-booking\"}}\n")),
    responses((status = 207, description = "One result a line", body = BulkResult)),
)]
pub async fn bulk_upsert_entities(
    auth: Authorized<WriteCatalog>,
    State(app): State<App>,
    request_id: RequestId,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    Params::parse(request.uri().query().unwrap_or_default()).finish()?;
    let bytes = body::read(request.into_body(), IMPORT_LIMIT).await?;
    let idempotent = Idempotent::check(&app.db, &auth.principal, &headers, &[b"entities/bulk", &bytes]).await?;
    if let Idempotent::Replay(status, text) = idempotent {
        return Ok((status, [(header::CONTENT_TYPE, "application/json")], text).into_response());
    }
    let kinds = app.catalog.snapshot().kinds.clone();
    let lines = tokio::task::spawn_blocking(move || read_lines(&bytes, &kinds)).await;
    let mut lines = lines.map_err(|error| ApiError::Internal(error.to_string()))?;
    refuse(&app, &auth, &mut lines).await;
    let writing = auth.writing(&app, &request_id);
    let mut result = BulkResult { items: Vec::with_capacity(lines.len()), seq: None };
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        let batch: Vec<Line> = lines.by_ref().take(BATCH).collect();
        store_batch(&app, &writing, batch, &mut result).await?;
    }
    if let Idempotent::First(_) = idempotent {
        // Each batch is durable by now; a crash before this line makes a repeat
        // write the same rows again, which changes nothing.
        let text = serde_json::to_string(&result).map_err(|error| ApiError::Internal(error.to_string()))?;
        let now = app.clock.now();
        let work = app.db.write(Priority::Interactive, move |txn| {
            Box::pin(async move { idempotent.record(txn, now, StatusCode::MULTI_STATUS, &text).await })
        });
        work.await?;
    }
    Ok((StatusCode::MULTI_STATUS, Json(result)).into_response())
}

/// Turns lines that the caller may not write into refusals.
async fn refuse(app: &App, auth: &Authorized<WriteCatalog>, lines: &mut [Line]) {
    let snapshot = app.catalog.snapshot();
    for (_, line) in lines {
        let Some(entity) = line.as_ref().ok() else { continue };
        let Some(entity_ref) = entity.entity_ref() else { continue };
        if let Err(error) = check_write(app, auth, &snapshot, &entity_ref, Some(entity)).await {
            *line = Err(vec![fault(FORBIDDEN, error.to_string())]);
        }
    }
}

async fn store_batch(app: &App, writing: &Writing, batch: Vec<Line>, result: &mut BulkResult) -> ApiResult<()> {
    let mut items = Vec::with_capacity(batch.len());
    let mut drafts = Vec::new();
    for (line, outcome) in batch {
        let mut item = BulkItem { line, entity_ref: None, status: 422, seq: None, errors: Vec::new() };
        match outcome {
            Ok(entity) => {
                item.entity_ref = entity.entity_ref().map(|entity_ref| entity_ref.to_string());
                item.status = 200;
                drafts.push(api_draft(entity));
            }
            Err(errors) => {
                if errors.first().is_some_and(|error| error.rule == FORBIDDEN) {
                    item.status = 403;
                }
                item.errors = errors;
            }
        }
        items.push(item);
    }
    let writing = writing.clone();
    let work = app
        .db
        .write(Priority::Interactive, move |txn| Box::pin(async move { service::upsert(txn, &writing, drafts).await }));
    let mut stored = work.await.map_err(|error: DbError| error)?.into_iter();
    for item in items.iter_mut().filter(|item| item.status == 200) {
        match stored.next() {
            Some(Upserted::Created { seq }) => (item.status, item.seq) = (201, Some(seq)),
            Some(Upserted::Updated { seq }) => item.seq = Some(seq),
            Some(Upserted::Conflict { source_id, location }) => {
                item.status = 409;
                let owner = service::owner(source_id);
                item.errors.push(fault("declared_elsewhere", format!("{owner} declares it at `{location}`")));
            }
            Some(Upserted::Duplicate) => {
                item.status = 409;
                item.errors.push(fault("duplicate", "an earlier line has the same reference".to_owned()));
            }
            Some(Upserted::Unchanged) | None => {}
        }
    }
    result.seq = items.iter().filter_map(|item| item.seq).max().max(result.seq);
    result.items.extend(items);
    Ok(())
}

fn read_lines(bytes: &Bytes, kinds: &KindRegistry) -> Vec<Line> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..).map(|(text, number)| (text.trim_ascii(), number));
    lines.filter(|(text, _)| !text.is_empty()).map(|(text, number)| (number, read_line(text, kinds))).collect()
}

fn read_line(text: &[u8], kinds: &KindRegistry) -> Result<Entity, Vec<Fault>> {
    if text.len() > LINE_LIMIT {
        return Err(vec![fault("too_large", format!("{} bytes; at most {LINE_LIMIT} in a line", text.len()))]);
    }
    let value = serde_json::from_slice(text).map_err(|error| {
        let mut fault = fault("malformed_json", format!("not JSON: {error}"));
        fault.column = u32::try_from(error.column()).unwrap_or(1);
        vec![fault]
    })?;
    checked(value, kinds)
}

fn fault(rule: &str, message: String) -> Fault {
    Fault { line: 1, column: 1, pointer: String::new(), rule: rule.to_owned(), message, hint: None }
}
