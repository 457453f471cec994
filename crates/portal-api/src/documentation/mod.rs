//! Documentation of entities: Markdown that lies beside the code.
//!
//! A pass over a source collects the pages of its entities ([`collect`]) and
//! stores them as they were written ([`store`]), each content once. They are
//! rendered when they are read ([`markdown`]), so that a newer portal needs no
//! new pass. What changed is told on the feed, and the full text follows.

mod admonitions;
pub mod collect;
mod handlers;
mod highlight;
pub mod markdown;
pub mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// Names the entity whose documentation is also that of this one.
const TECHDOCS_ENTITY: &str = "backstage.io/techdocs-entity";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::find_documentation))
        .routes(routes!(handlers::find_documentation_file))
}
