//! Runs: what a template does, step by step, so that a crash at any moment loses nothing
//! and does nothing twice.
//!
//! [`engine`] holds a run by its job's lease and carries out what [`portal_core::runs`]
//! decides. What happened is stored between any two things that are done.

pub mod engine;
pub mod handlers;
pub mod keeping;
pub mod live;
pub mod log;
mod published;
pub mod service;
pub mod store;
pub mod stream;
pub mod tail;
pub mod views;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// The subject of a run's changes begins so; its id follows.
pub const SUBJECT: &str = "run:";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_runs, handlers::create_run))
        .routes(routes!(handlers::find_run))
        .routes(routes!(handlers::cancel_run))
        .routes(routes!(handlers::retry_run))
        .routes(routes!(handlers::list_run_log))
        .routes(routes!(stream::stream_run_log))
}
