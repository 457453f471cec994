//! The two requests of a sign-in: the way to the provider, and the way back.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{HOST, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use portal_app::SiteInfo;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::Digest as _;
use url::Url;

use super::provider::Exchange;
use super::{Fault, Provider, people};
use crate::access::cookie::PENDING;
use crate::access::pages;
use crate::access::secret::Secret;
use crate::access::sessions::Door;
use crate::error::{ApiError, ApiResult};
use crate::http::context::RequestId;
use crate::http::origin::{Origin, Scheme};
use crate::http::params::Params;
use crate::state::App;

/// Whoever takes longer at the provider begins again.
const LIFE: TimeDelta = TimeDelta::minutes(10);

/// A sign-in under way, as the browser's cookie keeps it. It holds nothing that its
/// owner may not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    return_to: String,
    redirect_uri: String,
    begun_at: DateTime<Utc>,
}

/// What the provider sends the browser back with.
struct Back {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Sends the browser to the provider.
pub async fn begin(
    State(app): State<App>,
    Extension(site): Extension<SiteInfo>,
    Path(name): Path<String>,
    origin: Option<Extension<Origin>>,
    request_id: RequestId,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Response> {
    let return_to = pages::local(&params.one("return_to")?.unwrap_or_default());
    params.finish()?;
    let provider = find(&app, &name)?;
    let door = Door::new(&app, &request_id, origin.as_deref(), &headers);
    let redirect_uri = app.providers.redirect_uri(&name, &reached(&app, &headers, door.origin.scheme));
    let random = || Secret::random("").map(|secret| secret.expose().to_owned());
    let pending = Pending {
        provider: name,
        state: random()?,
        nonce: random()?,
        verifier: random()?,
        return_to,
        redirect_uri,
        begun_at: app.clock.now(),
    };
    match address(&app, &provider, &pending).await {
        Ok(address) => {
            let mut response = pages::see_other(&address);
            response.headers_mut().append(SET_COOKIE, cookie(door.origin.scheme, &pending)?);
            Ok(response)
        }
        Err(fault) => failed(&app, &site, &door, &provider, &fault, &pending.return_to).await,
    }
}

/// The origin under which a browser reached the portal. Names that are not ours were
/// refused before.
fn reached(app: &App, headers: &HeaderMap, scheme: Scheme) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.unwrap_or_else(|| app.config.listen.to_string());
    format!("{}://{host}", if scheme == Scheme::Https { "https" } else { "http" })
}

/// Where at the provider a sign-in begins.
async fn address(app: &App, provider: &Provider, pending: &Pending) -> Result<String, Fault> {
    let description = provider.description(app.clock.now()).await?;
    let mut address = Url::parse(&description.authorization_endpoint)
        .map_err(|error| Fault::Provider(format!("its authorization endpoint is no URL: {error}")))?;
    let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(pending.verifier.as_bytes()));
    address
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.config.client_id)
        .append_pair("redirect_uri", &pending.redirect_uri)
        .append_pair("scope", &provider.config.scopes.join(" "))
        .append_pair("state", &pending.state)
        .append_pair("nonce", &pending.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    Ok(address.into())
}

/// Takes the browser back, and in.
pub async fn finish(
    State(app): State<App>,
    Extension(site): Extension<SiteInfo>,
    Path(name): Path<String>,
    origin: Option<Extension<Origin>>,
    request_id: RequestId,
    headers: HeaderMap,
    mut params: Params,
) -> ApiResult<Response> {
    // Providers add more, which is nobody's business here.
    let mut one = |name: &'static str| params.one(name);
    let back = Back { code: one("code")?, state: one("state")?, iss: one("iss")?, error: one("error")? };
    let provider = find(&app, &name)?;
    let door = Door::new(&app, &request_id, origin.as_deref(), &headers);
    let pending = pending_of(&headers, door.origin.scheme);
    let return_to = pending.as_ref().map(|pending| pending.return_to.clone()).unwrap_or_default();
    let done = match accept(&app, &provider, pending, back).await {
        Ok(claims) => people::account(&door, &provider.config, &claims).await?,
        Err(fault) => Err(fault),
    };
    let mut response = match done {
        Ok(account) => {
            let with = format!("oidc:{}", provider.config.name);
            let cookie = door.enter(account, None, &with).await?;
            let mut response = pages::see_other(&pages::local(&return_to));
            response.headers_mut().append(SET_COOKIE, cookie);
            response
        }
        Err(fault) => failed(&app, &site, &door, &provider, &fault, &return_to).await?,
    };
    response.headers_mut().append(SET_COOKIE, PENDING.clear(door.origin.scheme));
    Ok(response)
}

