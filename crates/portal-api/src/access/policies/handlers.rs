//! Policies, for administrators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::access::policy::{Policy, Refused};
use portal_core::access::wire::{PolicyDraft, PolicyList, PolicyView};
use serde_json::json;

use super::store;
use crate::access::accounts::account_name;
use crate::access::{change_access, difference, record};
use crate::audit::Entry;
use crate::catalog::lists;
use crate::changes;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ManageAccess};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::etag;
use crate::http::params::Params;
use crate::state::App;

/// Policies of one portal.
const MOST: usize = 100;

/// Every policy, by name.
#[utoipa::path(
    get, path = "/policies", tag = "access", operation_id = "list_policies",
    responses((status = 200, description = "All policies", body = PolicyList)),
)]
pub async fn list_policies(
    _auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<PolicyList>> {
    params.finish()?;
    let items = store::all(app.db.reader()).await?;
    let total = items.len() as u64;
    Ok(Json(PolicyList { items, next_cursor: None, total }))
}

/// Stores a policy. It holds from the next request on.
#[utoipa::path(
    put, path = "/policies/{name}", tag = "access", operation_id = "put_policy",
    params(
        ("name" = String, Path, example = "private-entities"),
        ("If-Match" = Option<String>, Header, description = "Etag of the version that this replaces"),
    ),
    request_body(content = PolicyDraft, example = json!({"effect": "deny", "verbs": ["read_catalog"],
        "condition": "entity.metadata.labels.visibility == 'private' && !caller.owns", "message": "it is private to its owners"})),
    responses(
        (status = 200, description = "Changed, or already so", body = PolicyView),
        (status = 201, description = "Created", body = PolicyView),
    ),
)]
pub async fn put_policy(
    auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
    Path(name): Path<String>,
    request_id: RequestId,
    headers: HeaderMap,
    JsonBody(draft): JsonBody<PolicyDraft>,
) -> ApiResult<Response> {
    params.finish()?;
    let name = account_name(&name)?;
    let draft = checked(&name, draft)?;
    let writing = auth.writing(&app, &request_id);
    let etag = etag::of(&draft);
    let PolicyDraft { effect, verbs, condition, message, enabled } = draft;
    let policy = PolicyView { name, effect, verbs, condition, message, enabled, etag, changed_at: writing.at };
    let work = change_access(&app, move |txn| {
        Box::pin(async move {
            let before = store::find(txn, &policy.name).await?;
            etag::require_match(&headers, before.as_ref().map(|policy| policy.etag.as_str()))?;
            match &before {
                Some(before) if before.etag == policy.etag => return Ok((before.clone(), false, None)),
                None if store::all(txn).await?.len() >= MOST => {
                    let why = format!("a portal has at most {MOST} policies");
                    return Err(ApiError::conflict("too_many_policies", why));
                }
                _ => {}
            }
            store::put(txn, &policy).await?;
            let entry = Entry::done("policy.put", policy.name.clone(), difference(&before, &Some(policy.clone())));
            record(txn, &writing, &format!("policy:{}", policy.name), entry).await?;
            let seq = changes::store::last_seq(txn).await?;
            Ok::<_, ApiError>((policy, before.is_none(), Some(seq)))
        })
    });
    let (policy, created, seq) = work.await?;
    if let Some(seq) = seq {
        lists::wait(&app, seq).await?;
    }
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, [(header::ETAG, etag::header_value(&policy.etag))], Json(policy)).into_response())
}

/// Removes a policy. What it hid is seen again from the next request on.
#[utoipa::path(
    delete, path = "/policies/{name}", tag = "access", operation_id = "delete_policy",
    params(
        ("name" = String, Path, example = "private-entities"),
        ("If-Match" = Option<String>, Header, description = "Etag of the version to remove"),
    ),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_policy(
    auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
    Path(name): Path<String>,
    request_id: RequestId,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let writing = auth.writing(&app, &request_id);
    let work = change_access(&app, move |txn| {
        Box::pin(async move {
            let Some(before) = store::find(txn, &name).await? else {
                return Err(ApiError::not_found("policy_not_found", format!("no policy `{name}`")));
            };
            etag::require_match(&headers, Some(&before.etag))?;
            store::remove(txn, &name).await?;
            let entry = Entry::done("policy.delete", name.clone(), json!({ "before": before }));
            record(txn, &writing, &format!("policy:{name}"), entry).await?;
            Ok::<_, ApiError>(changes::store::last_seq(txn).await?)
        })
    });
    lists::wait(&app, work.await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A draft that compiles, with its texts trimmed.
pub fn checked(name: &str, mut draft: PolicyDraft) -> ApiResult<PolicyDraft> {
    draft.condition = draft.condition.trim().to_owned();
    draft.message = draft.message.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    draft.verbs.sort_unstable();
    draft.verbs.dedup();
    compiled(name, &draft)?;
    Ok(draft)
}

/// # Errors
/// 422 that names the field, and in a condition the line and column.
pub fn compiled(name: &str, draft: &PolicyDraft) -> ApiResult<Policy> {
    Policy::compile(name, draft).map_err(|Refused { pointer, message }| ApiError::field(pointer, message))
}
