//! Who the caller is and what they may do.

use axum::Json;
use axum::extract::State;
use portal_core::access::wire::{Caller, Can};
use portal_core::access::{Decision, Known, Principal, Resource, Verb, decide};

use super::store;
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::http::params::Params;
use crate::state::App;

/// Who is asking, and what they may do.
#[utoipa::path(
    get, path = "/caller", tag = "access", operation_id = "show_caller",
    responses((status = 200, description = "The caller", body = Caller)),
)]
pub async fn show_caller(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<Caller>> {
    params.finish()?;
    Ok(Json(caller(&app, &auth.principal).await?))
}

/// The caller as the API and the pages show it.
pub async fn caller(app: &App, principal: &Principal) -> ApiResult<Caller> {
    let account = match principal.has_account() {
        true => store::account_by_id(app.db.reader(), &principal.actor.0).await?,
        false => None,
    };
    let Principal { known, name, role, user, groups, .. } = principal.clone();
    let known = match known {
        Known::Nobody => "nobody",
        Known::Guest => "guest",
        Known::Session => "session",
        Known::Token => "token",
        Known::Jwt => "jwt",
    };
    Ok(Caller {
        known: known.to_owned(),
        title: account.map_or_else(|| name.clone(), |account| account.title),
        name,
        role,
        user,
        groups,
        can: Verb::ALL.into_iter().map(|verb| (verb.as_str().to_owned(), can(principal, verb))).collect(),
    })
}

fn can(principal: &Principal, verb: Verb) -> Can {
    match decide(principal, verb, Resource::Any) {
        Decision::Allow => Can { allowed: true, reason: None },
        Decision::SignIn => Can { allowed: false, reason: Some(format!("sign in to {}", verb.words())) },
        Decision::Deny(reason) => Can { allowed: false, reason: Some(reason) },
    }
}
