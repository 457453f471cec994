//! Self-service actions: what there is for an entity, runs of it, and the steps of these.

mod child;
pub mod find;
mod handlers;
pub mod resources;
pub mod running;
pub mod steps;
pub mod update;
pub mod versions;
pub mod vetting;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_actions))
        .routes(routes!(handlers::find_action))
        .routes(routes!(handlers::fill_action_form))
        .routes(routes!(versions::handlers::list_action_versions))
        .routes(routes!(versions::handlers::find_action_version))
        .routes(routes!(versions::handlers::put_action_draft, versions::handlers::delete_action_draft))
        .routes(routes!(versions::handlers::publish_action_version))
        .routes(routes!(versions::handlers::list_action_drafts))
}
