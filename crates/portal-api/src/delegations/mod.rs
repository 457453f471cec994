//! Rights to decide about approvals, in the hands of somebody else for a time: while one is
//! away, or for a single approval. Who stands in for somebody has what that person has now,
//! and nothing that others have handed to that person.

mod handlers;
pub mod service;
pub mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_delegations, handlers::create_delegation))
        .routes(routes!(handlers::delete_delegation))
}
