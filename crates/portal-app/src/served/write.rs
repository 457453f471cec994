//! Writing a served page from what the API answers.

use portal_core::access::wire::Caller;
use serde::de::DeserializeOwned;

use crate::access;
use crate::api::{Api, ApiAnswer, ApiRequest, read_json};
use crate::ui::Content;

/// What a page is written from.
pub(crate) struct Asking<'a> {
    api: &'a Api,
    /// The query of the page's address.
    pub query: &'a str,
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

    pub(crate) async fn caller(&self) -> Result<Caller, Refusal> {
        self.get("/api/v1/caller").await
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.api.now_ms()
    }
}

/// The page of this path as JSON for its frame; `None` when there is none.
pub async fn written(api: &Api, path: &str, query: &str) -> Option<ApiAnswer> {
    let asking = Asking { api, query };
    let page = match path {
        "/home" => crate::home::mine(&asking).await,
        "/profile" => access::profile(&asking).await,
        "/admin/accounts" => access::accounts(&asking).await,
        "/admin/audit" => access::audit(&asking).await,
        _ => return None,
    };
    Some(match page {
        Ok(content) => answer(&content),
        Err(Refusal::Answer(answer)) => answer,
        Err(Refusal::Nothing(reason)) => ApiAnswer { status: 502, body: reason.into_bytes() },
    })
}

fn answer(content: &Content) -> ApiAnswer {
    let html = maud::Render::render(content).into_string();
    ApiAnswer { status: 200, body: serde_json::json!({ "html": html }).to_string().into_bytes() }
}
