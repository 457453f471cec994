//! Signing in and out with a browser: forms that work without JavaScript.

use axum::extract::{Path, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use leptos::nonce::Nonce;
use portal_app::{SignInLinkPage, SignInPage, SiteInfo, sign_in_link_page, sign_in_page};
use portal_core::access::wire::SignIn;

use super::cookie::SESSION;
use super::first_start::{self, link_path};
use super::identity::CurrentSession;
use super::oidc;
use super::secret::Secret;
use super::sessions::{Door, leave};
use super::store;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::Anybody;
use crate::http::body;
use crate::http::context::RequestId;
use crate::http::origin::{Origin, Scheme};
use crate::http::params::Params;
use crate::state::App;

/// Bytes of a form.
const FORM_LIMIT: usize = 16 << 10;

pub fn router(site: &SiteInfo) -> Router<App> {
    Router::new()
        .route("/sign-in", get(show_sign_in).post(sign_in))
        .route("/sign-in/link/{secret}", get(show_link).post(use_link))
        .route("/sign-out", post(sign_out))
        .merge(oidc::router())
        .layer(Extension(site.clone()))
}

/// Where somebody who must sign in first is sent.
pub fn to_sign_in(uri: &Uri) -> Response {
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", wanted).finish();
    see_other(&if wanted == "/" { "/sign-in".to_owned() } else { format!("/sign-in?{query}") })
}

pub(super) fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path), (header::CACHE_CONTROL, "no-store")]).into_response()
}

/// A path on this portal; anything else leads to the first page. Browsers read
/// `//host` and `/\host` as another site.
pub(super) fn local(path: &str) -> String {
    let elsewhere = !path.starts_with('/') || path.starts_with("//") || path.contains('\\');
    let odd = path.len() > 2000 || path.chars().any(|c| c.is_control() || !c.is_ascii());
    if elsewhere || odd || path.starts_with("/sign-") { "/".to_owned() } else { path.to_owned() }
}

fn page(status: StatusCode, write: impl FnOnce(&str) -> String) -> Response {
    let nonce = Nonce::new().to_string();
    let html = write(&nonce);
    (status, crate::ui::protections(&nonce), Html(html)).into_response()
}

async fn show_sign_in(
    State(app): State<App>,
    Extension(site): Extension<SiteInfo>,
    caller: Anybody,
    mut params: Params,
) -> ApiResult<Response> {
    let return_to = local(&params.one("return_to")?.unwrap_or_default());
    params.finish()?;
    if caller.principal.has_account() {
        return Ok(see_other(&return_to));
    }
    let shown = SignInPage { return_to, ..blank(&app).await? };
    Ok(page(StatusCode::OK, |nonce| sign_in_page(&site, nonce, &shown)))
}

async fn blank(app: &App) -> ApiResult<SignInPage> {
    let first_start = !first_start::is_set_up(&app.db).await?;
    let provider = |provider: &oidc::config::OidcConfig| (provider.name.clone(), provider.title().to_owned());
    let providers = app.providers.all().map(provider).collect();
    Ok(SignInPage { first_start, guests: app.identity.guests(), providers, ..SignInPage::default() })
}

/// The page again, with why somebody did not get in, and the name that they typed.
pub(super) async fn refused(
    app: &App,
    site: &SiteInfo,
    status: StatusCode,
    words: String,
    name: String,
    return_to: String,
) -> ApiResult<Response> {
    let shown = SignInPage { return_to, name, error: Some(words), ..blank(app).await? };
    Ok(page(status, |nonce| sign_in_page(site, nonce, &shown)))
}

async fn sign_in(
    State(app): State<App>,
    Extension(site): Extension<SiteInfo>,
    request_id: RequestId,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<Response> {
    let origin = request.extensions().get::<Origin>().cloned();
    let bytes = body::read(request.into_body(), FORM_LIMIT).await?;
    let field = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(&bytes);
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (name, return_to) = (field("name"), local(&field("return_to")));
    let door = Door::new(&app, &request_id, origin.as_ref(), &headers);
    match door.check(SignIn { name: name.clone(), password: field("password") }).await {
        Ok(account) => entered(&door, account, None, &return_to).await,
        Err(error @ (ApiError::Unauthenticated(_) | ApiError::TooMany(_))) => {
            let words = match &error {
                ApiError::TooMany(seconds) => format!("Too many wrong passwords; try again in {seconds} s."),
                _ => "The name or the password is wrong.".to_owned(),
            };
            refused(&app, &site, error.status(), words, name, return_to).await
        }
        Err(error) => Err(error),
    }
}

async fn entered(
    door: &Door<'_>,
    account: store::Account,
    link: Option<Secret>,
    return_to: &str,
) -> ApiResult<Response> {
    let with = if link.is_some() { "link" } else { "password" };
    let cookie = door.enter(account, link, with).await?;
    let mut response = see_other(return_to);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// A link is followed by a click on the page that it opens: programs that look at
/// links ahead of people do not use it up.
async fn show_link(
    State(app): State<App>,
    Extension(site): Extension<SiteInfo>,
    Path(secret): Path<String>,
) -> ApiResult<Response> {
    let secret = Secret::sent(&secret);
    let account = store::find_link(app.db.reader(), &secret, app.clock.now()).await?;
    let title = account.filter(|account| !account.disabled).map(|account| account.title);
    let status = if title.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let shown = SignInLinkPage { path: link_path(&secret), title };
    Ok(page(status, |nonce| sign_in_link_page(&site, nonce, &shown)))
}

async fn use_link(
    State(app): State<App>,
    Extension(site): Extension<SiteInfo>,
    Path(secret): Path<String>,
    request_id: RequestId,
    origin: Option<Extension<Origin>>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let secret = Secret::sent(&secret);
    let account = store::find_link(app.db.reader(), &secret, app.clock.now()).await?;
    let door = Door::new(&app, &request_id, origin.as_deref(), &headers);
    if let Some(account) = account.filter(|account| !account.disabled) {
        // Whoever comes without a password sets one.
        let next = if account.password_hash.is_none() { "/profile" } else { "/" };
        match entered(&door, account, Some(secret.clone()), next).await {
            Err(ApiError::Unauthenticated(_)) => {}
            other => return other,
        }
    }
    let shown = SignInLinkPage { path: link_path(&secret), title: None };
    Ok(page(StatusCode::NOT_FOUND, |nonce| sign_in_link_page(&site, nonce, &shown)))
}

async fn sign_out(
    State(app): State<App>,
    caller: Anybody,
    request_id: RequestId,
    session: Option<Extension<CurrentSession>>,
    origin: Option<Extension<Origin>>,
) -> ApiResult<Response> {
    leave(&app, &caller, &request_id, session.as_deref()).await?;
    let mut response = see_other(if app.identity.guests() { "/" } else { "/sign-in" });
    let scheme = origin.map_or(Scheme::Http, |origin| origin.scheme);
    response.headers_mut().append(SET_COOKIE, SESSION.clear(scheme));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_returns_to_this_portal_only() {
        for path in ["/", "/catalog?kind=api&q=a%20b", "/catalog/component/default/a"] {
            assert_eq!(local(path), path);
        }
        for path in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "/a\r\nb",
            "javascript:1",
            "/sign-out",
            "/é",
        ] {
            assert_eq!(local(path), "/", "{path:?}");
        }
    }
}
