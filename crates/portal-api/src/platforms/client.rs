//! Requests to a platform, with its answers in words.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use portal_core::connectors::ConnectorKind;
use portal_core::templates::Trouble;
use serde_json::Value;

use crate::connectors::gate::Gate;
use crate::connectors::{self, Connector, secrets};
use crate::egress::Call;
use crate::state::App;
use crate::templates::hosts::client::{self, pause, said};

/// Bytes of an answer that are read.
const ANSWER: usize = 4 << 20;

pub(super) struct Client {
    app: App,
    gate: Arc<Gate>,
    base: String,
    headers: HeaderMap,
}

/// What is sent.
pub(super) enum Body<'b> {
    Nothing,
    Json(&'b Value),
    /// JSON under another name.
    As(&'static str, &'b Value),
    Form(String),
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// # Errors
    /// The credential cannot be read, or cannot be sent.
    pub(super) async fn new(app: &App, connector: &Connector) -> Result<Self, Trouble> {
        let told = |text: String| Trouble::new("credential", format!("connector `{}`: {text}", connector.name));
        let secret = connector.credential(app).await.map_err(|error| told(error.to_string()))?;
        let mut headers = secrets::headers(connector.kind, secret.as_ref()).map_err(|error| told(error.to_owned()))?;
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("portal"));
        if connector.kind == ConnectorKind::Github {
            headers.insert(header::ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
            headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        }
        let (gate, base) = (app.gates.of(connector), connector.url.trim_end_matches('/').to_owned());
        Ok(Self { app: app.clone(), gate, base, headers })
    }

    /// The same with one header more.
    pub(super) fn with(&self, name: &str, value: &str) -> Result<Self, Trouble> {
        let unfit = || Trouble::new("bad_answer", format!("`{name}` cannot be sent as a header"));
        let name = HeaderName::try_from(name).map_err(|_| unfit())?;
        let mut headers = self.headers.clone();
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| unfit())?);
        Ok(Self { app: self.app.clone(), gate: self.gate.clone(), base: self.base.clone(), headers })
    }

    /// Sends a request and answers what is told, whatever its status below 500.
    ///
    /// # Errors
    /// No answer; one that says to come later, or that something is wrong over there.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Body<'_>) -> Result<Answer, Trouble> {
        let mut headers = self.headers.clone();
        let json = |value: &Value| Some(Bytes::from(value.to_string()));
        let (kind, body) = match body {
            Body::Nothing => (None, None),
            Body::Json(value) => (Some("application/json"), json(value)),
            Body::As(kind, value) => (Some(kind), json(value)),
            Body::Form(text) => (Some("application/x-www-form-urlencoded"), Some(Bytes::from(text))),
        };
        headers.extend(kind.map(|kind| (header::CONTENT_TYPE, HeaderValue::from_static(kind))));
        let url = connectors::below(&self.base, path).map_err(|text| Trouble::new("invalid_input", text))?;
        let call = Call { method: method.clone(), url, headers, body, limit: ANSWER };
        let called = self.gate.send(&self.app, call, || {}).await.map_err(|unanswered| unanswered.trouble(&method))?;
        let answer = Answer { status: called.status.as_u16(), headers: called.headers, body: called.body };
        if let Some(seconds) = pause(answer.status, &answer.headers) {
            return Err(Trouble::new("rate_limited", format!("the platform asks to be left alone for {seconds} s")));
        }
        if answer.status >= 500 {
            let message = format!("the platform answered {}{}", answer.status, said(&answer.json()));
            return Err(Trouble::new("unavailable", message));
        }
        Ok(answer)
    }

    /// The body of a good answer.
    ///
    /// # Errors
    /// Every other answer, in the platform's words.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.ask(Method::GET, path, Body::Nothing).await?.good(&Method::GET, path)
    }

    /// The text of a good answer; nothing where there is none yet.
    ///
    /// # Errors
    /// Every other answer.
    pub(super) async fn text(&self, path: &str) -> Result<Option<String>, Trouble> {
        let answer = self.ask(Method::GET, path, Body::Nothing).await?;
        if matches!(answer.status, 204 | 400 | 404 | 416) {
            return Ok(None);
        }
        let text = answer.text();
        answer.good(&Method::GET, path).map(|_| Some(text))
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.ask(Method::POST, path, Body::Json(body)).await?.good(&Method::POST, path)
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// # Errors
    /// Every answer that is not good, in the platform's words.
    pub(super) fn good(self, method: &Method, path: &str) -> Result<Value, Trouble> {
        client::Answer { status: self.status, body: self.json() }.good(method, path)
    }
}

/// A part of a path.
pub(super) fn segment(text: &str) -> String {
    portal_core::percent::encode(text, b"")
}
