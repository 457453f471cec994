//! `http:request` and `http:backstage:request`: one request through the egress gate.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use portal_core::templates::Trouble;
use serde_json::{Map, Value, json};

use crate::egress::{self, EgressError};
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log};

/// Bytes of an answer that are kept.
const ANSWER: usize = 1 << 20;

pub async fn request(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
    let input = call.input;
    let method: Method = input.must("method")?.to_uppercase().parse().map_err(|_| wrong("method", "no HTTP method"))?;
    let url = address(live, &call)?;
    let mut headers = HeaderMap::new();
    for (name, value) in input.object("headers")?.into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name: HeaderName = name.parse().map_err(|_| wrong("headers", &format!("`{name}` is not a header")))?;
        let mut value = HeaderValue::from_str(&live.reveal(&text))
            .map_err(|_| wrong("headers", &format!("`{name}` cannot be sent")))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let body = match input.get("body") {
        None => None,
        Some(Value::String(text)) => Some(Bytes::from(live.reveal(text))),
        Some(other) => {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            Some(Bytes::from(live.reveal_in(other).to_string()))
        }
    };
    // As it was written: secrets are no part of it.
    log(format!("{method} {}", input.text("url")?.or(input.text("path")?).unwrap_or_default()));
    let sent = egress::Call { method: method.clone(), url, headers, body, limit: ANSWER };
    let called = live.app.sources.egress.call(sent).await.map_err(|error| no_answer(&method, &error))?;
    let code = called.status.as_u16();
    log(format!("answered {code}, {} bytes", called.body.len()));
    let text = String::from_utf8_lossy(&called.body).into_owned();
    if code >= 400 && !input.flag("continueOnBadResponse")? {
        let said: String = text.chars().filter(|sign| !sign.is_control()).take(200).collect();
        return Err(Trouble::new("refused", format!("{method} answered {code}: {said}")));
    }
    let shown =
        called.headers.iter().filter_map(|(name, value)| Some((name.to_string(), Value::from(value.to_str().ok()?))));
    let body = serde_json::from_str(&text).unwrap_or_else(|_| json!({ "message": text }));
    let answer = json!({ "code": code, "headers": shown.collect::<Map<_, _>>(), "body": body });
    Ok(answer.as_object().cloned().unwrap_or_default())
}

fn address(live: &Live, call: &Call<'_>) -> Result<String, Trouble> {
    let input = call.input;
    let place = input.text("url")?.or(input.text("path")?).unwrap_or_default();
    let whole = if place.contains("://") {
        place.to_owned()
    } else {
        let Some(base) = &live.app.config.templates.backstage_url else {
            let message = format!("`{place}` is a path of Backstage; set `backstage_url` under [templates]");
            return Err(Trouble::new("invalid_input", message));
        };
        format!("{}/{}", base.trim_end_matches('/'), place.trim_start_matches('/'))
    };
    let mut url =
        url::Url::parse(&live.reveal(&whole)).map_err(|_| wrong("url", &format!("`{whole}` is not an address")))?;
    for (name, value) in input.object("params")?.into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        url.query_pairs_mut().append_pair(name, &live.reveal(&text));
    }
    Ok(url.into())
}

fn wrong(name: &str, what: &str) -> Trouble {
    Trouble::new("invalid_input", format!("`{name}`: {what}"))
}

/// A question is asked again; whether anything else arrived, nobody knows.
pub fn no_answer(method: &Method, error: &EgressError) -> Trouble {
    let is_sent = matches!(error, EgressError::Transport { .. } | EgressError::Timeout { .. });
    let code = if is_sent && *method != Method::GET { "no_answer" } else { error.code() };
    Trouble::new(code, error.to_string())
}
