//! The first administrator: an account without a password, and links that sign
//! it in once.

use chrono::{DateTime, Utc};
use portal_core::access::Role;
use serde_json::json;

use super::secret::Secret;
use super::{record, store};
use crate::audit::Entry;
use crate::changes::Writing;
use crate::db::{Db, Priority};
use crate::error::{ApiError, ApiResult};

/// The account that is made when there is no administrator.
const ADMIN: &str = "admin";

/// Who the administrator is in the sample organisation.
const SAMPLE_USER: &str = "user:default/priya.raghunathan";

/// Where a link leads.
pub fn link_path(secret: &Secret) -> String {
    format!("/sign-in/link/{}", secret.expose())
}

/// Whether somebody has signed in as administrator yet.
pub async fn is_set_up(db: &Db) -> ApiResult<bool> {
    Ok(store::has_admin_signed_in(db.reader()).await?)
}

/// Makes a link for the first administrator that may sign in, and that account
/// when there is none. Answers the path. In the sample organisation they are
/// somebody there, so that there is something that is theirs.
///
/// # Errors
/// The database does not answer.
pub async fn admin_link(db: &Db, sample: bool, now: DateTime<Utc>) -> ApiResult<String> {
    let secret = Secret::random("")?;
    let path = link_path(&secret);
    let user = sample.then(|| SAMPLE_USER.to_owned());
    let writing = Writing::command_line(now);
    let work = db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let accounts = store::accounts(txn).await?;
            let may = |account: &&store::Account| store::role(&account.role) == Role::Admin && !account.disabled;
            let account = match accounts.iter().find(may) {
                Some(account) => account.clone(),
                None => {
                    let taken = accounts.iter().any(|account| account.name == ADMIN);
                    let name = if taken { format!("{ADMIN}-{}", accounts.len()) } else { ADMIN.to_owned() };
                    let account = store::new_account(&name, "Administrator", Role::Admin, user, now);
                    store::add_account(txn, account.clone()).await?;
                    account
                }
            };
            store::add_link(txn, &account.id, &secret, now).await?;
            let entry = Entry::done("account.link", account.name, json!({ "by": "the server" }));
            record(txn, &writing, &account.id, entry).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(path)
}
