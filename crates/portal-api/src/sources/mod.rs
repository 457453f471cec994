//! Sources: where descriptors come from, and how they get into the catalog.
//!
//! [`fetch`] reads what a source points at, [`reading`] judges its documents,
//! [`ingest`] puts both together and writes what changed; [`jobs`] decides when.

pub mod configured;
pub mod credential;
pub mod fetch;
pub mod handlers;
pub mod includes;
pub mod ingest;
pub mod jobs;
pub mod links;
pub mod origin;
mod permission;
pub mod places;
pub mod preview;
pub mod reading;
pub mod sample;
pub mod service;
pub mod settings;
pub mod store;
pub mod views;
pub mod webhook;
pub mod webhook_handler;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// What a pass was started by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    Schedule,
    Webhook,
    Manual,
    /// The source is new, or the portal was started with it.
    Start,
}

impl Trigger {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Webhook => "webhook",
            Self::Manual => "manual",
            Self::Start => "start",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "webhook" => Self::Webhook,
            "manual" => Self::Manual,
            "start" => Self::Start,
            _ => Self::Schedule,
        }
    }
}

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_sources, handlers::create_source))
        .routes(routes!(handlers::find_source, handlers::update_source, handlers::delete_source))
        .routes(routes!(preview::preview_source))
        .routes(routes!(handlers::refresh_source))
        .routes(routes!(handlers::list_source_passes))
        .routes(routes!(handlers::list_source_errors))
        .routes(routes!(handlers::find_source_errors))
        .routes(routes!(webhook_handler::receive_source_webhook))
        .routes(routes!(webhook_handler::test_source_webhook))
}
