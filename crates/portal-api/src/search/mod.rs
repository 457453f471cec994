//! Full text: a view of the catalog in tantivy, fed from the change feed.
//!
//! [`SearchIndex`] takes [`SearchChange`]s in the order of the feed and
//! remembers the sequence after the last one committed, so that a restart goes
//! on there. It answers which rows a text matches and how they rank; filters,
//! facets and visibility are the catalog index's, over the same rows. Nothing
//! is lost with the directory: it is built again from the catalog.

mod abbreviation;
mod backstage;
mod definition;
mod document;
mod edits;
mod evaluate;
mod handlers;
mod highlight;
mod index;
mod matches;
pub mod projector;
mod query;
mod request;
mod schema;
mod suggest;
mod words;
mod writer;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use document::{SearchChange, SearchDocument, StoredHit};
pub use evaluate::Scope;
pub use handlers::FacetName;
use index::Published;
pub use index::{SearchError, SearchIndex};
pub use matches::{Hit, Matches, Position};

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(handlers::search))
        .routes(routes!(handlers::suggest))
        .routes(routes!(handlers::record_search_click))
        .routes(routes!(handlers::report_search_gap))
}

/// Backstage's search API, at its own path.
pub fn backstage_router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(backstage::query_search))
}

#[cfg(test)]
mod tests;
