//! Backstage's catalog API under `/api/catalog`, so that its own clients work
//! unchanged.
//!
//! Source: routes, parameters, status codes and bodies are those of the catalog
//! backend 4.0 of Backstage 1.55; names are camelCase as there. Everything
//! stands on the same index, documents and services as `/api/v1`; nothing is
//! kept twice. [`errors`] turns our problems into Backstage's error body.

mod ancestry;
mod by_query;
mod by_refs;
mod cursor;
mod entities;
pub mod errors;
mod facets;
mod location_query;
mod locations;
mod read;
pub mod scaffolder;
mod store;
mod validate;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::changes::Writing;
use crate::db::{DatabaseTransaction, DbResult};
use crate::sources::{self, Trigger};
use crate::state::App;

/// The routes of `/api/catalog`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(entities::get_entities))
        .routes(routes!(by_query::get_entities_by_query, by_query::query_entities_by_predicate))
        .routes(routes!(by_refs::get_entities_by_refs))
        .routes(routes!(entities::get_entity_by_uid, entities::delete_entity_by_uid))
        .routes(routes!(entities::get_entity_by_name))
        .routes(routes!(ancestry::get_entity_ancestry_by_name))
        .routes(routes!(facets::get_entity_facets, facets::query_entity_facets_by_predicate))
        .routes(routes!(entities::refresh_entity))
        .routes(routes!(validate::validate_entity))
        .routes(routes!(validate::analyze_location))
        .routes(routes!(locations::get_locations, locations::create_location))
        .routes(routes!(location_query::get_locations_by_query))
        .routes(routes!(locations::get_location, locations::update_location, locations::delete_location))
        .routes(routes!(locations::get_location_by_entity))
}

/// Asks for a source to be read soon.
async fn ask_for_reading(txn: &DatabaseTransaction, source_id: i64, writing: &Writing) -> DbResult<()> {
    if sources::store::find(txn, source_id).await?.is_some() {
        sources::jobs::ask(txn, source_id, Trigger::Manual, writing.at).await?;
    }
    Ok(())
}
