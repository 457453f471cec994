//! Everybody's accounts, for administrators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portal_core::access::Role;
use portal_core::access::wire::{AccountCreate, AccountList, AccountPatch, AccountView, ProviderList, SignInLink};
use portal_core::catalog::EntityRef;
use serde_json::json;

use super::secret::Secret;
use super::store::{self, Account};
use super::{change_access, difference, record};
use crate::audit::Entry;
use crate::db::{DatabaseTransaction, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ManageAccess};
use crate::http::body::{self, JsonBody};
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::state::App;

/// Every account, by name.
#[utoipa::path(
    get, path = "/accounts", tag = "access", operation_id = "list_accounts",
    responses((status = 200, description = "All accounts", body = AccountList)),
)]
pub async fn list_accounts(
    _auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<AccountList>> {
    params.finish()?;
    let db = app.db.reader();
    let items = store::views(db, store::accounts(db).await?).await?;
    let total = items.len() as u64;
    Ok(Json(AccountList { items, next_cursor: None, total }))
}

/// Adds an account. It signs in with a link first (`POST …/sign-in-link`).
#[utoipa::path(
    post, path = "/accounts", tag = "access", operation_id = "create_account",
    request_body(content = AccountCreate, example = json!({"name": "kim", "title": "Kim Doe", "role": "developer"})),
    responses((status = 201, description = "Added", body = AccountView)),
)]
pub async fn create_account(
    auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
    request_id: RequestId,
    JsonBody(create): JsonBody<AccountCreate>,
) -> ApiResult<Response> {
    params.finish()?;
    let AccountCreate { name, title, role, user } = create;
    let name = account_name(&name)?;
    let title = title.map(|title| account_title(&title)).transpose()?.unwrap_or_else(|| name.clone());
    let user = user.map(|user| user_ref(&user)).transpose()?;
    let writing = auth.writing(&app, &request_id);
    let account = store::new_account(&name, &title, role, user, writing.at);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            if !store::add_account(txn, account.clone()).await? {
                return Err(ApiError::conflict("account_exists", format!("there is an account `{}`", account.name)));
            }
            let view = store::view(account.clone());
            let detail = json!({ "after": view });
            record(txn, &writing, &account.id, Entry::done("account.create", account.name, detail)).await?;
            Ok::<_, ApiError>(view)
        })
    });
    Ok((StatusCode::CREATED, Json(work.await?)).into_response())
}

/// Changes an account: its title, its role, who it is in the catalog, whether it
/// may come in.
#[utoipa::path(
    patch, path = "/accounts/{name}", tag = "access", operation_id = "update_account",
    params(("name" = String, Path, example = "kim")),
    request_body(content = AccountPatch, example = json!({"role": "maintainer"})),
    responses((status = 200, description = "The account as it is now", body = AccountView)),
)]
pub async fn update_account(
    auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
    Path(name): Path<String>,
    request_id: RequestId,
    JsonBody(mut patch): JsonBody<AccountPatch>,
) -> ApiResult<Json<AccountView>> {
    params.finish()?;
    patch.title = patch.title.map(|title| account_title(&title)).transpose()?;
    patch.user = match patch.user {
        Some(user) if !user.is_empty() => Some(user_ref(&user)?),
        other => other,
    };
    let writing = auth.writing(&app, &request_id);
    let work = change_access(&app, move |txn| {
        Box::pin(async move {
            let account = find(txn, &name).await?;
            let after = store::change_account(txn, &account, patch).await?;
            keep_an_admin(txn, &account).await?;
            if after.disabled {
                store::end_sessions(txn, &account.id, None).await?;
            }
            let [before, after] = [account.clone(), after].map(store::view);
            if before != after {
                let entry = Entry::done("account.update", name, difference(&before, &after));
                record(txn, &writing, &account.id, entry).await?;
            }
            let issuer = store::issuer(txn, &account.id).await?;
            Ok::<_, ApiError>(AccountView { issuer, ..after })
        })
    });
    Ok(Json(work.await?))
}

