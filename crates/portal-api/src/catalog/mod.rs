//! The software catalog: its rows, its view in memory, and its API.

pub mod bulk;
pub mod detail;
pub mod documents;
mod export;
pub mod handlers;
pub mod history;
pub mod kinds;
pub mod lists;
pub mod permission;
pub mod prune;
pub mod service;
pub mod state;
pub mod store;
pub mod view;
pub mod writes;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(lists::list_entities))
        .routes(routes!(lists::batch_entities))
        .routes(routes!(writes::validate_entities))
        .routes(routes!(bulk::bulk_upsert_entities))
        .routes(routes!(handlers::find_entity, writes::put_entity, writes::delete_entity))
        .routes(routes!(writes::restore_entity))
        .routes(routes!(export::export_entities))
        .routes(routes!(handlers::graph_entity))
        .routes(routes!(handlers::show_impact))
        .routes(routes!(history::list_entity_history))
        .routes(routes!(history::diff_entity))
        .routes(routes!(kinds::list_kinds))
        .routes(routes!(kinds::find_kind, kinds::put_kind, kinds::delete_kind))
}
