//! Who may come in: accounts, their sessions and tokens, and how a request is
//! found to be somebody's.

mod accounts;
mod caller;
pub mod command;
mod cookie;
pub mod first_start;
pub mod identity;
pub mod jwt;
pub mod oidc;
#[cfg(feature = "ui")]
pub mod pages;
mod password;
pub mod policies;
pub mod seal;
pub mod secret;
mod sessions;
pub mod store;
mod tokens;

use futures::future::BoxFuture;
use portal_core::access::{Principal, Role, Verb, narrowed};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::store::Account;
use crate::audit::{self, Entry};
use crate::changes::{self, NewChange, Writing};
use crate::db::{DatabaseTransaction, DbResult, Priority};
use crate::error::{ApiError, ApiResult};
use crate::state::App;

/// How subjects of the change feed begin that are about accounts. They tell other
/// processes that something changed, and nothing more.
pub const SUBJECT: &str = "access:";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(caller::show_caller))
        .routes(routes!(sessions::create_session, sessions::delete_session))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(sessions::change_password))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::delete_token))
        .routes(routes!(accounts::list_accounts, accounts::create_account))
        .routes(routes!(accounts::update_account, accounts::delete_account))
        .routes(routes!(accounts::create_sign_in_link))
        .routes(routes!(accounts::list_identity_providers))
        .merge(policies::router())
        .merge(jwt::router())
}

/// Changes what lets somebody in. It holds from the next request on.
async fn change_access<T, F>(app: &App, work: F) -> ApiResult<T>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, ApiResult<T>> + Send + 'static,
{
    let done = app.db.write(Priority::Interactive, work).await?;
    app.identity.forget();
    Ok(done)
}

/// Tells the other processes and logs, in the transaction of the change.
async fn record(txn: &DatabaseTransaction, writing: &Writing, account_id: &str, entry: Entry) -> DbResult<()> {
    let subject = format!("{SUBJECT}{account_id}");
    let change = NewChange { subject, operation: "access", document: None };
    // The entry says more than the change does.
    let told = Writing { by: None, ..writing.clone() };
    changes::store::append(txn, &told, vec![change]).await?;
    match &writing.by {
        Some(by) => audit::store::append_reserved(txn, by, writing.at, entry).await,
        None => Ok(()),
    }
}

/// The account of a name, made when there is none.
async fn found_or_added(
    txn: &DatabaseTransaction,
    writing: &Writing,
    name: &str,
    title: &str,
    role: Role,
) -> DbResult<Account> {
    if let Some(found) = store::account(txn, name).await? {
        return Ok(found);
    }
    let made = store::new_account(name, title, role, None, writing.at);
    store::add_account(txn, made.clone()).await?;
    let detail = serde_json::json!({ "after": store::view(made.clone()) });
    record(txn, writing, &made.id, Entry::done("account.create", name, detail)).await?;
    Ok(made)
}

/// The scopes of a token that somebody makes, which may not more than they may.
fn narrowed_scopes(maker: &Principal, asked: Option<Vec<Verb>>) -> ApiResult<Option<Vec<Verb>>> {
    narrowed(maker.verbs.as_deref(), asked).map_err(|verb| {
        let message = format!("`{}` is not among the scopes of the token that asks", verb.as_str());
        ApiError::field("/scopes", message)
    })
}

/// What changed, for the log.
fn difference<T: serde::Serialize>(before: &T, after: &T) -> Value {
    let value = |state: &T| serde_json::to_value(state).unwrap_or_default();
    serde_json::json!({ "before": value(before), "after": value(after) })
}
