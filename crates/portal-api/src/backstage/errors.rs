//! Failures as Backstage's clients read them.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portal_core::problem::Problem;
use serde_json::json;

/// Where Backstage's clients call.
const PREFIXES: [&str; 3] = ["/api/catalog", "/api/scaffolder", "/api/search/query"];

/// Rewrites problems on the compatible routes, unknown ones included.
pub async fn translate(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_ours = PREFIXES
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if !is_ours {
        return next.run(request).await;
    }
    let method = request.method().to_string();
    let url = request.uri().path_and_query().map_or_else(|| path.to_owned(), ToString::to_string);
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (status, name) = class(problem.status);
    let body = json!({
        "error": { "name": name, "message": problem.detail },
        "request": { "method": method, "url": url },
        "response": { "statusCode": status.as_u16() },
    });
    (status, Json(body)).into_response()
}

/// Backstage knows no difference between unreadable and invalid.
fn class(status: u16) -> (StatusCode, &'static str) {
    match status {
        400 | 412 | 415 | 422 => (StatusCode::BAD_REQUEST, "InputError"),
        401 => (StatusCode::UNAUTHORIZED, "AuthenticationError"),
        403 => (StatusCode::FORBIDDEN, "NotAllowedError"),
        404 => (StatusCode::NOT_FOUND, "NotFoundError"),
        405 => (StatusCode::METHOD_NOT_ALLOWED, "NotFoundError"),
        409 => (StatusCode::CONFLICT, "ConflictError"),
        413 => (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError"),
        429 => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsError"),
        501 => (StatusCode::NOT_IMPLEMENTED, "NotImplementedError"),
        408 | 503 => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableError"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "Error"),
    }
}
