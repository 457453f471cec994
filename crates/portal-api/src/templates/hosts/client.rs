//! Requests to the API of a host, with its answers in words.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use portal_core::templates::Trouble;
use serde_json::Value;

use super::Kind;
use crate::egress::Call;
use crate::sources::credential::Secret;
use crate::state::App;
use crate::templates::http_request::no_answer;

const ANSWER: usize = 4 << 20;
/// Longest pause that a host may ask for.
const PAUSE: u64 = 60;

pub(super) struct Client {
    app: App,
    base: String,
    token: Secret,
    kind: Kind,
}

/// What a host answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Client {
    pub(super) fn new(app: App, base: String, token: Secret, kind: Kind) -> Self {
        Self { app, base: base.trim_end_matches('/').to_owned(), token, kind }
    }

    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// As git sends it.
    pub(super) fn git_secret(&self) -> Secret {
        match self.kind {
            Kind::Gitlab => Secret::new(format!("oauth2:{}", self.token().expose())),
            Kind::Github | Kind::Gitea => self.token.clone(),
        }
    }

    /// Sends a request and answers what is told, whatever its status.
    ///
    /// # Errors
    /// No answer; one that says to come later, or that something is wrong over there.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Trouble> {
        for attempt in 0.. {
            let called = self.app.sources.egress.call(self.call(&method, path, body)?).await;
            let called = called.map_err(|error| no_answer(&method, &error))?;
            let status = called.status.as_u16();
            let wait = pause(status, &called.headers);
            if let Some(seconds) = wait {
                if attempt == 0 && seconds <= PAUSE {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    continue;
                }
                let message = format!("the host asks to be left alone for {seconds} s");
                return Err(Trouble::new("rate_limited", message));
            }
            let body: Value = serde_json::from_slice(&called.body).unwrap_or_default();
            if status >= 500 {
                return Err(Trouble::new("unavailable", format!("the host answered {status}{}", said(&body))));
            }
            return Ok(Answer { status, body });
        }
        unreachable!("the loop returns")
    }

    /// The body of a good answer.
    ///
    /// # Errors
    /// Every other answer, in the host's words.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.good(Method::GET, path, None).await
    }

    pub(super) async fn good(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Trouble> {
        let answer = self.ask(method.clone(), path, body).await?;
        answer.good(&method, path)
    }

    fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Call, Trouble> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("portal"));
        let token = self.token.expose();
        let (name, text) = match self.kind {
            Kind::Github => (header::AUTHORIZATION, format!("Bearer {token}")),
            Kind::Gitlab => (header::HeaderName::from_static("private-token"), token.to_owned()),
            Kind::Gitea => (header::AUTHORIZATION, format!("token {token}")),
        };
        let unfit = |_| Trouble::new("credential", "the token cannot be sent over HTTP");
        let mut value = HeaderValue::from_str(&text).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert(name, value);
        if self.kind == Kind::Github {
            headers.insert(header::ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
            headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        }
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let body = body.map(|body| Bytes::from(body.to_string()));
        Ok(Call { method: method.clone(), url: format!("{}{path}", self.base), headers, body, limit: ANSWER })
    }
}

impl Answer {
    pub(crate) fn good(self, method: &Method, path: &str) -> Result<Value, Trouble> {
        let Answer { status, body } = self;
        let what = said(&body);
        let problem =
            |code, words: &str| Err(Trouble::new(code, format!("{words}{what} ({method} {path} answered {status})")));
        match status {
            200..=299 => Ok(body),
            401 => problem("credential", "the host does not accept the token"),
            403 => problem("not_allowed", "the token may not do this"),
            404 => problem("not_found", "the host has no such thing, or the token may not see it"),
            409 => problem("exists_already", "the host says that it is there already"),
            422 => problem("refused", "the host refuses this"),
            _ => problem("bad_answer", "the host answers something else"),
        }
    }
}

/// Seconds that the host wants to be left alone.
pub(crate) fn pause(status: u16, headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let is_used_up = status == 403 && number("x-ratelimit-remaining") == Some(0);
    (status == 429 || is_used_up).then(|| number("retry-after").unwrap_or(PAUSE))
}

/// What the host says, in a few words.
pub(crate) fn said(body: &Value) -> String {
    let errors = body["errors"].as_array().into_iter().flatten();
    let details = errors.filter_map(|error| error["message"].as_str().or(error.as_str()).map(str::to_owned));
    let message = match &body["message"] {
        Value::Null => body["error"].as_str().map(str::to_owned),
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let all: Vec<String> = message.into_iter().chain(details).collect();
    let text: String = all.join("; ").chars().filter(|sign| !sign.is_control()).take(300).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}
