//! An entity as it is stored: in its row, and after each change in the feed.

use chrono::{DateTime, Utc};
use portal_core::catalog::Entity;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::Digest as _;

/// Definitions longer than this are stored once, by hash, beside the document.
const INLINE_DEFINITION: usize = 1024;

/// Everything about one entity but the text of a long API definition.
///
/// The change feed carries it whole, so that a view needs nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityState {
    /// Row number, never reused.
    pub id: u32,
    pub uid: String,
    pub etag: String,
    /// The author's descriptor; `spec.definition` is `null` when it has a hash.
    pub entity: Entity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition_hash: Option<String>,
    /// Absent when the API wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<i64>,
    #[serde(default)]
    pub location: String,
    #[serde(default)]
    pub document_index: i32,
    #[serde(default)]
    pub line: i32,
    #[serde(default)]
    pub stale: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphan_since: Option<DateTime<Utc>>,
    #[serde(default)]
    pub changed_seq: i64,
    #[serde(default)]
    pub changed_at: DateTime<Utc>,
}

impl EntityState {
    /// The descriptor with its definition put back.
    pub fn whole(&self, definition: Option<&str>) -> Entity {
        let mut entity = self.entity.clone();
        if let Some(definition) = definition {
            restore_definition(&mut entity, definition);
        }
        entity
    }
}

/// A long API definition, taken out of its descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// SHA-256 of the text, in hexadecimal.
    pub hash: String,
    pub body: String,
}

/// Takes a long `spec.definition` out and leaves `null` in its place.
pub fn take_definition(entity: &mut Entity) -> Option<Definition> {
    let slot = entity.0.get_mut("spec")?.get_mut("definition")?;
    if slot.as_str()?.len() <= INLINE_DEFINITION {
        return None;
    }
    let Value::String(body) = slot.take() else { return None };
    Some(Definition { hash: hex::encode(sha2::Sha256::digest(body.as_bytes())), body })
}

/// Puts a definition back where [`take_definition`] found it.
pub fn restore_definition(entity: &mut Entity, definition: &str) {
    if let Some(slot) = entity.0.get_mut("spec").and_then(|spec| spec.get_mut("definition")) {
        *slot = Value::String(definition.to_owned());
    }
}

/// Changes with the descriptor and nothing else: SHA-1 of the JSON with sorted
/// keys, as Backstage computes its `etag`.
pub fn etag(entity: &Entity) -> String {
    let mut hasher = sha1::Sha1::new();
    hash_sorted(&entity.0, &mut hasher);
    hex::encode(hasher.finalize())
}

fn hash_sorted(value: &Value, hasher: &mut sha1::Sha1) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            hasher.update(b"{");
            for key in keys {
                hasher.update(Value::from(key.as_str()).to_string());
                hasher.update(b":");
                hash_sorted(&map[key], hasher);
                hasher.update(b",");
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                hash_sorted(item, hasher);
                hasher.update(b",");
            }
            hasher.update(b"]");
        }
        scalar => hasher.update(scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_etag() {
        let one = Entity(json!({"kind": "API", "metadata": {"name": "a", "tags": ["x", "y"]}}));
        let two = Entity(json!({"metadata": {"tags": ["x", "y"], "name": "a"}, "kind": "API"}));
        let three = Entity(json!({"metadata": {"tags": ["y", "x"], "name": "a"}, "kind": "API"}));
        assert_eq!(etag(&one), etag(&two));
        assert_ne!(etag(&one), etag(&three));
    }

    #[test]
    fn a_long_definition_is_taken_out_and_put_back() {
        let text = "openapi: 3.1.0\n".repeat(100);
        let original = Entity(json!({"spec": {"type": "openapi", "definition": text}}));
        let mut entity = original.clone();
        let definition = take_definition(&mut entity).unwrap();
        assert_eq!(entity.0["spec"]["definition"], Value::Null);
        restore_definition(&mut entity, &definition.body);
        assert_eq!(entity, original);
        assert_eq!(take_definition(&mut Entity(json!({"spec": {"definition": "short"}}))), None);
    }
}
