//! An entity: the author's descriptor, kept whole, with typed access to what
//! every part of the portal reads.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::reference::EntityRef;

/// A descriptor as its author wrote it; unknown fields survive.
///
/// Accessors answer `None` for what is absent or of another type: an `Entity`
/// read from the wire was validated by the server, one under construction may
/// not be valid yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entity(pub Value);

impl Entity {
    pub fn api_version(&self) -> Option<&str> {
        self.0.get("apiVersion")?.as_str()
    }

    pub fn kind(&self) -> Option<&str> {
        self.0.get("kind")?.as_str()
    }

    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        self.0.get("metadata")?.as_object()
    }

    pub fn spec(&self) -> Option<&Map<String, Value>> {
        self.0.get("spec")?.as_object()
    }

    pub fn name(&self) -> Option<&str> {
        self.metadata()?.get("name")?.as_str()
    }

    /// `default` when the author named none.
    pub fn namespace(&self) -> &str {
        self.metadata()
            .and_then(|metadata| metadata.get("namespace"))
            .and_then(Value::as_str)
            .unwrap_or(EntityRef::DEFAULT_NAMESPACE)
    }

    /// `None` when kind or name is missing.
    pub fn entity_ref(&self) -> Option<EntityRef> {
        Some(EntityRef::new(self.kind()?, self.namespace(), self.name()?))
    }

    /// `metadata.title` of a descriptor, else a group's or user's display name.
    pub fn title_in(descriptor: &Value) -> Option<&str> {
        let titled = descriptor.pointer("/metadata/title").and_then(Value::as_str);
        titled.or_else(|| descriptor.pointer("/spec/profile/displayName")?.as_str())
    }

    /// `metadata.title`, else a group's or user's display name, else the name.
    pub fn display_title(&self) -> &str {
        Self::title_in(&self.0).or_else(|| self.name()).unwrap_or_default()
    }

    pub fn description(&self) -> Option<&str> {
        self.metadata()?.get("description")?.as_str()
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(key)?.as_str()
    }

    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.metadata()
            .and_then(|metadata| metadata.get("tags"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// A string field of `spec`.
    pub fn spec_str(&self, field: &str) -> Option<&str> {
        self.spec()?.get(field)?.as_str()
    }
}
