//! Why somebody may or may not do something, and who could.

use axum::Json;
use axum::extract::State;
use portal_core::access::policy::{Subject, decide, says};
use portal_core::access::wire::Explanation;
use portal_core::access::{Decision, Principal, Resource, Role, Verb};
use portal_core::catalog::{Entity, EntityRef};

use crate::access::{identity, store};
use crate::catalog::handlers::document;
use crate::catalog::permission::owners;
use crate::catalog::view::Snapshot;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::params::Params;
use crate::state::App;

/// Names of accounts that could.
const ACCOUNTS: usize = 50;

/// Why the caller may or may not do something, and who could.
///
/// Whoever manages accounts may ask about others.
#[utoipa::path(
    get, path = "/access/explain", tag = "access", operation_id = "explain_access",
    params(
        ("verb" = Verb, Query, description = "e.g. `write_catalog`", example = "write_catalog"),
        ("entity" = Option<String>, Query, pattern = "^[^:/]+:([^:/]+/)?[^:/]+$", description = "Reference of the entity that it is about", example = "component:default/booking-api"),
        ("account" = Option<String>, Query, description = "Name of the account that it is about; the caller when absent"),
    ),
    responses((status = 200, description = "The decision and the rules behind it", body = Explanation)),
)]
pub async fn explain_access(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<Explanation>> {
    let Some(verb) = params.one("verb")? else {
        return Err(ApiError::parameter("verb", format!("is missing; one of {}", verbs())));
    };
    let Some(verb) = Verb::parse(&verb) else {
        return Err(ApiError::parameter("verb", format!("`{verb}` is none of {}", verbs())));
    };
    let entity = params.one("entity")?.filter(|text| !text.is_empty());
    let entity = entity.map(|text| text.parse::<EntityRef>()).transpose();
    let entity = entity.map_err(|error| ApiError::parameter("entity", error.to_string()))?;
    let account = params.one("account")?.filter(|name| !name.is_empty() && *name != auth.principal.name);
    params.finish()?;
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let principal = match &account {
        Some(name) => {
            auth.also(Verb::ManageAccess)?;
            other(&app, &snapshot, name).await?
        }
        None => auth.principal.clone(),
    };
    let loaded = match &entity {
        Some(entity) => {
            let (row, found) = document(&app, &snapshot, entity, &visibility).await?;
            Some((row, Entity(serde_json::from_slice(&found.json).unwrap_or_default())))
        }
        None => None,
    };
    let subject = loaded.as_ref().map(|(row, document)| Subject { index: &snapshot.index, row: *row, document });
    let name = entity.as_ref().map(ToString::to_string).unwrap_or_default();
    let owners = subject.map(|subject| owners(&snapshot.index, subject.row)).unwrap_or_default();
    let resource = match subject {
        Some(_) => Resource::Entity { entity_ref: &name, owners: &owners },
        None => Resource::Any,
    };
    let decide = |principal: &Principal| decide(&snapshot.policies.rules, principal, verb, resource, subject.as_ref());
    let (allowed, reason) = match decide(&principal) {
        Decision::Allow => (true, format!("{} may {}", principal.name, verb.words())),
        Decision::SignIn => (false, format!("sign in to {}", verb.words())),
        Decision::Deny(reason) => (false, reason),
    };
    let mut accounts = Vec::new();
    if auth.also(Verb::ManageAccess).is_ok() {
        let all = store::accounts(app.db.reader()).await?.into_iter().filter(|account| !account.disabled);
        let could = all.map(|account| identity::as_account(&snapshot, account));
        let could = could.filter(|principal| decide(principal) == Decision::Allow);
        accounts = could.map(|principal| principal.name).take(ACCOUNTS).collect();
    }
    let by_owning = Role::ALL.into_iter().any(|role| role.needs_to_own(verb));
    let owners = owners.iter().filter(|_| by_owning).map(|owner| snapshot.index.link_of(owner, &visibility));
    Ok(Json(Explanation {
        account: principal.name.clone(),
        verb,
        entity: entity.as_ref().map(|entity| snapshot.index.link(entity, &visibility)),
        allowed,
        reason,
        rules: says(&snapshot.policies.rules, &principal, verb, resource, subject.as_ref()),
        roles: Role::ALL.into_iter().filter(|role| role.may_everywhere(verb)).collect(),
        owners: owners.collect(),
        accounts,
    }))
}

async fn other(app: &App, snapshot: &Snapshot, name: &str) -> ApiResult<Principal> {
    if name == "guest" {
        return Ok(if app.identity.guests() { Principal::guest() } else { Principal::nobody() });
    }
    let account = store::account(app.db.reader(), name).await?.filter(|account| !account.disabled);
    let account = account.ok_or_else(|| ApiError::not_found("account_not_found", format!("no account `{name}`")))?;
    Ok(identity::as_account(snapshot, account))
}

fn verbs() -> String {
    Verb::ALL.map(|verb| format!("`{}`", verb.as_str())).join(", ")
}