/// What the provider says about whoever comes back with this.
async fn accept(
    app: &App,
    provider: &Provider,
    pending: Option<Pending>,
    back: Back,
) -> Result<Map<String, Value>, Fault> {
    let now = app.clock.now();
    let pending = pending.ok_or(Fault::Foreign("this browser has begun no sign-in"))?;
    // Both are random; that they are compared at all is what counts, and a cookie is
    // not guessed by its owner.
    if back.state.as_deref() != Some(&pending.state) || pending.provider != provider.config.name {
        return Err(Fault::Foreign("the answer belongs to another sign-in"));
    }
    if now - pending.begun_at > LIFE {
        return Err(Fault::Foreign("the sign-in took too long"));
    }
    let description = provider.description(now).await?;
    // An answer of one provider that is handed to the portal as another's (RFC 9207).
    match &back.iss {
        Some(issuer) if *issuer != description.issuer => {
            return Err(Fault::Foreign("the answer comes from another issuer"));
        }
        None if description.authorization_response_iss_parameter_supported => {
            return Err(Fault::Foreign("the answer does not say which issuer it comes from"));
        }
        _ => {}
    }
    if let Some(error) = back.error {
        let error: String = error.chars().filter(|character| !character.is_control()).take(100).collect();
        return Err(Fault::Provider(format!("it answered `{error}`")));
    }
    let code = back.code.filter(|code| !code.is_empty() && code.len() <= 4096);
    let code = code.ok_or(Fault::Foreign("the answer has no code"))?;
    let Pending { verifier, nonce, redirect_uri, .. } = &pending;
    provider.exchange(Exchange { code: &code, verifier, redirect_uri, nonce, now }).await
}

/// The sign-in page again, with what happened; the log says more.
async fn failed(
    app: &App,
    site: &SiteInfo,
    door: &Door<'_>,
    provider: &Provider,
    fault: &Fault,
    return_to: &str,
) -> ApiResult<Response> {
    if app.identity.logs_stranger(app.clock.now()) {
        let detail = json!({ "with": format!("oidc:{}", provider.config.name), "reason": fault.to_string() });
        door.log_failure(None, provider.config.name.clone(), detail).await?;
    }
    tracing::warn!(provider = provider.config.name, reason = %fault, "a sign-in with a provider failed");
    let title = provider.config.title();
    let (status, words) = match fault {
        Fault::Foreign(_) => {
            (StatusCode::BAD_REQUEST, "This sign-in was begun elsewhere or too long ago. Begin again.".to_owned())
        }
        Fault::Disabled(_) => {
            (StatusCode::FORBIDDEN, "Your account is disabled. An administrator can enable it.".to_owned())
        }
        Fault::Provider(_) | Fault::Token(_) | Fault::Settings(_) => (
            StatusCode::UNAUTHORIZED,
            format!(
                "Signing in with {title} did not work. Try again, or ask an administrator: the audit log says why, under {}.",
                door.request_id
            ),
        ),
    };
    pages::refused(app, site, status, words, String::new(), pages::local(return_to)).await
}

fn find(app: &App, name: &str) -> ApiResult<std::sync::Arc<Provider>> {
    app.providers.find(name).ok_or_else(|| ApiError::not_found("provider_not_found", format!("no provider `{name}`")))
}

fn cookie(scheme: Scheme, pending: &Pending) -> ApiResult<HeaderValue> {
    let value = serde_json::to_vec(pending).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(PENDING.set(scheme, &URL_SAFE_NO_PAD.encode(value), LIFE))
}

fn pending_of(headers: &HeaderMap, scheme: Scheme) -> Option<Pending> {
    let value = PENDING.read(headers, scheme)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()
}
