//! Whom a policy would affect, before it is in force.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use portal_core::access::policy::Policy;
use portal_core::access::wire::{PolicyDraft, PolicyPreview, PolicyReach};
use portal_core::access::{Principal, Role};
use portal_core::catalog::index::Visibility;

use super::handlers::{checked, compiled};
use crate::access::{identity, store};
use crate::catalog::view::Snapshot;
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, ManageAccess};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::state::App;

/// Accounts that are asked about.
const ACCOUNTS: usize = 500;
const EXAMPLES: usize = 5;

/// How much of the catalog a policy speaks of, for each account. Nothing is stored.
#[utoipa::path(
    post, path = "/policies/preview", tag = "access", operation_id = "preview_policy",
    request_body(content = PolicyDraft, example = json!({"effect": "deny", "verbs": ["read_catalog"],
        "condition": "entity.metadata.labels.visibility == 'private' && !caller.owns"})),
    responses((status = 200, description = "Whom it affects", body = PolicyPreview)),
)]
pub async fn preview_policy(
    auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
    JsonBody(draft): JsonBody<PolicyDraft>,
) -> ApiResult<Json<PolicyPreview>> {
    params.finish()?;
    let policy = compiled("preview", &checked("preview", draft)?)?;
    let accounts = store::accounts(app.db.reader()).await?;
    let snapshot = app.catalog.snapshot();
    let visibility = snapshot.visibility(&auth.principal);
    let guest = Principal::guest();
    let guests = app.identity.guests().then(|| reach(&policy, &snapshot, &visibility, "Guests", &guest));
    let accounts = accounts.into_iter().filter(|account| !account.disabled).take(ACCOUNTS).map(|account| {
        let title = account.title.clone();
        reach(&policy, &snapshot, &visibility, &title, &identity::as_account(&snapshot, account))
    });
    let callers: Option<Vec<PolicyReach>> = guests.into_iter().chain(accounts).collect();
    let answered = callers.is_some();
    let mut callers = callers.unwrap_or_default();
    callers.sort_by_key(|reach| Reverse(reach.entities));
    Ok(Json(PolicyPreview { total: snapshot.index.len() as u64, callers, answered }))
}

fn reach(
    policy: &Policy,
    snapshot: &Snapshot,
    visibility: &Visibility,
    title: &str,
    principal: &Principal,
) -> Option<PolicyReach> {
    let rows = policy.rows(principal, &snapshot.index)?;
    // Whoever previews is shown what they may see.
    let names = rows.iter().filter(|row| visibility.admits(*row)).take(EXAMPLES);
    let examples = names.filter_map(|row| snapshot.index.canonical(row));
    let role: Role = principal.role;
    Some(PolicyReach {
        name: principal.name.clone(),
        title: title.to_owned(),
        role,
        entities: rows.len(),
        examples: examples.map(|name| snapshot.index.link_of(name, visibility)).collect(),
    })
}
