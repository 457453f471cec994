//! Making short-lived tokens, and showing the keys to check them with.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use portal_core::access::wire::{AccessTokenCreate, AccessTokenCreated, CiIssuerList, CiIssuerView};
use portal_core::access::{Known, Role, Verb};
use serde_json::json;

use super::claims::{Claims, LONGEST, Parent};
use crate::access::identity::Credential;
use crate::access::narrowed_scopes;
use crate::access::store;
use crate::audit::{self, Entry};
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Anybody, Authorized, ManageAccess};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::params::Params;
use crate::state::App;

/// Seconds, when nothing is said.
const USUAL: u32 = 300;
const SHORTEST: u32 = 30;

/// What a token is to say.
pub struct Grant {
    /// Id of the account.
    pub account: String,
    pub name: String,
    pub role: Role,
    pub scopes: Option<Vec<Verb>>,
    pub parent: Parent,
    /// This portal when absent.
    pub audience: Option<String>,
    pub seconds: i64,
}

/// A short-lived token in exchange for the session or the token that asks.
///
/// It is signed (EdDSA, `at+jwt`) and holds for this portal, or for another system
/// that is named as its audience, which checks it with the keys at
/// `/.well-known/jwks.json`. Here it ends with what it was made from.
#[utoipa::path(
    post, path = "/access-tokens", tag = "access", operation_id = "create_access_token",
    request_body(content = AccessTokenCreate, example = json!({"scopes": ["read_catalog"], "expires_seconds": 300})),
    responses((status = 201, description = "Made", body = AccessTokenCreated)),
)]
pub async fn create_access_token(
    anybody: Anybody,
    credential: Option<Extension<Credential>>,
    State(app): State<App>,
    params: Params,
    request_id: RequestId,
    JsonBody(create): JsonBody<AccessTokenCreate>,
) -> ApiResult<Response> {
    params.finish()?;
    let principal = &anybody.principal;
    let parent = match credential {
        Some(Extension(credential)) if principal.has_account() => parent(&app, &credential).await?,
        _ => None,
    };
    let Some(parent) = parent else {
        return Err(match principal.known {
            Known::Jwt => {
                ApiError::Forbidden("a short-lived token makes no other; ask with what it was made from".to_owned())
            }
            _ => ApiError::Unauthenticated("sign in to make a token, or send one that lives longer".to_owned()),
        });
    };
    let AccessTokenCreate { audience, scopes, expires_seconds } = create;
    let seconds = expires_seconds.unwrap_or(USUAL);
    if !(SHORTEST..=LONGEST.unsigned_abs().try_into().unwrap_or(u32::MAX)).contains(&seconds) {
        return Err(ApiError::field("/expires_seconds", format!("{SHORTEST} to {LONGEST} seconds")));
    }
    let audience = audience.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if audience.as_ref().is_some_and(|text| text.len() > 255 || text.chars().any(char::is_control)) {
        return Err(ApiError::field("/audience", "names the system that it is for, in at most 255 characters"));
    }
    let scopes = narrowed_scopes(principal, scopes)?;
    let writing = anybody.writing(&app, &request_id);
    let grant = Grant {
        account: principal.actor.0.clone(),
        name: principal.name.clone(),
        role: principal.role,
        scopes,
        parent,
        audience,
        seconds: i64::from(seconds),
    };
    let (token, claims) = made(&app, grant).await?;
    let detail = json!({ "jti": claims.jti, "audience": claims.aud, "scope": claims.scope, "seconds": seconds });
    let entry = Entry::done("access_token.create", principal.name.clone(), detail);
    if let Some(by) = writing.by {
        let work = app.db.write(Priority::Interactive, move |txn| {
            Box::pin(async move { audit::store::append(txn, &by, writing.at, entry).await })
        });
        work.await?;
    }
    let created = AccessTokenCreated {
        access_token: token,
        token_type: "Bearer".to_owned(),
        expires_in: i64::from(seconds),
        expires_at: DateTime::<Utc>::from_timestamp(claims.exp, 0).unwrap_or(writing.at),
        scope: claims.scope,
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(created)).into_response())
}

async fn parent(app: &App, credential: &Credential) -> ApiResult<Option<Parent>> {
    let db = app.db.reader();
    Ok(match credential.known {
        Known::Session => store::find_session(db, &credential.hash).await?.map(|(row, _)| Parent::Session(row.id)),
        Known::Token => store::find_token(db, &credential.hash).await?.map(|(row, _)| Parent::Token(row.id)),
        _ => None,
    })
}

/// Signs.
///
/// # Errors
/// The database does not answer.
pub async fn made(app: &App, grant: Grant) -> ApiResult<(String, Claims)> {
    let Grant { account, name, role, scopes, parent, audience, seconds } = grant;
    let (now, issuer) = (app.clock.now(), app.config.issuer());
    let claims = Claims {
        aud: audience.unwrap_or_else(|| issuer.clone()),
        iss: issuer,
        sub: account,
        exp: (now + TimeDelta::seconds(seconds)).timestamp(),
        nbf: now.timestamp(),
        iat: now.timestamp(),
        jti: uuid::Uuid::new_v4().to_string(),
        name,
        role,
        scope: scope_text(scopes.as_deref()),
        parent,
    };
    Ok((app.keys.sign(app, &claims).await?, claims))
}

/// Verbs as OAuth writes scopes.
pub fn scope_text(verbs: Option<&[Verb]>) -> Option<String> {
    verbs.map(|verbs| verbs.iter().map(|verb| verb.as_str()).collect::<Vec<_>>().join(" "))
}

/// The public keys, for whoever checks a token of this portal.
pub async fn show_keys(State(app): State<App>) -> ApiResult<Response> {
    let keys = app.keys.public(&app).await?;
    let headers = [(header::CACHE_CONTROL, "public, max-age=300"), (header::CONTENT_TYPE, "application/jwk-set+json")];
    Ok((headers, Json(json!({ "keys": *keys }))).into_response())
}

/// The issuers whose CI jobs may come in, from the configuration.
#[utoipa::path(
    get, path = "/ci-issuers", tag = "access", operation_id = "list_ci_issuers",
    responses((status = 200, description = "All of them", body = CiIssuerList)),
)]
pub async fn list_ci_issuers(
    _auth: Authorized<ManageAccess>,
    State(app): State<App>,
    params: Params,
) -> ApiResult<Json<CiIssuerList>> {
    params.finish()?;
    let view = |(config, audience): (&super::CiConfig, &str)| CiIssuerView {
        name: config.name.clone(),
        issuer: config.issuer.clone(),
        audience: audience.to_owned(),
        claims: config.claims.clone(),
        account: config.account.clone(),
        role: config.role,
        scopes: config.scopes.clone(),
    };
    let items: Vec<CiIssuerView> = app.ci.all().map(view).collect();
    let total = items.len() as u64;
    Ok(Json(CiIssuerList { items, next_cursor: None, total }))
}
