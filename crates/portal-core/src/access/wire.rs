//! What crosses HTTP about accounts, sessions, tokens and the audit log.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use portal_derive::Read;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Role, Verb};
use crate::catalog::wire::EntityLink;

/// Who the caller is and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Caller {
    /// `guest`, `session`, `token`, or `jwt` for a short-lived token.
    pub known: String,
    /// The name that the account signs in with; `guest` for guests.
    pub name: String,
    /// How people call them.
    pub title: String,
    pub role: Role,
    /// The catalog's `User` that they are.
    pub user: Option<String>,
    /// The groups that they are in, those above included.
    pub groups: Vec<String>,
    /// Each verb, with the reason where it is refused.
    pub can: BTreeMap<String, Can>,
}

/// Whether something is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Can {
    pub allowed: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// A name and a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    pub name: String,
    pub password: String,
}

/// A new password for oneself.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChange {
    /// The password until now; needed where there is one.
    #[serde(default)]
    pub current: Option<String>,
    /// At least 12 characters.
    pub new: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountView {
    /// What they sign in with.
    pub name: String,
    pub title: String,
    pub role: Role,
    /// The catalog's `User` that they are.
    pub user: Option<String>,
    /// It cannot sign in, and its sessions and tokens are refused.
    pub disabled: bool,
    pub has_password: bool,
    /// The provider that signs it in, by its issuer.
    #[serde(default)]
    pub issuer: Option<String>,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub created_at: DateTime<Utc>,
    /// When it last signed in.
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub signed_in_at: Option<DateTime<Utc>>,
}

/// Accounts by name, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountList {
    pub items: Vec<AccountView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountCreate {
    /// 1 to 63 lower-case letters, digits, `-`, `_` and `.`
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
    pub name: String,
    #[serde(default)]
    pub title: Option<String>,
    pub role: Role,
    /// `user:default/<name>` when absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(pattern = "^user:[a-z0-9]{1,20}/[a-z0-9]{1,20}$"))]
    pub user: Option<String>,
}

/// What changes of an account; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountPatch {
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 80))]
    pub title: Option<String>,
    pub role: Option<Role>,
    #[cfg_attr(feature = "openapi", schema(pattern = "^(user:[a-z0-9]{1,20}/[a-z0-9]{1,20})?$"))]
    pub user: Option<String>,
    pub disabled: Option<bool>,
}

/// A provider with which people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderView {
    pub name: String,
    /// On the button.
    pub title: String,
    pub issuer: String,
    pub client_id: String,
    /// Where it sends browsers back to, to be registered there.
    pub redirect_uri: String,
    /// What its groups make of their members; roles are not its to give when empty.
    pub roles: BTreeMap<String, Role>,
    /// The role of everybody else, and of newcomers.
    pub role: Role,
    /// Why nobody can sign in with it at the moment.
    pub problem: Option<String>,
}

/// The providers of the configuration, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderList {
    pub items: Vec<ProviderView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What a short-lived token is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessTokenCreate {
    /// The system that it is for; this portal when absent.
    #[cfg_attr(feature = "openapi", schema(max_length = 255))]
    pub audience: Option<String>,
    /// All that the caller may when absent.
    pub scopes: Option<Vec<Verb>>,
    /// 30 to 600; 300 when absent.
    #[cfg_attr(feature = "openapi", schema(minimum = 30, maximum = 600))]
    pub expires_seconds: Option<u32>,
}

/// A short-lived token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessTokenCreated {
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: i64,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub expires_at: DateTime<Utc>,
    /// Verbs with spaces between; all that the role may when absent.
    pub scope: Option<String>,
}

/// An issuer of tokens for CI jobs, and which of its jobs may come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CiIssuerView {
    pub name: String,
    pub issuer: String,
    /// What a job asks its token for.
    pub audience: String,
    /// What its claims must say; `*` at the end stands for anything.
    pub claims: BTreeMap<String, String>,
    /// The account that the jobs come in as.
    pub account: String,
    pub role: Role,
    pub scopes: Option<Vec<Verb>>,
}

/// The issuers of the configuration, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CiIssuerList {
    pub items: Vec<CiIssuerView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// What a policy does where its condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Effect {
    /// Refuses, whatever roles and other policies say.
    Deny,
    /// Grants what the role would not.
    Allow,
}

