//! Pages that the server writes whole, as HTML in JSON: the frame of each puts
//! them in place.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use portal_app::api::{Api, ApiAnswer};
use portal_core::problem::Problem;

use super::Inside;
use crate::error::ApiError;
use crate::http::body;
use crate::state::App;

/// Bytes of a form that is sent.
const FORM: usize = 2 << 20;

/// The API, and beside it the pages that are written from it.
pub fn with(app: &App, api: Router) -> Router {
    let inside = Inside { router: api.clone(), clock: app.clock.clone() };
    let handler = move |request: Request| {
        let inside = inside.clone();
        async move {
            let api = Api::new(inside.transport(request.extensions()));
            let path = request.uri().path().trim_start_matches(portal_app::FRAGMENTS).to_owned();
            let is_sent = request.method() == Method::POST;
            let query = match *request.method() {
                // What is too long for an address comes as the body of a form.
                Method::POST => match body::read(request.into_body(), FORM).await {
                    Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    Err(error) => return error.into_response(),
                },
                _ => request.uri().query().unwrap_or_default().to_owned(),
            };
            match portal_app::written(&api, &path, &query, is_sent).await {
                Some(answer) => response(answer),
                None => ApiError::not_found("page_not_found", format!("there is no page `{path}`")).into_response(),
            }
        }
    };
    api.route(&format!("{}/{{*path}}", portal_app::FRAGMENTS), get(handler.clone()).post(handler))
}

fn response(answer: ApiAnswer) -> Response {
    let ApiAnswer { status, body } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let problem = serde_json::from_slice::<Problem>(&body).ok().filter(|_| !status.is_success());
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    let mut response = (status, headers, Body::from(body)).into_response();
    // For the middleware, which adds the request id and logs refusals.
    if let Some(problem) = problem {
        response.extensions_mut().insert(problem);
    }
    response
}
