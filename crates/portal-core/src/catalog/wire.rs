//! What crosses HTTP about the catalog.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use portal_derive::Read;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::ActorId;
use crate::personal::wire::Mark;

/// One entity, with where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityView {
    /// Canonical reference: lower-cased `kind:namespace/name`.
    pub entity_ref: String,
    /// Stable for the life of the entity, a UUID.
    pub uid: String,
    /// Changes with the descriptor; usable in `If-Match`.
    pub etag: String,
    /// Sequence of the change that last touched the entity.
    pub changed_seq: i64,
    /// Time of that change.
    #[serde(deserialize_with = "crate::moment::utc")]
    pub changed_at: DateTime<Utc>,
    /// The descriptor as Backstage would answer it: the author's document with
    /// `relations`, `metadata.uid` and `metadata.etag` added. `fields=` prunes it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub entity: Value,
    /// Who answers for it.
    pub owner: Option<EntityLink>,
    /// The system it is part of.
    pub system: Option<EntityLink>,
    /// Where it comes from and how fresh it is.
    pub provenance: Provenance,
}

/// Where an entity comes from and how fresh it is.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provenance {
    /// Id of the source that declares it; absent when the API wrote it.
    pub source_id: Option<i64>,
    /// The source in words, e.g. its target.
    pub source: String,
    /// The document, e.g. `services/booking/catalog-info.yaml`.
    pub location: String,
    /// Index of the YAML document in the file, from 0.
    pub document: u32,
    /// Line of the document's first key, from 1.
    pub line: u32,
    /// When the source last confirmed it.
    #[serde(deserialize_with = "crate::moment::utc")]
    pub read_at: DateTime<Utc>,
    /// The document no longer parses or validates; this is its last good version.
    pub stale: bool,
    /// No source declares it any more, since then.
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub orphan_since: Option<DateTime<Utc>>,
    /// From when on it is removed, unless it is kept or declared again.
    #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
    pub orphan_until: Option<DateTime<Utc>>,
}

/// A reference that can be shown: with the title of its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityLink {
    pub entity_ref: String,
    /// `metadata.title`, a group's or user's display name, else the name.
    pub title: String,
    /// `spec.type` of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// False for a dangling reference.
    pub exists: bool,
}

/// An entity with everything its page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityDetail {
    #[serde(flatten)]
    pub view: EntityView,
    /// Both directions, sorted by relation, then target.
    pub relations: Vec<RelationView>,
    /// How the caller has marked it.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// What the source's last pass found wrong with its document.
    pub errors: Vec<crate::sources::wire::SourceErrorView>,
    /// The run of a template that made it.
    #[serde(default)]
    pub made_by: Option<MadeBy>,
}

/// Which run of which template made an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeBy {
    pub run: i64,
    /// Reference of the template.
    pub template: String,
    /// Its title when the run was started.
    pub title: String,
    /// Commit that its source was at then.
    pub version: Option<String>,
    /// Times that the template was changed since.
    pub behind: u64,
}

/// One end of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationView {
    /// e.g. `dependsOn`, `ownedBy`.
    pub relation: String,
    pub target: EntityLink,
}

/// One page of entities, its total and facets.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityList {
    pub items: Vec<EntityView>,
    /// Give it as `cursor=` for the next page.
    pub next_cursor: Option<String>,
    /// Give it as `cursor=` for the page before.
    pub previous_cursor: Option<String>,
    /// Entities that match, on all pages.
    pub total: u64,
    /// Rows before this page, when known (always, but for `as_of`).
    pub offset: Option<u64>,
    /// Values with counts, for each `facet=` asked; a facet's own filter does
    /// not narrow its own counts.
    pub facets: BTreeMap<String, Vec<FacetValue>>,
    /// The change up to which this answer is current.
    pub seq: i64,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// As its author wrote it.
    pub value: String,
    pub count: u64,
    /// Title of the entity the value refers to, for `relations.*` facets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// References to look up in one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityRefs {
    /// At most 500, each `kind:namespace/name`.
    #[cfg_attr(feature = "openapi", schema(max_items = 500))]
    pub entity_refs: Vec<String>,
    #[serde(default)]
    pub fields: Option<Vec<String>>,
}

/// Answer to [`EntityRefs`]: same length and order, `null` where there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityBatch {
    pub items: Vec<Option<EntityView>>,
}

/// The neighbourhood of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityGraph {
    pub root: String,
    pub nodes: Vec<GraphNode>,
    pub edges: Vec<GraphEdge>,
    /// Nodes that the limit left out.
    pub omitted: u64,
    pub seq: i64,
}

/// One entity of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphNode {
    #[serde(flatten)]
    pub link: EntityLink,
    /// Steps from the root.
    pub depth: u32,
}

