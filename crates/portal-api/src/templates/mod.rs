//! Software templates: their forms, dry runs, and the steps that reach out of the portal.

mod absent;
pub mod dry_run;
pub mod handlers;
pub mod hosts;
pub mod http_request;
pub mod local;
pub mod perform;
mod preview;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_templates))
        .routes(routes!(handlers::list_template_actions))
        .routes(routes!(handlers::find_template))
        .routes(routes!(handlers::fill_template_form))
        .routes(routes!(handlers::dry_run_template))
        .routes(routes!(preview::preview_template))
}
