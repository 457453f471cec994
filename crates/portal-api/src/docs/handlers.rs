//! The files of the API reference.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, ApiResult};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Nothing but this server's own files, and calls of its own API.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub async fn show_page() -> Response {
    file(HTML, include_str!("assets/index.html"))
}

pub async fn show_asset(Path(name): Path<String>) -> ApiResult<Response> {
    let (content_type, text) = match name.as_str() {
        "viewer.css" => (CSS, include_str!("assets/viewer.css")),
        "main.js" => (SCRIPT, include_str!("assets/main.js")),
        "dom.js" => (SCRIPT, include_str!("assets/dom.js")),
        "schema.js" => (SCRIPT, include_str!("assets/schema.js")),
        "operation.js" => (SCRIPT, include_str!("assets/operation.js")),
        "request.js" => (SCRIPT, include_str!("assets/request.js")),
        _ => return Err(ApiError::not_found("unknown_route", "the API reference has no such file")),
    };
    Ok(file(content_type, text))
}

/// Parts change with the binary only, and are small: asking again is cheap.
fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (headers, text).into_response()
}
