//! The context of a request: its id, its log line, and problems completed with
//! that id.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portal_core::problem::Problem;

/// Names the request in the log, in problems and in the response's headers.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    /// A call that the server makes to itself has no id of its own.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("internal".to_owned())))
    }
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers 408 when a request takes longer than allowed; streams of events may
/// go on, because their head is answered at once.
pub async fn within(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let seconds = limit.as_secs();
            crate::error::ApiError::Timeout(format!("the request took longer than {seconds} s")).into_response()
        }
    }
}

/// A new id of 60 random bits behind a prefix that says what it names.
pub fn new_id(prefix: &str) -> String {
    format!("{prefix}{}", &uuid::Uuid::new_v4().simple().to_string()[..16])
}

/// Gives the request an id, answers problems with it, and logs one line.
pub async fn assign(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = new_id("req_");
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id.clone_from(&id);
        let headers = std::mem::take(response.headers_mut());
        let mut completed = (response.status(), axum::Json(&problem)).into_response();
        for (name, value) in &headers {
            // The body is new: as long as it is, and not compressed.
            if name != header::CONTENT_LENGTH && name != header::CONTENT_ENCODING {
                completed.headers_mut().insert(name.clone(), value.clone());
            }
        }
        response = completed;
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let status = response.status();
    let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
    let route = route.as_deref().unwrap_or("-");
    crate::metrics::observe(method.as_str(), route, status.as_u16(), started.elapsed());
    if status.is_server_error() {
        tracing::warn!(request.id = %id, %method, route, status = status.as_u16(), duration_ms, "request failed");
    } else {
        tracing::debug!(request.id = %id, %method, route, status = status.as_u16(), duration_ms, "request");
    }
    response
}
