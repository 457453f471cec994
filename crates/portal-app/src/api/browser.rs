//! The transport of the browser: `fetch`, on the page's own origin.

use send_wrapper::SendWrapper;

use super::transport::{ApiAnswer, ApiRequest, Method, Sending, Transport};

pub(crate) struct Browser;

impl Transport for Browser {
    fn send(&self, request: ApiRequest) -> Sending {
        // The browser has one thread; what it hands out never leaves it.
        Box::pin(SendWrapper::new(async move { fetch(request).await.map_err(|error| reason(&error)) }))
    }

    fn now_ms(&self) -> i64 {
        js_sys::Date::now() as i64
    }
}

/// Why nothing came; empty when the network failed, for which each browser has words of its own.
fn reason(error: &gloo_net::Error) -> String {
    match error {
        gloo_net::Error::JsError(error) if error.name == "TypeError" => String::new(),
        error => error.to_string(),
    }
}

async fn fetch(request: ApiRequest) -> Result<ApiAnswer, gloo_net::Error> {
    let ApiRequest { method, path, body, if_match } = request;
    let method = match method {
        Method::Get => gloo_net::http::Method::GET,
        Method::Post => gloo_net::http::Method::POST,
        Method::Put => gloo_net::http::Method::PUT,
        Method::Patch => gloo_net::http::Method::PATCH,
        Method::Delete => gloo_net::http::Method::DELETE,
    };
    let mut builder = gloo_net::http::RequestBuilder::new(&path).method(method).header("accept", "application/json");
    if let Some(etag) = if_match {
        builder = builder.header("if-match", &etag);
    }
    let request = match body {
        Some(body) => {
            let body = js_sys::Uint8Array::from(body.as_slice());
            builder.header("content-type", "application/json").body(body)?
        }
        None => builder.build()?,
    };
    let response = request.send().await?;
    Ok(ApiAnswer { status: response.status(), body: response.binary().await? })
}
