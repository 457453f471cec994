//! One's own API tokens.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use portal_core::access::Verb;
use portal_core::access::wire::{TokenCreate, TokenCreated, TokenList};
use serde_json::json;

use super::secret::{Secret, TOKEN_PREFIX};
use super::store::{self, NewToken};
use super::{change_access, narrowed_scopes, record};
use crate::audit::Entry;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ManageOwnAccess};
use crate::http::body::{self, JsonBody};
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::state::App;

/// Tokens of one account, at most.
const TOKENS: u64 = 100;
const DAYS: std::ops::RangeInclusive<u32> = 1..=366;
const USUAL_DAYS: u32 = 90;

/// The caller's tokens, newest first, without their texts.
#[utoipa::path(
    get, path = "/tokens", tag = "access", operation_id = "list_tokens",
    responses((status = 200, description = "All tokens", body = TokenList)),
)]
pub async fn list_tokens(
    auth: Authorized<ManageOwnAccess>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<TokenList>> {
    params.finish()?;
    let items = store::tokens(app.db.reader(), &auth.principal.actor.0).await?;
    let total = items.len() as u64;
    Ok(Json(TokenList { items, next_cursor: None, total }))
}

/// Makes a token. The answer is the only place that ever shows its text.
#[utoipa::path(
    post, path = "/tokens", tag = "access", operation_id = "create_token",
    request_body(content = TokenCreate, example = json!({"name": "nightly import", "role": "developer", "scopes": ["read_catalog", "write_catalog"], "expires_days": 30})),
    responses((status = 201, description = "Made", body = TokenCreated)),
)]
pub async fn create_token(
    auth: Authorized<ManageOwnAccess>,
    State(app): State<App>,
    params: Params,
    request_id: RequestId,
    JsonBody(create): JsonBody<TokenCreate>,
) -> ApiResult<Response> {
    params.finish()?;
    let TokenCreate { name, role, scopes, expires_days } = create;
    let name = body::label("/name", "a name", &name)?;
    let days = expires_days.unwrap_or(USUAL_DAYS);
    if !DAYS.contains(&days) {
        return Err(ApiError::field("/expires_days", "a token lives 1 to 366 days"));
    }
    let principal = &auth.principal;
    let role = role.unwrap_or(principal.role);
    if !principal.role.covers(role) {
        let message = format!("`{}` may more than you, who are `{}`", role.as_str(), principal.role.as_str());
        return Err(ApiError::field("/role", message));
    }
    // A token that makes tokens makes none that may more.
    let scopes = narrowed_scopes(principal, scopes)?.map(distinct);
    if store::count_tokens(app.db.reader(), &principal.actor.0).await? >= TOKENS {
        return Err(ApiError::conflict("too_many_tokens", format!("you have {TOKENS} tokens; revoke some first")));
    }
    let secret = Secret::random(TOKEN_PREFIX)?;
    let writing = auth.writing(&app, &request_id);
    let text = secret.expose().to_owned();
    let new = NewToken {
        account_id: principal.actor.0.clone(),
        name,
        role,
        scopes,
        created_at: writing.at,
        expires_at: writing.at + TimeDelta::days(i64::from(days)),
    };
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let account = new.account_id.clone();
            let view = store::add_token(txn, &secret, new).await?;
            let detail =
                json!({ "name": view.name, "role": view.role, "scopes": view.scopes, "expires_at": view.expires_at });
            record(txn, &writing, &account, Entry::done("token.create", view.id.clone(), detail)).await?;
            Ok::<_, ApiError>(view)
        })
    });
    let view = work.await?;
    Ok((StatusCode::CREATED, Json(TokenCreated { token: text, view })).into_response())
}

fn distinct(mut verbs: Vec<Verb>) -> Vec<Verb> {
    verbs.sort_unstable();
    verbs.dedup();
    verbs
}

/// Revokes one of the caller's tokens; it is refused from the next request on.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "access", operation_id = "delete_token",
    params(("id" = String, Path, example = "tok_0123456789abcdef")),
    responses((status = 204, description = "Revoked")),
)]
pub async fn delete_token(
    auth: Authorized<ManageOwnAccess>,
    State(app): State<App>,
    params: Params,
    Path(id): Path<String>,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let writing = auth.writing(&app, &request_id);
    let work = change_access(&app, move |txn| {
        Box::pin(async move {
            let account = writing.actor.0.clone();
            let absent = || ApiError::not_found("token_not_found", format!("you have no token `{id}`"));
            let name = store::revoke_token(txn, &account, &id).await?.ok_or_else(absent)?;
            let entry = Entry::done("token.revoke", id, json!({ "name": name }));
            record(txn, &writing, &account, entry).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}