impl Effect {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

/// A rule on top of roles and ownership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyDraft {
    pub effect: Effect,
    /// `read_catalog` and `write_catalog`.
    #[cfg_attr(feature = "openapi", schema(min_items = 1))]
    pub verbs: Vec<Verb>,
    /// CEL over `entity`, `relations` and `caller`.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
    pub condition: String,
    /// Shown to whom it refuses.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 300))]
    pub message: Option<String>,
    /// Whether it is in force; `true` when absent.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A policy as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyView {
    pub name: String,
    pub effect: Effect,
    pub verbs: Vec<Verb>,
    pub condition: String,
    pub message: Option<String>,
    pub enabled: bool,
    /// Of this version, for `If-Match`.
    pub etag: String,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub changed_at: DateTime<Utc>,
}

/// Every policy, by name, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyList {
    pub items: Vec<PolicyView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// Whom a policy would affect, were it in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyPreview {
    /// Entities in the catalog.
    pub total: u64,
    /// For guests and for each account, those with the most first. Empty when the
    /// condition is only answered for one entity at a time.
    pub callers: Vec<PolicyReach>,
    pub answered: bool,
}

/// How much of the catalog a policy speaks of, for one caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyReach {
    /// The name of an account, or `guest`.
    pub name: String,
    pub title: String,
    pub role: Role,
    pub entities: u64,
    /// Some of them, by name.
    pub examples: Vec<EntityLink>,
}

/// Why somebody may or may not do something, and who could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// Whose access is explained: the name of an account, or `guest`.
    pub account: String,
    pub verb: Verb,
    pub entity: Option<EntityLink>,
    pub allowed: bool,
    /// The decision in words.
    pub reason: String,
    /// What each rule says, in the order in which they are asked.
    pub rules: Vec<RuleSays>,
    /// Roles that may do it to anything.
    pub roles: Vec<Role>,
    /// Owners of the entity, where they may do it as its owners.
    pub owners: Vec<EntityLink>,
    /// Accounts that could, for whoever manages accounts; at most 50.
    pub accounts: Vec<String>,
}

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleSays {
    /// `sign-in`, `scopes`, `policy NAME` or `role NAME`.
    pub rule: String,
    /// `allow`, `deny`, or nothing about this.
    pub effect: Option<Effect>,
    pub words: String,
}

/// A link with which an account signs in once, without a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInLink {
    /// Path on this portal; shown this once.
    pub path: String,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub expires_at: DateTime<Utc>,
}

/// Somebody signed in with a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    pub id: String,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    #[serde(deserialize_with = "crate::moment::utc")]
    pub seen_at: DateTime<Utc>,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub expires_at: DateTime<Utc>,
    /// Where it was begun from.
    pub address: String,
    /// The `User-Agent` that began it.
    pub agent: String,
    /// It is the one that asks.
    pub current: bool,
}

/// The caller's sessions, newest first, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionList {
    pub items: Vec<SessionView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreate {
    /// What it is for, 1 to 80 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 80, pattern = r"^[^\p{C}\s][^\p{C}]*$"))]
    pub name: String,
    /// A role that may no more than one's own, which it is when absent.
    #[serde(default)]
    pub role: Option<Role>,
    /// What it is limited to; all that the role may when absent.
    #[serde(default)]
    pub scopes: Option<Vec<Verb>>,
    /// Days until it expires, 1 to 366; 90 when absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 366))]
    pub expires_days: Option<u32>,
}

/// An API token, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    pub id: String,
    pub name: String,
    /// Its first characters, to tell it from others.
    pub hint: String,
    pub role: Role,
    pub scopes: Option<Vec<Verb>>,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub created_at: DateTime<Utc>,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub used_at: Option<DateTime<Utc>>,
}

/// A token that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// The text to send as `Authorization: Bearer …`; shown this once.
    pub token: String,
    #[serde(flatten)]
    pub view: TokenView,
}

/// The caller's tokens, newest first, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenList {
    pub items: Vec<TokenView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditView {
    pub seq: i64,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub at: DateTime<Utc>,
    /// Id of the account, or `nobody`.
    pub actor: String,
    /// The name that the account had then.
    pub name: String,
    /// `sign_in`, `account.update`, `entity.update`, …
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    pub request_id: String,
    pub address: String,
    /// More of it, e.g. before and after, or the reason of a refusal.
    pub detail: Value,
    /// SHA-256 over this line and the one before.
    pub hash: String,
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditList {
    pub items: Vec<AuditView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}
