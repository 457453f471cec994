//! The web interface, mounted: pages rendered by `portal-app`, its files from
//! the binary, and the API called in process while a page renders.

mod fragments;

use std::borrow::Cow;
use std::sync::Arc;

use any_spawner::Executor;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use http_body_util::BodyExt;
use leptos::config::LeptosOptions;
use leptos::nonce::{Nonce, use_nonce};
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;
use portal_app::api::{Api, ApiAnswer, ApiRequest, Method, Sending, Transport};
use portal_app::{CallerInfo, PageStatus, SiteInfo};
use portal_core::access::{Decision, Known, Principal, Resource, Verb, decide};
use rust_embed::RustEmbed;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::access;
use crate::access::identity::CurrentSession;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::http::origin::Origin;
use crate::state::App;

/// What `cargo xtask site` built. In development it is read from the disk.
#[derive(RustEmbed)]
#[folder = "../../target/site"]
#[allow_missing = true]
struct Site;

/// Pages and files for every path that the API does not know.
pub fn mount(app: &App, api: Router) -> Router {
    portal_app::address_files(versioned);
    let site = SiteInfo {
        sample: app.config.sample,
        script: versioned("pkg/portal.js"),
        wasm: versioned("pkg/portal_bg.wasm"),
        styles: versioned("pkg/portal.css"),
        seq: 0,
        caller: CallerInfo::default(),
    };
    let api = fragments::with(app, api).merge(access::pages::router(&site).with_state(app.clone()));
    let guide_site = site.clone();
    let inside = Inside { router: api.clone(), clock: app.clock.clone() };
    let catalog = app.catalog.clone();
    let context = move || {
        let parts = use_context::<axum::http::request::Parts>().unwrap_or_else(empty_parts);
        let principal = parts.extensions.get::<Principal>().cloned().unwrap_or_else(Principal::nobody);
        let caller = caller_info(&principal);
        provide_context(Api::new(inside.transport(&parts.extensions)));
        provide_context(SiteInfo { caller, seq: catalog.snapshot().seq, ..site.clone() });
        let response = use_context::<ResponseOptions>();
        if let Some(response) = &response {
            protect(response);
        }
        provide_context(PageStatus::new(move |status| {
            if let (Some(response), Ok(status)) = (&response, StatusCode::from_u16(status)) {
                response.set_status(status);
            }
        }));
    };
    // Rendering spawns on the runtime of its thread. The list of routes, which
    // would start the executor as well, is not needed, and while it is made no
    // page of the whole process can load anything. An error means: started before.
    let _ = Executor::init_tokio();
    let options = LeptosOptions::builder().output_name("portal").site_pkg_dir("pkg").build();
    let render = leptos_axum::render_app_async_with_context(context, move || portal_app::shell(options.clone()));
    let threads = RenderThreads::start(&app.stop);
    api.fallback(move |request: Request| {
        let (render, threads, site) = (render.clone(), threads.clone(), guide_site.clone());
        async move {
            let path = request.uri().path();
            if path == "/api" || path.starts_with("/api/") {
                return crate::router::unknown_route(request).await.into_response();
            }
            if !matches!(*request.method(), HttpMethod::GET | HttpMethod::HEAD) {
                return ApiError::MethodNotAllowed(request.method().to_string()).into_response();
            }
            if let Some(file) = file(path, request.uri().query(), request.headers()) {
                return file;
            }
            if path == "/styleguide" {
                return styleguide(&site);
            }
            let principal = request.extensions().get::<Principal>();
            if principal.is_none_or(|principal| principal.known == Known::Nobody) {
                return access::pages::to_sign_in(request.uri());
            }
            let Some(mut response) = threads.run(written(render(request))).await else {
                return ApiError::Internal("a page could not be rendered; the log says why".to_owned()).into_response();
            };
            // Whoever does not ask for HTML by name is redirected as well.
            if response.headers().contains_key(header::LOCATION) && response.status() == StatusCode::OK {
                *response.status_mut() = StatusCode::FOUND;
            }
            response
        }
    })
}

/// The page to its end. Its body is read where it was rendered: after the last
/// piece all that belongs to the page is taken apart, and whatever of it still
/// runs must not be in the way on another thread.
async fn written(page: impl Future<Output = Response>) -> Response {
    let (head, body) = page.await.into_parts();
    match body.collect().await {
        Ok(body) => Response::from_parts(head, Body::from(body.to_bytes())),
        Err(error) => ApiError::Internal(format!("a page broke off: {error}")).into_response(),
    }
}

/// Threads that render pages, each page on one of them.
///
/// A page that several threads work on loses wake-ups and finds signals that
/// are just being changed as if they were gone. On a thread with a runtime of
/// its own everything that a page starts stays with it. A few at a time, in
/// the order of their arrival and on the thread that has the least to do, is as
/// fast for all and fair to each.
#[derive(Clone)]
struct RenderThreads {
    threads: Arc<[RenderThread]>,
    permits: Arc<Semaphore>,
}

struct RenderThread {
    handle: Handle,
    /// One more than the pages on it: each holds a clone.
    pages: Arc<()>,
}

