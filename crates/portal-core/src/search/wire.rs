//! What crosses HTTP about search.

use std::collections::BTreeMap;

use portal_derive::Read;
use serde::{Deserialize, Serialize};

use crate::catalog::wire::{EntityLink, FacetValue};
use crate::documentation::wire::PageLink;

/// One page of hits, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
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
    /// The page of the documentation that the passage is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageLink>,
    pub score: f32,
}

/// Entities whose name, title or tags go on from what was typed, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuggestionList {
    pub items: Vec<Suggestion>,
    /// The change up to which this answer is current.
    pub seq: i64,
}

/// One entity that may be meant.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suggestion {
    #[serde(flatten)]
    pub link: EntityLink,
    pub kind: String,
    pub name: String,
    pub owner: Option<EntityLink>,
    /// The title with the matching parts marked.
    pub title_segments: Vec<Segment>,
}

/// Which hit of a search was opened: what ranking and analytics learn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SearchClick {
    /// What was searched for.
    pub q: String,
    /// The entity that was opened.
    pub entity_ref: String,
    /// Its place in the list, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub rank: u32,
}

/// Words that should have found something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SearchGap {
    /// What was searched for.
    pub q: String,
}

/// A piece of text that matches, or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
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
