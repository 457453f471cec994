//! What the command line does to accounts.

use chrono::{DateTime, TimeDelta, Utc};
use portal_core::access::{Role, Verb};
use serde_json::json;

use super::accounts::account_name;
use super::secret::{Secret, TOKEN_PREFIX};
use super::store::{self, NewToken};
use super::{found_or_added, record};
use crate::audit::Entry;
use crate::changes::Writing;
use crate::db::{Db, Priority};
use crate::error::{ApiError, ApiResult};

/// Makes a token for an account, and the account when there is none.
///
/// # Errors
/// A name that no account can have, or a role that may more than the account's.
pub async fn create_token(
    db: &Db,
    user: &str,
    role: Option<Role>,
    scopes: Option<Vec<Verb>>,
    life: TimeDelta,
    now: DateTime<Utc>,
) -> ApiResult<String> {
    let user = account_name(user)?;
    let secret = Secret::random(TOKEN_PREFIX)?;
    let text = secret.expose().to_owned();
    let writing = Writing::command_line(now);
    let work = db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let account = found_or_added(txn, &writing, &user, &user, role.unwrap_or(Role::Viewer)).await?;
            let held = store::role(&account.role);
            let role = role.unwrap_or(held);
            if !held.covers(role) {
                let (role, held) = (role.as_str(), held.as_str());
                return Err(ApiError::field(
                    "/role",
                    format!("the account `{user}` is `{held}`, and `{role}` may more"),
                ));
            }
            let new = NewToken {
                account_id: account.id.clone(),
                name: "made on the server".to_owned(),
                role,
                scopes,
                created_at: now,
                expires_at: now + life,
            };
            let view = store::add_token(txn, &secret, new).await?;
            let detail = json!({ "role": view.role, "scopes": view.scopes, "expires_at": view.expires_at });
            record(txn, &writing, &account.id, Entry::done("token.create", view.id, detail))
                .await
                .map_err(ApiError::from)
        })
    });
    work.await?;
    Ok(text)
}
