//! Kinds of entities, as data: which versions, which relation fields, how the
//! interface names and draws them.

use serde::{Deserialize, Serialize};

/// A field of `spec` that refers to other entities.
///
/// Source of the table: the processor for built-in kinds of Backstage 1.55.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationField {
    /// Name of the field in `spec`, e.g. `providesApis`.
    pub field: String,
    /// Kind of a reference that names none; without one, the kind is mandatory.
    pub default_kind: Option<String>,
    /// Relation from this entity to the target.
    pub outgoing: String,
    /// Relation from the target back to this entity.
    pub incoming: String,
}
