//! Writing a served page from what the API answers.

use portal_core::access::wire::Caller;
use portal_core::problem::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{FRAGMENTS, WHOLE};
use crate::api::{Api, ApiAnswer, ApiRequest, Method, read_json};
use crate::ui::Content;
use crate::{access, actions, personal, runs, templates};

/// What a page is written from.
pub(crate) struct Asking<'a> {
    api: &'a Api,
    /// The query of the page's address, or the form that was sent.
    pub query: &'a str,
    /// It was sent by a page of ours. An address, which anybody may link to, changes nothing.
    pub is_sent: bool,
}

/// A problem of the API, to be answered as it is, or no answer at all.
pub(crate) enum Refusal {
    Answer(ApiAnswer),
    Nothing(String),
}

impl Asking<'_> {
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        let answer = self.api.send(ApiRequest::get(path)).await.map_err(Refusal::Nothing)?;
        if answer.status != 200 {
            return Err(Refusal::Answer(answer));
        }
        let text = String::from_utf8_lossy(&answer.body);
        read_json(&text).map_err(|error| Refusal::Nothing(error.to_string()))
    }

    /// An answer, or the problem with what was asked, to be shown beside the question.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<Result<T, Problem>, Refusal> {
        self.answer(ApiRequest::get(path)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Result<T, Problem>, Refusal> {
        let body = Some(body.to_string().into_bytes());
        self.answer(ApiRequest { method: Method::Post, body, ..ApiRequest::get(path) }).await
    }

    /// Does something, and tells what the API says to it where that is no.
    pub(crate) async fn act<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        if_match: Option<&str>,
    ) -> Result<Result<T, Problem>, Refusal> {
        let body = (method != Method::Delete).then(|| body.to_string().into_bytes());
        let if_match = if_match.map(str::to_owned);
        let request = ApiRequest { method, body, if_match, ..ApiRequest::get(path) };
        let answer = self.api.send(request).await.map_err(Refusal::Nothing)?;
        let text = String::from_utf8_lossy(&answer.body);
        let text = if text.is_empty() { "null".into() } else { text };
        let unreadable = |error: serde_json::Error| Refusal::Nothing(error.to_string());
        match answer.status {
            200..=299 => read_json(&text).map(Ok).map_err(unreadable),
            400..=499 if answer.status != 401 => read_json(&text).map(Err).map_err(unreadable),
            _ => Err(Refusal::Answer(answer)),
        }
    }

    async fn answer<T: DeserializeOwned>(&self, request: ApiRequest) -> Result<Result<T, Problem>, Refusal> {
        let answer = self.api.send(request).await.map_err(Refusal::Nothing)?;
        let text = String::from_utf8_lossy(&answer.body);
        let unreadable = |error: serde_json::Error| Refusal::Nothing(error.to_string());
        match answer.status {
            200 => read_json(&text).map(Ok).map_err(unreadable),
            400 | 404 | 422 => read_json(&text).map(Err).map_err(unreadable),
            _ => Err(Refusal::Answer(answer)),
        }
    }

    pub(crate) async fn caller(&self) -> Result<Caller, Refusal> {
        self.get("/api/v1/caller").await
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.api.now_ms()
    }
}

/// What the API says is what the page says.
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Answer(ApiAnswer { status: problem.status, body: serde_json::to_vec(&problem).unwrap_or_default() })
    }
}

/// What is written of a page: elements by their names.
pub(crate) type Parts = Vec<(&'static str, Content)>;

/// The parts of the page of this path, as JSON for its frame; `None` when there are
/// none. What `is_sent` came as a form, and may ask for more than a look.
pub async fn written(api: &Api, path: &str, query: &str, is_sent: bool) -> Option<ApiAnswer> {
    Some(match parts(api, path, query, is_sent).await? {
        Ok(parts) => ApiAnswer { status: 200, body: parts.to_string().into_bytes() },
        Err(answer) => answer,
    })
}

/// What a page that is being rendered asks for under [`FRAGMENTS`], without the way
/// through HTTP.
pub(crate) async fn written_here(api: &Api, question: &str) -> Option<Result<Value, ApiAnswer>> {
    let question = question.strip_prefix(FRAGMENTS)?;
    let (path, query) = question.split_once('?').unwrap_or((question, ""));
    parts(api, path, query, false).await
}

async fn parts(api: &Api, path: &str, query: &str, is_sent: bool) -> Option<Result<Value, ApiAnswer>> {
    let asking = Asking { api, query, is_sent };
    let whole = |content| vec![(WHOLE, content)];
    let parts = match path {
        "/home" => crate::home::written(&asking).await,
        "/changes" => crate::changes::changes(&asking).await.map(whole),
        "/unread" => crate::sources::unread(&asking).await.map(whole),
        "/catalog" => crate::catalog::listed(&asking).await,
        "/bell" => personal::bell(&asking).await.map(whole),
        "/notifications" => personal::notifications(&asking).await.map(whole),
        "/profile" => access::profile(&asking).await.map(whole),
        "/admin/accounts" => access::accounts(&asking).await.map(whole),
        "/admin/policies" => access::policies(&asking).await.map(whole),
        "/access" => access::explain(&asking).await.map(whole),
        "/admin/audit" => access::audit(&asking).await.map(whole),
        "/templates" => templates::gallery(&asking).await.map(whole),
        "/templates/editor" => templates::editor(&asking, false).await,
        "/actions/editor" => templates::editor(&asking, true).await,
        "/actions" => actions::gallery(&asking).await.map(whole),
        "/approvals" => actions::approvals(&asking).await.map(whole),
        "/admin/connectors" => actions::connectors(&asking).await.map(whole),
        "/entity-runs" => runs::of_entity(&asking).await.map(whole),
        "/runs" => runs::runs(&asking).await.map(whole),
        _ if path.starts_with("/templates/") => templates::wizard(&asking, path).await,
        _ if path.starts_with("/actions/") => actions::form(&asking, path).await,
        _ if path.starts_with("/runs/") => runs::run(&asking, path).await,
        _ => return None,
    };
    let html = |(name, content): (&str, Content)| (name.to_owned(), content.into_html().into());
    Some(match parts {
        Ok(parts) => Ok(Value::Object(parts.into_iter().map(html).collect())),
        Err(Refusal::Answer(answer)) => Err(answer),
        Err(Refusal::Nothing(reason)) => Err(ApiAnswer { status: 502, body: reason.into_bytes() }),
    })
}
