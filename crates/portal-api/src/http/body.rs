//! Request bodies within budget: JSON with problems that name the place.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use portal_core::document::escape;
use portal_core::problem::FieldError;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let error = error.into_inner();
        // Parsers may quote the input; a reader needs no more than this.
        let detail: String = in_words(&error.to_string()).chars().take(300).collect();
        match error.classify() {
            serde_json::error::Category::Data => {
                let place = if pointer.is_empty() { String::new() } else { format!("`{pointer}`: ") };
                let errors = vec![FieldError { pointer, message: detail.clone() }];
                let detail = format!("the body has another shape than expected: {place}{detail}");
                ApiError::invalid("invalid_body", detail, errors)
            }
            _ => malformed(&error),
        }
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    if let Some(pointer) = nul(bytes) {
        let message = "has a NUL character (`\\u0000`), which no text may have";
        return Err(ApiError::field(&pointer, message));
    }
    // A list would pass for an object whose fields are given in order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        let message = "a list, where an object is expected".to_owned();
        let errors = vec![FieldError { pointer: String::new(), message: message.clone() }];
        return Err(ApiError::invalid("invalid_body", format!("the body is {message}"), errors));
    }
    Ok(parsed)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let detail: String = error.to_string().chars().take(300).collect();
    ApiError::bad("malformed_json", format!("the body is not JSON: {detail}"))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let parts = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{}", escape(key))),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    parts.collect()
}

/// What serde says, without the names that types have in the program.
fn in_words(text: &str) -> String {
    let (told, place) = text.split_once(", expected struct ").map_or((text, None), |(told, rest)| {
        (told, Some(rest.split_once(" at line ").map_or(String::new(), |(_, place)| format!(" at line {place}"))))
    });
    let told = match place {
        Some(place) => format!("{told}, expected an object{place}"),
        None => told.to_owned(),
    };
    NUMBERS.iter().fold(told, |text, (from, to)| text.replace(&format!("expected {from}"), to))
}

/// Names of numbers, and what is expected.
const NUMBERS: [(&str, &str); 5] = [
    ("u8", "expected a whole number from 0 to 255"),
    ("u16", "expected a whole number from 0 to 65535"),
    ("u32", "expected a whole number that is not negative"),
    ("u64", "expected a whole number that is not negative"),
    ("i64", "expected a whole number"),
];

/// The place of a text with NUL.
fn nul(bytes: &[u8]) -> Option<String> {
    // JSON writes it in no other way; whether it is one, and where, is for the parser to say.
    if !bytes.windows(6).any(|part| part == br"\u0000") {
        return None;
    }
    nul_in(&serde_json::from_slice(bytes).ok()?)
}

fn nul_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| Some(format!("/{index}{}", nul_in(item)?)))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') {
                return Some(format!("/{}", escape(&name.replace('\0', "\u{fffd}"))));
            }
            Some(format!("/{}{}", escape(name), nul_in(value)?))
        }),
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only read")]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only read")]
        count: u8,
        #[expect(dead_code, reason = "only read")]
        text: String,
    }

    #[test]
    fn a_fault_is_told_at_its_place_in_words() {
        for (body, pointer, words) in [
            (json!({"list": [{"count": 1, "text": "a"}, {"count": 256, "text": "b"}]}), "/list/1/count", "0 to 255"),
            (json!({"list": [5]}), "/list/0", "expected an object at line 1"),
            (json!({"list": [], "more": 1}), "/more", "unknown field"),
            (json!({"list": [{"count": 1, "text": "a\u{0}b"}]}), "/list/0/text", "NUL"),
            (json!([]), "", "expected an object"),
        ] {
            let Err(ApiError::Invalid { errors, .. }) = parse::<Outer>(body.to_string().as_bytes()) else {
                panic!("{body}");
            };
            assert_eq!(errors[0].pointer, pointer, "{body}");
            assert!(errors[0].message.contains(words), "{body}: {}", errors[0].message);
        }
        // A backslash and digits are none.
        assert!(parse::<Inner>(br#"{"count": 1, "text": "\\u0000"}"#).is_ok());
        assert!(parse::<Inner>(b"{\"count\": 1, \"text\": \"\"} more").is_err());
    }
}
