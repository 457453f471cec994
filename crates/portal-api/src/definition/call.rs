//! Trying an operation: the portal sends the request, so that a browser need
//! not be allowed to, and the gate decides where requests may go.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use portal_core::definition::request::{Ready, prepare};
use portal_core::definition::wire::{CallAnswer, CallHeader, CallRequest};

use super::handlers::{no_operation, operation};
use crate::catalog::handlers::{self as entities, RefPath};
use crate::egress::{Call, Called, EgressError};
use crate::error::{ApiError, ApiResult};
use crate::events::Event;
use crate::http::authorized::{Authorized, CallApi};
use crate::http::body::JsonBody;
use crate::http::params::Params;
use crate::state::App;

/// Bytes of an answer that are shown.
const SHOWN: usize = 256 * 1024;

/// Calls an operation of an OpenAPI definition, and answers what it answered.
///
/// It goes to a server that the definition names, with the path that it
/// describes. Values are sent and not kept, a credential among them.
#[utoipa::path(
    post, path = "/entities/{kind}/{namespace}/{name}/definition/call", tag = "entities", operation_id = "call_operation",
    params(("kind" = String, Path, example = "api"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api")),
    request_body(content = CallRequest, example = json!({"operation": "find-booking", "parameters": [{"place": "path", "name": "id", "value": "42"}]})),
    responses((status = 200, description = "What the API answered, whatever its status", body = CallAnswer)),
)]
pub async fn call_operation(
    auth: Authorized<CallApi>,
    State(app): State<App>,
    Path(parts): RefPath,
    params: Params,
    JsonBody(request): JsonBody<CallRequest>,
) -> ApiResult<Json<CallAnswer>> {
    params.finish()?;
    let entity_ref = entities::reference(parts)?;
    let named = entity_ref.to_string();
    let detail = operation(&app, &auth, &entity_ref, &request.operation).await?;
    let detail = detail.ok_or_else(|| no_operation(&named, &request.operation))?;
    let call = detail.call.ok_or_else(|| {
        let words = format!("`{}` is not called over HTTP; only operations of OpenAPI are", request.operation);
        ApiError::invalid("not_callable", words, Vec::new())
    })?;
    let ready = prepare(&call, &request).map_err(|errors| {
        let said = errors.first().map(|error| error.message.clone()).unwrap_or_default();
        ApiError::invalid("invalid_call", format!("the request cannot be sent: {said}"), errors)
    })?;
    let (method, url) = (ready.method.clone(), ready.shown_url.clone());
    let called = app.calls.call(sendable(ready)?).await;
    app.events.record(Event {
        at: app.clock.now(),
        actor: auth.principal.actor.clone(),
        surface: "api",
        verb: "call",
        object: format!("{named}#{}", request.operation),
        outcome: if called.is_ok() { "ok" } else { "failed" },
        duration_ms: called.as_ref().map_or(0, |called| i32::try_from(called.duration.as_millis()).unwrap_or(i32::MAX)),
        rank: None,
        result_count: None,
    });
    Ok(Json(shown(method, url, called.map_err(|error| refused(&error))?)))
}

fn sendable(ready: Ready) -> ApiResult<Call> {
    let Ready { method, url, shown_url: _, headers: values, body } = ready;
    let unfit =
        |what: &str| ApiError::invalid("invalid_call", format!("`{what}` cannot be sent over HTTP"), Vec::new());
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, */*;q=0.8"));
    for (name, value) in values {
        let header: HeaderName = name.parse().map_err(|_| unfit(&name))?;
        headers.insert(header, value.parse().map_err(|_| unfit(&name))?);
    }
    let method: Method = method.parse().map_err(|_| unfit(&method))?;
    Ok(Call { method, url, headers, body: body.map(Into::into), limit: SHOWN })
}

fn refused(error: &EgressError) -> ApiError {
    match error {
        EgressError::Busy { .. } => ApiError::TooMany(1),
        // Calls have a list of their own.
        _ => {
            let words = error.to_string().replace("`egress.allow_private`", "`egress.allow_calls`");
            ApiError::invalid(error.code(), words, Vec::new())
        }
    }
}

fn shown(method: String, url: String, called: Called) -> CallAnswer {
    let Called { status, headers, body, truncated, duration } = called;
    let header = |(name, value): (&HeaderName, &HeaderValue)| CallHeader {
        name: name.to_string(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    CallAnswer {
        method,
        url,
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default().to_owned(),
        duration_ms: duration.as_millis() as u64,
        headers: headers.iter().map(header).collect(),
        size: body.len() as u64,
        body: text(&body, truncated),
        truncated,
    }
}

/// The text of an answer; JSON is laid out, since it is read by people, unless that
/// makes much more of it.
fn text(body: &[u8], truncated: bool) -> Option<String> {
    let parsed = serde_json::from_slice::<serde_json::Value>(body).ok();
    let pretty = parsed.and_then(|value| serde_json::to_string_pretty(&value).ok());
    let pretty = pretty.filter(|text| text.len() <= 4 * body.len());
    pretty
        .or_else(|| match std::str::from_utf8(body) {
            Ok(text) => Some(text.to_owned()),
            // A character may be cut in two.
            Err(error) if truncated && error.error_len().is_none() => {
                Some(String::from_utf8_lossy(&body[..error.valid_up_to()]).into_owned())
            }
            Err(_) => None,
        })
        .filter(|text| !text.contains('\0'))
}
