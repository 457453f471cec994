//! Definitions of APIs, readable: operations, messages, types, and a way to try
//! them through the gate that guards every request to elsewhere.

mod call;
mod handlers;
mod prose;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handlers::find_definition)).routes(routes!(call::call_operation))
}
