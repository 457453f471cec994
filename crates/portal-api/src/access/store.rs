//! Queries on accounts, sessions, tokens and links.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use portal_core::access::wire::{AccountPatch, AccountView, SessionView, TokenView};
use portal_core::access::{Role, Verb};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::secret::Secret;
use crate::db::entity::{account, account_identity, api_token, session, sign_in_link};
use crate::db::{DatabaseTransaction, DbResult};
use crate::http::context::new_id;

pub use account::Model as Account;

/// How ids of accounts begin.
const ID_PREFIX: &str = "acc_";
/// How long a link signs in.
pub const LINK_LIFE: TimeDelta = TimeDelta::minutes(15);
/// Between two notes of when something was last used.
pub const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A role of the database; one that this program does not know may only read.
pub fn role(text: &str) -> Role {
    Role::parse(text).unwrap_or(Role::Viewer)
}

pub fn view(account: Account) -> AccountView {
    let Account { name, title, role: held, user_ref, disabled, password_hash, created_at, signed_in_at, .. } = account;
    AccountView {
        name,
        title,
        role: role(&held),
        user: user_ref,
        disabled,
        has_password: password_hash.is_some(),
        issuer: None,
        created_at,
        signed_in_at,
    }
}

pub async fn accounts<C: ConnectionTrait>(db: &C) -> DbResult<Vec<Account>> {
    Ok(account::Entity::find().order_by_asc(account::Column::Name).all(db).await?)
}

pub async fn account<C: ConnectionTrait>(db: &C, name: &str) -> DbResult<Option<Account>> {
    Ok(account::Entity::find().filter(account::Column::Name.eq(name)).one(db).await?)
}

pub async fn account_by_id<C: ConnectionTrait>(db: &C, id: &str) -> DbResult<Option<Account>> {
    Ok(account::Entity::find_by_id(id).one(db).await?)
}

/// These accounts by their ids.
pub async fn accounts_by_ids<C: ConnectionTrait>(db: &C, ids: BTreeSet<&str>) -> DbResult<HashMap<String, Account>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = account::Entity::find().filter(account::Column::Id.is_in(ids)).all(db).await?;
    Ok(found.into_iter().map(|account| (account.id.clone(), account)).collect())
}

/// The names of these accounts by their ids; what is no account is left out.
pub async fn names<C: ConnectionTrait>(db: &C, ids: BTreeSet<&str>) -> DbResult<HashMap<String, String>> {
    let ids: Vec<&str> = ids.into_iter().filter(|id| id.starts_with(ID_PREFIX)).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = account::Entity::find().filter(account::Column::Id.is_in(ids)).all(db).await?;
    Ok(found.into_iter().map(|account| (account.id, account.name)).collect())
}

/// Whether an administrator has ever signed in.
pub async fn has_admin_signed_in<C: ConnectionTrait>(db: &C) -> DbResult<bool> {
    let signed_in = account::Entity::find()
        .filter(account::Column::Role.eq(Role::Admin.as_str()))
        .filter(account::Column::SignedInAt.is_not_null());
    Ok(signed_in.count(db).await? > 0)
}

/// Administrators that can sign in.
pub async fn count_admins<C: ConnectionTrait>(db: &C) -> DbResult<u64> {
    let admins = account::Entity::find()
        .filter(account::Column::Role.eq(Role::Admin.as_str()))
        .filter(account::Column::Disabled.eq(false));
    Ok(admins.count(db).await?)
}

