//! Policies: kept in the database, in force in every process.

mod explain;
mod handlers;
mod in_force;
mod preview;
mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use in_force::{InForce, load};

use crate::state::App;

/// How subjects of the change feed begin that are about policies.
pub const SUBJECT: &str = "access:policy:";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_policies))
        .routes(routes!(handlers::put_policy, handlers::delete_policy))
        .routes(routes!(preview::preview_policy))
        .routes(routes!(explain::explain_access))
}
