//! The API reference at `/api/docs`: a page and its parts, in the binary.
//!
//! It draws `/api/openapi.json` in the browser and loads nothing from
//! elsewhere, so it works offline and under its strict content policy. It
//! knows nothing of single operations.

mod handlers;

use axum::Router;
use axum::routing::get;

/// The page, at `/api/docs`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/api/docs", get(handlers::show_page))
        .route("/api/docs/", get(handlers::show_page))
        .route("/api/docs/{file}", get(handlers::show_asset))
}
