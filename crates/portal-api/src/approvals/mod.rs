//! Approvals: people who have to agree before something is done.

mod handlers;
pub mod service;
pub mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_approvals))
        .routes(routes!(handlers::find_approval))
        .routes(routes!(handlers::create_vote))
}
