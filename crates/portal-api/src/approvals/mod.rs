//! Approvals: people who have to agree before something is done.

pub mod handlers;
pub mod reminders;
pub mod service;
pub mod store;
mod telling;

use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// By which channels those who decide are told, beside the portal itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalsConfig {
    /// A channel of e-mail: each of them gets a message.
    pub email: Option<String>,
    /// A channel of Slack or Teams: one message for all.
    pub channel: Option<String>,
}

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_approvals))
        .routes(routes!(handlers::find_approval))
        .routes(routes!(handlers::create_vote))
}
