//! What differs between two versions of a descriptor.

use serde_json::Value;

use super::wire::FieldChange;

/// The fields that differ, by JSON pointer, in the order of the documents.
pub fn diff(_before: &Value, _after: &Value) -> Vec<FieldChange> {
    Vec::new()
}
