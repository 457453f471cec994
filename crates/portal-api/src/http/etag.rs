//! Conditional requests: `If-None-Match` on reads, `If-Match` on writes.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, ApiResult};

/// The header's value for an entity tag.
pub fn header_value(etag: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{etag}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// A short tag that changes with a body.
pub fn of<T: serde::Serialize>(body: &T) -> String {
    use sha2::Digest as _;
    let text = serde_json::to_vec(body).unwrap_or_default();
    hex::encode(&sha2::Sha256::digest(&text)[..8])
}

/// Whether the client has this version already.
pub fn is_not_modified(headers: &HeaderMap, etag: &str) -> bool {
    listed(headers, &header::IF_NONE_MATCH, etag).unwrap_or(false)
}

/// A body under its tag, or that the client has it already.
pub fn answer<T: serde::Serialize>(headers: &HeaderMap, tag: &str, body: T) -> Response {
    let tags = [(header::ETAG, header_value(tag))];
    if is_not_modified(headers, tag) {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    (tags, Json(body)).into_response()
}

/// Refuses a write that was made for another version.
///
/// # Errors
/// 412 when `If-Match` names another version.
pub fn require_match(headers: &HeaderMap, current: Option<&str>) -> ApiResult<()> {
    let matches = match current {
        Some(etag) => listed(headers, &header::IF_MATCH, etag),
        None => headers.contains_key(header::IF_MATCH).then_some(false),
    };
    if matches == Some(false) {
        let now = current.map_or_else(|| "it does not exist".to_owned(), |etag| format!("it is at \"{etag}\" now"));
        return Err(ApiError::PreconditionFailed(format!("`If-Match` names another version; {now}")));
    }
    Ok(())
}

/// Refuses a write that was checked against another version than the one that is there now:
/// checking takes time, and somebody else was quicker.
///
/// # Errors
/// 412 when the tags differ.
pub fn require_unchanged(checked: &str, current: &str) -> ApiResult<()> {
    match checked == current {
        true => Ok(()),
        false => Err(ApiError::PreconditionFailed(format!(
            "it was changed at the same time and is at \"{current}\" now; read it again"
        ))),
    }
}

/// The descriptor's version in the tag of an entity's page, which also covers
/// what surrounds the descriptor: `version-surroundings`.
fn version(tag: &str) -> &str {
    tag.split_once('-').map_or(tag, |(version, _)| version)
}

/// `None` when the header is absent.
fn listed(headers: &HeaderMap, name: &header::HeaderName, etag: &str) -> Option<bool> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    Some(values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|candidate| {
        let candidate = candidate.trim();
        let candidate = candidate.strip_prefix("W/").unwrap_or(candidate);
        let candidate = candidate.trim_matches('"');
        candidate == "*" || candidate == etag || *name == header::IF_MATCH && version(candidate) == etag
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_with_quotes_and_weakness_aside() {
        let headers = |value| HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))]);
        assert!(require_match(&HeaderMap::new(), Some("a")).is_ok());
        assert!(require_match(&headers("\"a\""), Some("a")).is_ok());
        assert!(require_match(&headers("\"b\", W/\"a\""), Some("a")).is_ok());
        assert!(require_match(&headers("*"), Some("a")).is_ok());
        assert!(require_match(&headers("\"a-page\""), Some("a")).is_ok());
        assert!(require_match(&headers("\"b\""), Some("a")).is_err());
        assert!(require_match(&headers("*"), None).is_err());
    }
}
