//! Requests with a token.

use axum::http::Method;
use serde_json::Value;

use crate::harness::{Answer, Portal, request};

pub async fn call(portal: &Portal, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let bearer = format!("Bearer {token}");
    portal.send_as_it_is(request(method, path, Some(("authorization", &bearer)), body.as_ref())).await
}

pub async fn get(portal: &Portal, token: &str, path: &str) -> Answer {
    call(portal, token, Method::GET, path, None).await
}
