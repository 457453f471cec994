//! Kinds of entities, as data: which versions, which relation fields, how the
//! interface names and draws them.

#[cfg(feature = "engine")]
mod registry;
#[cfg(all(test, feature = "engine"))]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(feature = "engine")]
pub use registry::{KindError, KindRegistry, parse};

/// A field of `spec` that refers to other entities.
///
/// Source of the table: the processor for built-in kinds of Backstage 1.55.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationField {
    /// Name of the field in `spec`, e.g. `providesApis`.
    pub field: String,
    /// Kind of a reference that names none; without one, the kind is mandatory.
    #[serde(default)]
    pub default_kind: Option<String>,
    /// Relation from this entity to the target.
    pub outgoing: String,
    /// Relation from the target back to this entity.
    pub incoming: String,
}

/// One kind of entity, built in or declared as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindDefinition {
    /// e.g. `Component`.
    pub kind: String,
    /// Lower-cased plural for URLs and headings, e.g. `components`.
    pub plural: String,
    /// Values of `apiVersion` that descriptors may name.
    pub api_versions: Vec<String>,
    /// Name of a symbol in the icon sprite.
    #[serde(default = "default_icon")]
    pub icon: String,
    #[serde(default)]
    pub description: String,
    /// JSON Schema of `spec`.
    #[serde(default = "any_object")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub schema: Value,
    #[serde(default)]
    pub relation_fields: Vec<RelationField>,
}

fn default_icon() -> String {
    "i-file".to_owned()
}

fn any_object() -> Value {
    serde_json::json!({ "type": "object" })
}
