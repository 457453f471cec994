//! What people are told: by a step of a run, and read in the portal.

mod handlers;
mod step;
pub mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub use step::send;

/// The subject of a notification's change begins so; its id follows.
pub const SUBJECT: &str = "notification:";

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::list_notifications)).routes(routes!(handlers::read_notifications))
}
