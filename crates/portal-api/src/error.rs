//! What a handler may answer instead of a result.
//!
//! The variants are what a client can do about it. Each becomes a problem
//! document ([`Problem`]); the request id is added by the middleware in
//! [`crate::http::context`], and the Backstage-compatible routes turn it into
//! Backstage's error body.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::problem::{FieldError, Problem};

use crate::db::{DbErr, DbError};

pub type ApiResult<T> = Result<T, ApiError>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// 400: could not be read. `code` is stable, the text names the place.
    #[error("{detail}")]
    Unreadable { code: &'static str, detail: String, errors: Vec<FieldError> },
    /// 401: the caller is unknown.
    #[error("{0}")]
    Unauthenticated(String),
    /// 403: known, but not allowed; the text is the rule's reason.
    #[error("{0}")]
    Forbidden(String),
    /// 404: absent, or not the caller's to know about.
    #[error("{detail}")]
    NotFound { code: &'static str, detail: String },
    /// 405
    #[error("this resource does not support {0}")]
    MethodNotAllowed(String),
    /// 408: the request did not arrive, or was not done, in time.
    #[error("{0}")]
    Timeout(String),
    /// 409: clashes with the current state.
    #[error("{detail}")]
    Conflict { code: &'static str, detail: String },
    /// 412: `If-Match` names another version.
    #[error("{0}")]
    PreconditionFailed(String),
    /// 413: larger than the budget, which the text names.
    #[error("{0}")]
    TooLarge(String),
    /// 415
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// 422: read, but invalid.
    #[error("{detail}")]
    Invalid { code: &'static str, detail: String, errors: Vec<FieldError> },
    /// 429: too often; seconds until the next try.
    #[error("too many requests")]
    TooMany(u32),
    /// 501
    #[error("{0}")]
    NotImplemented(String),
    /// 503: may work when tried again.
    #[error("{0}")]
    Unavailable(String),
    /// 500: our fault. The text goes to the log, never to the client.
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    pub fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Unreadable { code, detail: detail.into(), errors: Vec::new() }
    }

    /// A query parameter that cannot be read.
    pub fn parameter(name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Unreadable {
            code: "invalid_parameter",
            detail: format!("parameter `{name}`: {message}"),
            errors: vec![FieldError { pointer: name.to_owned(), message }],
        }
    }

    pub fn invalid(code: &'static str, detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self::Invalid { code, detail: detail.into(), errors }
    }

    /// One field of a body that was read but cannot be accepted.
    pub fn field(pointer: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Invalid {
            code: "invalid_field",
            detail: format!("`{pointer}`: {message}"),
            errors: vec![FieldError { pointer: pointer.to_owned(), message }],
        }
    }

    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::NotFound { code, detail: detail.into() }
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unreadable { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { code, .. }
            | Self::NotFound { code, .. }
            | Self::Conflict { code, .. }
            | Self::Invalid { code, .. } => code,
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Timeout(_) => "timeout",
            Self::PreconditionFailed(_) => "precondition_failed",
            Self::TooLarge(_) => "too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::TooMany(_) => "too_many_requests",
            Self::NotImplemented(_) => "not_implemented",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The document that the client sees, without the request id.
    pub fn problem(&self) -> Problem {
        let status = self.status();
        let detail = match self {
            Self::Internal(_) => "the request failed; the log has the reason under this request id".to_owned(),
            other => other.to_string(),
        };
        let mut errors = match self {
            Self::Unreadable { errors, .. } | Self::Invalid { errors, .. } => errors.clone(),
            _ => Vec::new(),
        };
        for error in &mut errors {
            error.message = clipped(std::mem::take(&mut error.message));
        }
        Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: self.code().to_owned(),
            detail: clipped(detail),
            request_id: String::new(),
            errors,
        }
    }
}

/// Messages quote what was sent, which may be long.
fn clipped(text: String) -> String {
    const LIMIT: usize = 500;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(cause = %cause, "request failed");
        }
        let problem = self.problem();
        let mut response = (self.status(), axum::Json(&problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match &self {
            Self::Unavailable(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            _ => {}
        }
        // For the middleware, which adds the request id.
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            tracing::warn!(error = %error, "database unavailable");
            return Self::Unavailable("the database does not answer; try again".to_owned());
        }
        match error {
            DbError::Unique(constraint) => Self::conflict("already_exists", format!("`{constraint}` is taken")),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        DbError::from(error).into()
    }
}
