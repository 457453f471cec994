//! Request bodies within budget: JSON with problems that name the place.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use portal_core::problem::FieldError;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ApiResult};

/// Bytes of an ordinary body.
pub const BODY_LIMIT: usize = 1 << 20;
/// Bytes of a bulk upload.
pub const IMPORT_LIMIT: usize = 20 << 20;

/// A JSON body of at most [`BODY_LIMIT`] bytes.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

/// Collects a body, and stops reading as soon as it is over `limit` bytes.
///
/// # Errors
/// Over the limit, or the connection broke.
pub async fn read(body: Body, limit: usize) -> ApiResult<Bytes> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(ApiError::TooLarge(format!("the body is larger than {limit} bytes")))
        }
        Err(_) => Err(ApiError::bad("incomplete_body", "the body ended before it was complete")),
    }
}

/// Parses JSON; a fault is named by line and column.
///
/// # Errors
/// 400 for what is not JSON, 422 for JSON of another shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    let parsed = serde_json::from_slice(bytes).map_err(|error| {
        let detail = error.to_string();
        // Parsers may quote the input; a reader needs no more than this.
        let detail: String = detail.chars().take(300).collect();
        match error.classify() {
            serde_json::error::Category::Data => {
                let errors = vec![FieldError { pointer: String::new(), message: detail.clone() }];
                ApiError::invalid("invalid_body", format!("the body has another shape than expected: {detail}"), errors)
            }
            _ => ApiError::bad("malformed_json", format!("the body is not JSON: {detail}")),
        }
    })?;
    // A list would pass for an object whose fields are given in order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        let message = "a list, where an object is expected".to_owned();
        let errors = vec![FieldError { pointer: String::new(), message: message.clone() }];
        return Err(ApiError::invalid("invalid_body", format!("the body is {message}"), errors));
    }
    Ok(parsed)
}

/// A line that people read, without the spaces around it.
///
/// # Errors
/// Empty, longer than 80 characters, or with control characters. `what` says what
/// it is, as in `a name`.
pub fn label(pointer: &str, what: &str, text: &str) -> ApiResult<String> {
    let text = text.trim();
    if !(1..=80).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(ApiError::field(pointer, format!("{what} has 1 to 80 characters")));
    }
    Ok(text.to_owned())
}

/// The bytes of a JSON body, for a handler that needs them as they came.
///
/// # Errors
/// Another content type, or larger than [`BODY_LIMIT`].
pub async fn read_json(request: Request) -> ApiResult<Bytes> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if let Some(other) = content_type.filter(|content_type| !is_json(content_type)) {
        return Err(ApiError::UnsupportedMediaType(format!("`{other}` is not `application/json`")));
    }
    read(request.into_body(), BODY_LIMIT).await
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let bytes = read_json(request).await?;
        parse(&bytes).map(Self)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}