impl RenderThreads {
    /// They end when the portal stops.
    fn start(stop: &CancellationToken) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let start = |_| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let (handle, stop) = (runtime.handle().clone(), stop.clone());
            let thread = std::thread::Builder::new().name("render".to_owned());
            thread.spawn(move || runtime.block_on(stop.cancelled())).ok()?;
            Some(RenderThread { handle, pages: Arc::default() })
        };
        let threads = (0..cores).filter_map(start).collect();
        Self { threads, permits: Arc::new(Semaphore::new(2 * cores)) }
    }

    /// `None` when the portal stops, or the work panicked.
    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let _permit = self.permits.acquire().await.ok()?;
        let thread = self.threads.iter().min_by_key(|thread| Arc::strong_count(&thread.pages))?;
        let page = Arc::clone(&thread.pages);
        let work = async move {
            let _page = page;
            work.await
        };
        thread.handle.spawn(work).await.ok()
    }
}

fn protect(response: &ResponseOptions) {
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    for (name, value) in protections(&nonce) {
        response.insert_header(name, value);
    }
}

/// Of a page that is rendered without a request: the list of routes.
fn empty_parts() -> Parts {
    Request::new(()).into_parts().0
}

/// What the frame of each page shows of the caller, and what it need not offer.
fn caller_info(principal: &Principal) -> CallerInfo {
    let refused = |verb: &Verb| match decide(principal, *verb, Resource::Any) {
        Decision::Allow => None,
        Decision::SignIn => Some((verb.as_str().to_owned(), format!("Sign in to {}", verb.words()))),
        Decision::Deny(reason) => Some((verb.as_str().to_owned(), reason)),
    };
    CallerInfo {
        name: principal.has_account().then(|| principal.name.clone()),
        refused: Verb::ALL.iter().filter_map(refused).collect(),
    }
}

/// The headers of a page. Scripts run with this answer's nonce only.
pub fn protections(nonce: &str) -> [(HeaderName, HeaderValue); 5] {
    let policy = format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; img-src 'self' https: data:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    // A nonce is of characters that headers may have.
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    [
        (header::CONTENT_SECURITY_POLICY, policy),
        // Reported and not enforced: the framework sets the HTML of its templates, which
        // `theme.js` lets through; scripts from text it does not.
        (header::CONTENT_SECURITY_POLICY_REPORT_ONLY, HeaderValue::from_static("require-trusted-types-for 'script'")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ]
}

/// The style guide, which is written on the server only.
fn styleguide(site: &SiteInfo) -> Response {
    let nonce = Nonce::new().to_string();
    let page = portal_app::styleguide(site, &nonce);
    (protections(&nonce), Html(page)).into_response()
}

/// The address of a file that changes with its content, to be cached for ever.
fn versioned(path: &str) -> String {
    let hash = Site::get(path).map(|file| hex::encode(&file.metadata.sha256_hash()[..6]));
    hash.map_or_else(|| format!("/{path}"), |hash| format!("/{path}?v={hash}"))
}

/// A file of the site, compressed when the browser can read it so.
fn file(path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Response> {
    let path = path.trim_start_matches('/');
    if path.is_empty() || path.ends_with(".br") || path.ends_with(".gz") {
        return None;
    }
    let plain = Site::get(path)?;
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts =
        |coding: &str| accepted.split(',').any(|entry| entry.split(';').next().unwrap_or_default().trim() == coding);
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(coding))
        .find_map(|(coding, ending)| Some((coding, Site::get(&format!("{path}.{ending}"))?)));
    let tag = format!("\"{}\"", hex::encode(&plain.metadata.sha256_hash()[..8]));
    let forever = query.is_some_and(|query| query.starts_with("v="));
    let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let data = compressed.as_ref().map_or(plain.data, |(_, file)| file.data.clone());
        Body::from(bytes(data)).into_response()
    };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    if let Some((coding, _)) = compressed {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Some(response)
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The way from pages to the API.
#[derive(Clone)]
pub struct Inside {
    router: Router,
    clock: Arc<dyn Clock>,
}

impl Inside {
    /// On behalf of whoever sent a request with these extensions.
    pub fn transport(&self, of: &Extensions) -> InProcess {
        let mut extensions = Extensions::new();
        extensions.insert(of.get::<Principal>().cloned().unwrap_or_else(Principal::nobody));
        extensions.insert(of.get::<Origin>().cloned().unwrap_or_default());
        if let Some(session) = of.get::<CurrentSession>() {
            extensions.insert(session.clone());
        }
        extensions.insert(Rendering);
        InProcess { inside: self.clone(), extensions }
    }
}

/// Calls handlers and guards directly: no socket, no rate limit, no compression.
pub struct InProcess {
    inside: Inside,
    extensions: Extensions,
}

impl Transport for InProcess {
    fn send(&self, request: ApiRequest) -> Sending {
        let router = self.inside.router.clone();
        let extensions = self.extensions.clone();
        Box::pin(async move {
            let ApiRequest { method, path, body, if_match } = request;
            let method = match method {
                Method::Get => HttpMethod::GET,
                Method::Post => HttpMethod::POST,
                Method::Put => HttpMethod::PUT,
                Method::Patch => HttpMethod::PATCH,
                Method::Delete => HttpMethod::DELETE,
            };
            let mut request = Request::builder().method(method).uri(path);
            if body.is_some() {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
            if let Some(if_match) = if_match {
                request = request.header(header::IF_MATCH, if_match);
            }
            let mut request =
                request.body(body.map_or_else(Body::empty, Body::from)).map_err(|error| error.to_string())?;
            *request.extensions_mut() = extensions;
            let response = router.oneshot(request).await.map_err(|error| error.to_string())?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
            Ok(ApiAnswer { status, body: body.to_bytes().to_vec() })
        })
    }

    fn now_ms(&self) -> i64 {
        self.inside.clock.now().timestamp_millis()
    }
}

/// Marks a request that a page makes while it renders.
#[derive(Debug, Clone, Copy)]
pub struct Rendering;