/// One relation of a graph, in the direction its type names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphEdge {
    pub from: String,
    pub to: String,
    pub relation: String,
}

/// What breaks when an entity does, by owner: those with most first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Impact {
    pub root: String,
    /// All that breaks, shown or not.
    pub total: u64,
    /// Of them, those one step from the root.
    pub direct: u64,
    pub owners: Vec<ImpactedOwner>,
    /// Entities that the limit left out.
    pub omitted: u64,
    pub seq: i64,
}

/// What breaks of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImpactedOwner {
    /// Absent for what nobody owns.
    pub owner: Option<EntityLink>,
    /// How many, shown or not.
    pub total: u64,
    /// The nearest to the root first.
    pub entities: Vec<ImpactedEntity>,
}

/// An entity that breaks, and on a shortest way why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImpactedEntity {
    #[serde(flatten)]
    pub link: EntityLink,
    /// From the root, 1 for what hangs on it directly.
    pub steps: u32,
    /// The entity before it on the way.
    pub via: EntityLink,
    /// From `via` to this entity, e.g. `dependencyOf`.
    pub relation: String,
}

/// One entry of the change feed.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeView {
    /// Grows by commit order, without a promise to have no gaps.
    pub seq: i64,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub at: DateTime<Utc>,
    pub actor: ActorId,
    /// The name of the account, as long as there is one.
    pub by: Option<String>,
    /// What caused it: `source:4`, `request:…`.
    pub cause: String,
    /// `entity:component:default/booking-api`, `source:4`.
    pub subject: String,
    /// Of an entity, the title it has after the change, or had before it went.
    pub title: Option<String>,
    /// `create`, `update`, `delete`, `orphan`, `restore`, `stale`, …
    pub operation: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub before: Option<Value>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub after: Option<Value>,
    /// The fields that differ, by JSON pointer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<FieldChange>,
}

/// One field that a change touched.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldChange {
    /// JSON pointer into the descriptor.
    pub pointer: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Value>))]
    pub before: Option<Value>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Value>))]
    pub after: Option<Value>,
}

/// A page of the change feed.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeList {
    pub items: Vec<ChangeView>,
    pub next_cursor: Option<String>,
    /// Changes that match, on all pages.
    pub total: u64,
}

/// The verdict on one document: what `portal validate --format json` prints and
/// what `POST /api/v1/entities/validate` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentVerdict {
    pub file: String,
    /// Index of the document in the file, from 0; empty documents count.
    pub document: u32,
    /// Lower-cased reference, when the document got far enough to have one.
    #[serde(rename = "ref")]
    pub entity_ref: Option<String>,
    pub kind: Option<String>,
    pub valid: bool,
    pub errors: Vec<Fault>,
    /// What is wrong with a template as such: the catalog takes it in. Those of the rule
    /// `template_cannot_run` keep it from running.
    pub warnings: Vec<Fault>,
}

/// One thing wrong with a document, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fault {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// JSON pointer (RFC 6901) into the document; empty for the document itself.
    pub pointer: String,
    /// Stable name of the rule that is broken, e.g. `name_format`.
    pub rule: String,
    pub message: String,
    /// The way out, e.g. ``did you mean `lifecycle`?``.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

/// Result of one line of a bulk upload.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkItem {
    /// Line of the upload, from 1.
    pub line: u32,
    pub entity_ref: Option<String>,
    /// HTTP status of this item: 200 unchanged or updated, 201 created, 409, 422.
    pub status: u16,
    /// Sequence of its change; absent when nothing changed or it failed.
    pub seq: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// Results of a bulk upload, one a line.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkResult {
    pub items: Vec<BulkItem>,
    /// Highest sequence among the items, to read one's own writes.
    pub seq: Option<i64>,
}

/// A kind of entity, built in or declared as data.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindView {
    /// e.g. `Component`.
    pub kind: String,
    /// Lower-cased plural for URLs and headings, e.g. `components`.
    pub plural: String,
    pub api_versions: Vec<String>,
    /// Name of a symbol in the icon sprite.
    pub icon: String,
    pub built_in: bool,
    pub description: String,
    /// Entities of this kind that the caller may see.
    pub count: u64,
    /// JSON Schema of `spec`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub schema: Value,
    pub relation_fields: Vec<super::kinds::RelationField>,
}

/// A descriptor that a repository may want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proposal {
    /// Name of the file to add, at the top of the repository.
    pub file: String,
    /// The YAML of it.
    pub text: String,
    /// What it was made from.
    pub found: Vec<Finding>,
}

/// Something that a file tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// `name`, `type`, `language`, `description`, `owner`, `documentation`, `API`.
    pub what: String,
    pub value: String,
    /// The file that tells it.
    pub file: String,
}