/// Removes an account with its sessions and tokens. What it did stays in the
/// history and in the audit log.
#[utoipa::path(
    delete, path = "/accounts/{name}", tag = "access", operation_id = "delete_account",
    params(("name" = String, Path, example = "kim")),
    responses((status = 204, description = "Removed")),
)]
pub async fn delete_account(
    auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
    Path(name): Path<String>,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let writing = auth.writing(&app, &request_id);
    let work = change_access(&app, move |txn| {
        Box::pin(async move {
            let account = find(txn, &name).await?;
            store::remove_account(txn, &account.id).await?;
            keep_an_admin(txn, &account).await?;
            let detail = json!({ "before": store::view(account.clone()) });
            record(txn, &writing, &account.id, Entry::done("account.delete", name, detail)).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The providers with which people sign in, each asked whether it can.
#[utoipa::path(
    get, path = "/identity-providers", tag = "access", operation_id = "list_identity_providers",
    responses((status = 200, description = "All providers", body = ProviderList)),
)]
pub async fn list_identity_providers(
    _auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<ProviderList>> {
    params.finish()?;
    let items = app.providers.views(app.clock.now(), app.config.listen).await;
    let total = items.len() as u64;
    Ok(Json(ProviderList { items, next_cursor: None, total }))
}

/// Makes a link with which an account signs in once, within 15 minutes: for
/// people who are new or have forgotten their password.
#[utoipa::path(
    post, path = "/accounts/{name}/sign-in-link", tag = "access", operation_id = "create_sign_in_link",
    params(("name" = String, Path, example = "kim")),
    responses((status = 201, description = "The link; shown this once", body = SignInLink)),
)]
pub async fn create_sign_in_link(
    auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
    Path(name): Path<String>,
    request_id: RequestId,
) -> ApiResult<Response> {
    params.finish()?;
    let secret = Secret::random("")?;
    let link =
        SignInLink { path: super::first_start::link_path(&secret), expires_at: app.clock.now() + store::LINK_LIFE };
    let writing = auth.writing(&app, &request_id);
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let account = find(txn, &name).await?;
            if account.disabled {
                return Err(ApiError::conflict("account_disabled", format!("the account `{name}` is disabled")));
            }
            store::add_link(txn, &account.id, &secret, writing.at).await?;
            record(txn, &writing, &account.id, Entry::done("account.link", name, serde_json::Value::Null)).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok((StatusCode::CREATED, Json(link)).into_response())
}

async fn find(txn: &DatabaseTransaction, name: &str) -> ApiResult<Account> {
    let absent = || ApiError::not_found("account_not_found", format!("there is no account `{name}`"));
    store::account(txn, name).await?.ok_or_else(absent)
}

/// Somebody must be able to administrate afterwards.
async fn keep_an_admin(txn: &DatabaseTransaction, before: &Account) -> ApiResult<()> {
    let was_admin = store::role(&before.role) == Role::Admin && !before.disabled;
    if was_admin && store::count_admins(txn).await? == 0 {
        let detail = format!("`{}` is the last administrator; make another one first", before.name);
        return Err(ApiError::conflict("last_admin", detail));
    }
    Ok(())
}

/// # Errors
/// Not a name of an account, which the error explains.
pub fn account_name(name: &str) -> ApiResult<String> {
    let name = name.trim();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.len() > 63 || !starts || !name.chars().all(allowed) {
        return Err(ApiError::field(
            "/name",
            "a name has 1 to 63 of a-z, 0-9, `-`, `_` and `.`, and begins with one of the first two",
        ));
    }
    if matches!(name, "guest" | "nobody" | "system") {
        return Err(ApiError::field("/name", format!("`{name}` means somebody else")));
    }
    Ok(name.to_owned())
}

fn account_title(title: &str) -> ApiResult<String> {
    body::label("/title", "a title", title)
}

fn user_ref(text: &str) -> ApiResult<String> {
    let parsed: Result<EntityRef, _> = text.parse();
    match parsed {
        Ok(user) if user.kind().eq_ignore_ascii_case("user") => Ok(user.to_string().to_lowercase()),
        _ => Err(ApiError::field("/user", "refers to a `User` of the catalog, e.g. `user:default/kim`")),
    }
}