/// Adds an account; `false` when the name is taken.
pub async fn add_account(txn: &DatabaseTransaction, account: Account) -> DbResult<bool> {
    let row: account::ActiveModel = account.into();
    let added = account::Entity::insert(row.reset_all())
        .on_conflict(OnConflict::column(account::Column::Name).do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    Ok(added > 0)
}

/// A new account that has not signed in.
pub fn new_account(name: &str, title: &str, role: Role, user: Option<String>, now: DateTime<Utc>) -> Account {
    Account {
        id: new_id(ID_PREFIX),
        name: name.to_owned(),
        title: title.to_owned(),
        role: role.as_str().to_owned(),
        user_ref: user,
        disabled: false,
        password_hash: None,
        created_at: now,
        signed_in_at: None,
        groups: None,
    }
}

/// The account of whoever a provider knows by this subject.
pub async fn account_of(txn: &DatabaseTransaction, issuer: &str, subject: &str) -> DbResult<Option<Account>> {
    let key = (issuer.to_owned(), subject.to_owned());
    let Some(identity) = account_identity::Entity::find_by_id(key).one(txn).await? else { return Ok(None) };
    account_by_id(txn, &identity.account_id).await
}

pub async fn add_identity(txn: &DatabaseTransaction, issuer: &str, subject: &str, account_id: &str) -> DbResult<()> {
    let row = account_identity::ActiveModel {
        issuer: Set(issuer.to_owned()),
        subject: Set(subject.to_owned()),
        account_id: Set(account_id.to_owned()),
    };
    account_identity::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// Accounts as administrators see them, with the providers that sign them in.
pub async fn views<C: ConnectionTrait>(db: &C, accounts: Vec<Account>) -> DbResult<Vec<AccountView>> {
    let identities = account_identity::Entity::find().all(db).await?.into_iter();
    let mut issuers: HashMap<String, String> = identities.map(|row| (row.account_id, row.issuer)).collect();
    let view = |account: Account| {
        let issuer = issuers.remove(&account.id);
        AccountView { issuer, ..view(account) }
    };
    Ok(accounts.into_iter().map(view).collect())
}

/// The provider that signs an account in.
pub async fn issuer<C: ConnectionTrait>(db: &C, account_id: &str) -> DbResult<Option<String>> {
    let identity = account_identity::Entity::find().filter(account_identity::Column::AccountId.eq(account_id));
    Ok(identity.one(db).await?.map(|identity| identity.issuer))
}

/// What a provider says of an account at a sign-in. `groups` is a JSON array of
/// references.
pub async fn told_by_provider(
    txn: &DatabaseTransaction,
    account: &Account,
    title: String,
    role: Role,
    groups: Option<String>,
) -> DbResult<Account> {
    let told = Account { title, role: role.as_str().to_owned(), groups, ..account.clone() };
    if told == *account {
        return Ok(told);
    }
    let row: account::ActiveModel = told.into();
    Ok(account::ActiveModel { id: Unchanged(account.id.clone()), ..row.reset_all() }.update(txn).await?)
}

pub async fn change_account(txn: &DatabaseTransaction, account: &Account, patch: AccountPatch) -> DbResult<Account> {
    let AccountPatch { title, role, user, disabled } = patch;
    let mut row = account::ActiveModel { id: Unchanged(account.id.clone()), ..account.clone().into() };
    if let Some(title) = title {
        row.title = Set(title);
    }
    if let Some(role) = role {
        row.role = Set(role.as_str().to_owned());
    }
    if let Some(user) = user {
        row.user_ref = Set(Some(user).filter(|user| !user.is_empty()));
    }
    if let Some(disabled) = disabled {
        row.disabled = Set(disabled);
    }
    if !row.is_changed() {
        return Ok(account.clone());
    }
    Ok(row.update(txn).await?)
}

pub async fn set_password(txn: &DatabaseTransaction, account_id: &str, hash: String) -> DbResult<()> {
    account::Entity::update_many()
        .col_expr(account::Column::PasswordHash, Expr::value(hash))
        .filter(account::Column::Id.eq(account_id))
        .exec(txn)
        .await?;
    Ok(())
}

/// Removes an account and everything that signs it in.
pub async fn remove_account(txn: &DatabaseTransaction, account_id: &str) -> DbResult<()> {
    end_sessions(txn, account_id, None).await?;
    api_token::Entity::delete_many().filter(api_token::Column::AccountId.eq(account_id)).exec(txn).await?;
    sign_in_link::Entity::delete_many().filter(sign_in_link::Column::AccountId.eq(account_id)).exec(txn).await?;
    account_identity::Entity::delete_many()
        .filter(account_identity::Column::AccountId.eq(account_id))
        .exec(txn)
        .await?;
    account::Entity::delete_by_id(account_id).exec(txn).await?;
    Ok(())
}

/// Where a session begins.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub address: String,
    pub agent: String,
}

pub async fn begin_session(
    txn: &DatabaseTransaction,
    account_id: &str,
    secret: &Secret,
    visitor: Visitor,
    now: DateTime<Utc>,
    life: TimeDelta,
) -> DbResult<()> {
    let row = session::ActiveModel {
        hash: Set(secret.hash()),
        id: Set(new_id("ses_")),
        account_id: Set(account_id.to_owned()),
        created_at: Set(now),
        seen_at: Set(now),
        expires_at: Set(now + life),
        address: Set(visitor.address),
        agent: Set(visitor.agent),
    };
    session::Entity::insert(row).exec_without_returning(txn).await?;
    account::Entity::update_many()
        .col_expr(account::Column::SignedInAt, Expr::value(now))
        .filter(account::Column::Id.eq(account_id))
        .exec(txn)
        .await?;
    Ok(())
}

/// A session and its account.
pub async fn find_session<C: ConnectionTrait>(db: &C, hash: &str) -> DbResult<Option<(session::Model, Account)>> {
    let Some(found) = session::Entity::find_by_id(hash).one(db).await? else { return Ok(None) };
    Ok(account_by_id(db, &found.account_id).await?.map(|account| (found, account)))
}

/// A session that is not used by its cookie.
pub async fn find_session_by_id<C: ConnectionTrait>(db: &C, id: &str) -> DbResult<Option<(session::Model, Account)>> {
    let found = session::Entity::find().filter(session::Column::Id.eq(id)).one(db).await?;
    let Some(found) = found else { return Ok(None) };
    Ok(account_by_id(db, &found.account_id).await?.map(|account| (found, account)))
}

pub async fn find_token_by_id<C: ConnectionTrait>(db: &C, id: &str) -> DbResult<Option<(api_token::Model, Account)>> {
    let found = api_token::Entity::find().filter(api_token::Column::Id.eq(id)).one(db).await?;
    let Some(found) = found else { return Ok(None) };
    Ok(account_by_id(db, &found.account_id).await?.map(|account| (found, account)))
}

pub async fn sessions<C: ConnectionTrait>(
    db: &C,
    account_id: &str,
    current: Option<&str>,
) -> DbResult<Vec<SessionView>> {
    let rows = session::Entity::find()
        .filter(session::Column::AccountId.eq(account_id))
        .order_by_desc(session::Column::CreatedAt)
        .order_by_asc(session::Column::Id);
    let view = |row: session::Model| {
        let session::Model { hash, id, created_at, seen_at, expires_at, address, agent, .. } = row;
        let current = current == Some(hash.as_str());
        SessionView { id, created_at, seen_at, expires_at, address, agent, current }
    };
    Ok(rows.all(db).await?.into_iter().map(view).collect())
}

/// Ends one session of an account by its hash; `false` when there is none.
pub async fn end_session(txn: &DatabaseTransaction, hash: &str) -> DbResult<bool> {
    Ok(session::Entity::delete_by_id(hash).exec(txn).await?.rows_affected > 0)
}

/// Ends sessions of an account, the one with this id or all; answers how many.
pub async fn end_sessions(txn: &DatabaseTransaction, account_id: &str, id: Option<&str>) -> DbResult<u64> {
    let mut delete = session::Entity::delete_many().filter(session::Column::AccountId.eq(account_id));
    if let Some(id) = id {
        delete = delete.filter(session::Column::Id.eq(id));
    }
    Ok(delete.exec(txn).await?.rows_affected)
}

/// Ends the sessions of an account but the one with this hash.
pub async fn end_other_sessions(txn: &DatabaseTransaction, account_id: &str, keep: &str) -> DbResult<()> {
    session::Entity::delete_many()
        .filter(session::Column::AccountId.eq(account_id))
        .filter(session::Column::Hash.ne(keep))
        .exec(txn)
        .await?;
    Ok(())
}

pub async fn seen_session(txn: &DatabaseTransaction, hash: &str, now: DateTime<Utc>) -> DbResult<()> {
    let update = session::Entity::update_many().col_expr(session::Column::SeenAt, Expr::value(now));
    update.filter(session::Column::Hash.eq(hash)).exec(txn).await?;
    Ok(())
}

/// What a new token is.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub account_id: String,
    pub name: String,
    pub role: Role,
    pub scopes: Option<Vec<Verb>>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub async fn add_token(txn: &DatabaseTransaction, secret: &Secret, new: NewToken) -> DbResult<TokenView> {
    let NewToken { account_id, name, role, scopes, created_at, expires_at } = new;
    let row = api_token::Model {
        hash: secret.hash(),
        id: new_id("tok_"),
        account_id,
        name,
        hint: secret.expose().chars().take(super::secret::TOKEN_PREFIX.len() + 4).collect(),
        role: role.as_str().to_owned(),
        scopes: scopes.and_then(|scopes| serde_json::to_string(&scopes).ok()),
        created_at,
        expires_at,
        used_at: None,
    };
    let stored: api_token::ActiveModel = row.clone().into();
    api_token::Entity::insert(stored.reset_all()).exec_without_returning(txn).await?;
    Ok(token_view(row))
}

/// The verbs of a token; none where they cannot be read.
pub fn scopes(text: Option<&str>) -> Option<Vec<Verb>> {
    text.map(|text| serde_json::from_str(text).unwrap_or_default())
}

fn token_view(row: api_token::Model) -> TokenView {
    let api_token::Model { id, name, hint, role: held, scopes: limits, created_at, expires_at, used_at, .. } = row;
    TokenView { id, name, hint, role: role(&held), scopes: scopes(limits.as_deref()), created_at, expires_at, used_at }
}

/// A token and its account.
pub async fn find_token<C: ConnectionTrait>(db: &C, hash: &str) -> DbResult<Option<(api_token::Model, Account)>> {
    let Some(found) = api_token::Entity::find_by_id(hash).one(db).await? else { return Ok(None) };
    Ok(account_by_id(db, &found.account_id).await?.map(|account| (found, account)))
}

pub async fn tokens<C: ConnectionTrait>(db: &C, account_id: &str) -> DbResult<Vec<TokenView>> {
    let rows = api_token::Entity::find()
        .filter(api_token::Column::AccountId.eq(account_id))
        .order_by_desc(api_token::Column::CreatedAt)
        .order_by_asc(api_token::Column::Id);
    Ok(rows.all(db).await?.into_iter().map(token_view).collect())
}

pub async fn count_tokens<C: ConnectionTrait>(db: &C, account_id: &str) -> DbResult<u64> {
    Ok(api_token::Entity::find().filter(api_token::Column::AccountId.eq(account_id)).count(db).await?)
}

/// Revokes a token of an account; answers its name.
pub async fn revoke_token(txn: &DatabaseTransaction, account_id: &str, id: &str) -> DbResult<Option<String>> {
    let found = api_token::Entity::find()
        .filter(api_token::Column::AccountId.eq(account_id))
        .filter(api_token::Column::Id.eq(id))
        .one(txn)
        .await?;
    let Some(found) = found else { return Ok(None) };
    api_token::Entity::delete_by_id(&found.hash).exec(txn).await?;
    Ok(Some(found.name))
}

pub async fn used_token(txn: &DatabaseTransaction, hash: &str, now: DateTime<Utc>) -> DbResult<()> {
    let update = api_token::Entity::update_many().col_expr(api_token::Column::UsedAt, Expr::value(now));
    update.filter(api_token::Column::Hash.eq(hash)).exec(txn).await?;
    Ok(())
}

pub async fn add_link(
    txn: &DatabaseTransaction,
    account_id: &str,
    secret: &Secret,
    now: DateTime<Utc>,
) -> DbResult<()> {
    let row = sign_in_link::ActiveModel {
        hash: Set(secret.hash()),
        account_id: Set(account_id.to_owned()),
        expires_at: Set(now + LINK_LIFE),
    };
    sign_in_link::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// The account that a link signs in, as long as it does.
pub async fn find_link<C: ConnectionTrait>(db: &C, secret: &Secret, now: DateTime<Utc>) -> DbResult<Option<Account>> {
    let link = sign_in_link::Entity::find_by_id(secret.hash()).one(db).await?;
    let Some(link) = link.filter(|link| link.expires_at > now) else { return Ok(None) };
    account_by_id(db, &link.account_id).await
}

/// Uses a link up; `false` when somebody was faster.
pub async fn take_link(txn: &DatabaseTransaction, secret: &Secret) -> DbResult<bool> {
    Ok(sign_in_link::Entity::delete_by_id(secret.hash()).exec(txn).await?.rows_affected > 0)
}

/// Forgets what has expired.
pub async fn sweep(txn: &DatabaseTransaction, now: DateTime<Utc>) -> DbResult<()> {
    session::Entity::delete_many().filter(session::Column::ExpiresAt.lte(now)).exec(txn).await?;
    sign_in_link::Entity::delete_many().filter(sign_in_link::Column::ExpiresAt.lte(now)).exec(txn).await?;
    Ok(())
}
