//! Problem documents (RFC 9457), the one shape of every failure on the API.

use portal_derive::Read;
use serde::Serialize;

/// A failure, as `application/problem+json`.
///
/// `code` is stable and meant for programs; `detail` is for people.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: the meaning is in `code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status as a number.
    pub status: u16,
    /// Stable identifier of what went wrong, e.g. `entity_not_found`.
    pub code: String,
    /// What happened and the way out, in one sentence.
    pub detail: String,
    /// Identifies the request in the server's log.
    #[serde(default)]
    pub request_id: String,
    /// The faults inside the request, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One fault inside a request body or query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or the name of a query parameter.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}
