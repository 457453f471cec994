//! Pages that the server writes whole, as HTML in JSON: the frame of each puts
//! them in place.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use portal_app::api::{Api, ApiAnswer};
use portal_core::problem::Problem;

use super::Inside;
use crate::state::App;

/// The API, and beside it the pages that are written from it.
pub fn with(app: &App, api: Router) -> Router {
    let inside = Inside { router: api.clone(), clock: app.clock.clone() };
    let handler = move |request: Request| {
        let inside = inside.clone();
        async move {
            let api = Api::new(inside.transport(request.extensions()));
            let path = request.uri().path().trim_start_matches(portal_app::FRAGMENTS).to_owned();
            let query = request.uri().query().unwrap_or_default().to_owned();
            match portal_app::written(&api, &path, &query).await {
                Some(answer) => response(answer),
                None => crate::router::unknown_route(request).await.into_response(),
            }
        }
    };
    api.route(&format!("{}/{{*path}}", portal_app::FRAGMENTS), get(handler))
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
