//! The one place where routes come together, and the layers around them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::error::ApiError;
use crate::state::App;
use crate::{
    access, actions, approvals, audit, backstage, calls, catalog, changes, connectors, definition, delegations, docs,
    documentation, expiry, health, http, metrics, notifications, openapi, outbox, personal, runs, search, sources,
    templates, triggers,
};

/// Every documented route, and the document.
pub fn documented() -> (Router<App>, OpenApi) {
    let v1 = OpenApiRouter::new()
        .merge(access::router())
        .merge(actions::router())
        .merge(approvals::router())
        .merge(delegations::router())
        .merge(calls::router())
        .merge(audit::router())
        .merge(catalog::router())
        .merge(changes::router())
        .merge(connectors::router())
        .merge(definition::router())
        .merge(documentation::router())
        .merge(expiry::router())
        .merge(notifications::router())
        .merge(outbox::router())
        .merge(personal::router())
        .merge(runs::router())
        .merge(search::router())
        .merge(sources::router())
        .merge(templates::router())
        .merge(triggers::router());
    OpenApiRouter::with_openapi(openapi::frame())
        .nest("/api/v1", v1)
        .nest("/api/catalog", backstage::router())
        .nest("/api/scaffolder", backstage::scaffolder::router())
        .merge(search::backstage_router())
        .split_for_parts()
}

/// Handlers and guards, without the layers that belong to the network. The
/// rendering server calls it in process.
pub fn inner(app: &App) -> Router {
    let (documented, document) = documented();
    documented
        .merge(openapi::router(document))
        .merge(docs::router())
        .merge(access::jwt::well_known())
        .route("/healthz", get(health::show_health))
        .route("/readyz", get(health::show_readiness))
        .route("/metrics", get(metrics::show_metrics))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(unknown_route)
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app.clone())
}

/// What the network sees.
pub fn outer(app: &App) -> Router {
    let seconds = Duration::from_secs(app.config.limits.request_seconds);
    let hosts: Arc<[String]> = app.config.limits.hosts.clone().into();
    let inner = inner(app);
    #[cfg(feature = "ui")]
    let inner = crate::ui::mount(app, inner);
    let identity = app.clone();
    let counted = app.clone();
    let proxies: Arc<[IpAddr]> = app.config.proxy.trusted.clone().into();
    inner
        .layer(middleware::from_fn(move |request: Request, next| http::limit::check(counted.clone(), request, next)))
        .layer(middleware::from_fn(move |request: Request, next| {
            access::identity::identify(identity.clone(), request, next)
        }))
        .layer(middleware::from_fn(move |request: Request, next| http::context::within(seconds, request, next)))
        .layer(middleware::from_fn(backstage::errors::translate))
        .layer(CompressionLayer::new().br(true).gzip(true).quality(tower_http::CompressionLevel::Fastest))
        .layer(middleware::from_fn(move |request: Request, next| http::guard::check(hosts.clone(), request, next)))
        .layer(middleware::from_fn(move |request: Request, next| http::origin::note(proxies.clone(), request, next)))
        .layer(middleware::from_fn(http::context::assign))
}

pub async fn unknown_route(request: Request) -> ApiError {
    let path: String = request.uri().path().chars().take(200).collect();
    ApiError::not_found("unknown_route", format!("there is nothing at `{path}`; /api/openapi.json lists what is"))
}

async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::MethodNotAllowed(method.to_string())
}

fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    ApiError::Internal(format!("a handler panicked: {text}")).into_response()
}
