//! What crosses HTTP about search.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::wire::{EntityLink, FacetValue};

/// One page of hits, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchResults {
    pub items: Vec<SearchHit>,
    pub next_cursor: Option<String>,
    pub total: u64,
    /// Counts by `kind`, `type`, `owner`, `lifecycle` and `tag`.
    pub facets: BTreeMap<String, Vec<FacetValue>>,
    /// Other words to try, when nothing was found.
    pub suggestions: Vec<String>,
    /// The change up to which this answer is current.
    pub seq: i64,
}

/// One hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchHit {
    #[serde(flatten)]
    pub link: EntityLink,
    pub kind: String,
    pub name: String,
    pub owner: Option<EntityLink>,
    pub lifecycle: Option<String>,
    pub tags: Vec<String>,
    /// The title with the matching parts marked.
    pub title_segments: Vec<Segment>,
    /// A passage with the matching parts marked.
    pub snippet: Vec<Segment>,
    /// `name`, `title`, `description`, `definition`, `documentation`, …
    pub matched_in: String,
    pub score: f32,
}

/// A piece of text that matches, or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Segment {
    pub text: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub mark: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
