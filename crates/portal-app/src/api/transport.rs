//! How a request reaches the API, and what its answer means.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use leptos::prelude::use_context;
use portal_core::problem::{FieldError, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ui::capitalised;

/// Carries requests to the API: `fetch` in the browser, the router in process
/// on the server.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request. A status of 4xx or 5xx is an answer, not an error.
    fn send(&self, request: ApiRequest) -> Sending;

    /// Milliseconds since 1970. Views compute ages from the time at which their
    /// data was read, so that server and browser write the same words.
    fn now_ms(&self) -> i64;
}

/// An answer under way; `Err` says why the API could not be reached.
pub type Sending = Pin<Box<dyn Future<Output = Result<ApiAnswer, String>> + Send>>;

/// A request to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    pub method: Method,
    /// Path and query, e.g. `/api/v1/entities?limit=20`.
    pub path: String,
    /// JSON, or what the operation takes instead.
    pub body: Option<Vec<u8>>,
    /// Value of `If-Match`.
    pub if_match: Option<String>,
}

impl ApiRequest {
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), body: None, if_match: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// The API as components find it in context.
#[derive(Clone)]
pub struct Api(Arc<dyn Transport>);

impl Api {
    pub fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
    }

    pub(crate) fn send(&self, request: ApiRequest) -> Sending {
        self.0.send(request)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }
}

/// The API of the context; without one, every request fails. (The list of
/// routes is generated without a request, and so without an API.)
pub(crate) fn use_api() -> Api {
    use_context::<Api>().unwrap_or_else(|| Api::new(Nowhere))
}

struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, _request: ApiRequest) -> Sending {
        Box::pin(async { Err("no API is mounted".to_owned()) })
    }

    fn now_ms(&self) -> i64 {
        0
    }
}

/// Why a request has no result, in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// 0 when there was no answer.
    pub status: u16,
    pub detail: String,
    /// Empty when there was no answer.
    pub request_id: String,
    pub errors: Vec<FieldError>,
}

impl Failure {
    pub fn unreachable(reason: &str) -> Self {
        let detail = match reason {
            // The network failed.
            "" => "The server did not answer. Try again when the connection is back.".to_owned(),
            reason => format!("The server did not answer: {reason}."),
        };
        Self { status: 0, detail, request_id: String::new(), errors: Vec::new() }
    }

    /// The fault of one field of the request, or of one of its parts.
    pub fn at(&self, field: &str) -> Option<String> {
        let error = self.errors.iter().find(|error| field_of(&error.pointer) == field);
        error.map(|error| sentence(&error.message))
    }

    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        match parse::<Problem>(body) {
            Some(problem) => Self {
                status,
                detail: sentence(&problem.detail),
                request_id: problem.request_id,
                errors: problem.errors,
            },
            None => Self {
                status,
                detail: format!("The server answered with status {status}."),
                request_id: String::new(),
                errors: Vec::new(),
            },
        }
    }
}

/// The field that a JSON pointer leads into.
pub(crate) fn field_of(pointer: &str) -> &str {
    pointer.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// Problems are written lower case and without a full stop; pages show sentences.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        return String::new();
    }
    let mut sentence = capitalised(text);
    if !sentence.ends_with(['.', '?', '!', ':']) {
        sentence.push('.');
    }
    sentence
}

/// Sends a change and reads its result.
pub(crate) async fn send<T: DeserializeOwned>(
    api: &Api,
    method: Method,
    path: String,
    body: Option<&impl Serialize>,
    if_match: Option<String>,
) -> Result<Option<T>, Failure> {
    let body = body.map(serde_json::to_vec).transpose().map_err(|error| Failure::unreachable(&error.to_string()))?;
    exchange(api, ApiRequest { method, path, body, if_match }).await
}

/// Sends a request and reads its result.
pub(crate) async fn exchange<T: DeserializeOwned>(api: &Api, request: ApiRequest) -> Result<Option<T>, Failure> {
    let answer = api.send(request).await.map_err(|reason| Failure::unreachable(&reason))?;
    if !(200..300).contains(&answer.status) {
        return Err(Failure::from_answer(answer.status, &answer.body));
    }
    Ok(parse(&answer.body))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    read_json(std::str::from_utf8(body).ok()?).ok()
}

/// Reads an answer. Every type is read from a value, since reading it from text
/// or bytes as well would double the code that does it.
pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    T::deserialize(serde_json::from_str::<serde_json::Value>(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_become_sentences() {
        assert_eq!(sentence("no entity named `x`"), "No entity named `x`.");
        assert_eq!(sentence("did you mean `y`?"), "Did you mean `y`?");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn faults_are_found_by_their_field() {
        let error = FieldError { pointer: "/globs/1".to_owned(), message: "is no glob".to_owned() };
        let failure = Failure { errors: vec![error], ..Failure::unreachable("") };
        assert_eq!(failure.at("globs").as_deref(), Some("Is no glob."));
        assert_eq!(failure.at("target"), None);
    }

    #[test]
    fn an_answer_that_is_no_problem_still_says_its_status() {
        let failure = Failure::from_answer(502, b"<html>");
        assert_eq!(failure.detail, "The server answered with status 502.");
    }
}
