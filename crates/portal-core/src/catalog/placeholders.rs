//! Placeholders: objects such as `{ $text: ./openapi.yaml }` that stand for the
//! content of another file.
//!
//! This module finds and replaces them; reading files is the pipeline's part.

use serde_json::Value;

use crate::document::escape;

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
    /// Path or URL as its author wrote it; a value that is not text, as JSON,
    /// which names no file.
    pub target: String,
}

/// The kind of placeholder that a value is: an object with exactly one key,
/// which is one of the known ones.
pub fn kind_of(value: &Value) -> Option<PlaceholderKind> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    match map.keys().next()?.as_str() {
        "$text" => Some(PlaceholderKind::Text),
        "$json" => Some(PlaceholderKind::Json),
        "$yaml" => Some(PlaceholderKind::Yaml),
        "$openapi" | "$asyncapi" => Some(PlaceholderKind::Definition),
        _ => None,
    }
}

/// The placeholders of a descriptor, in document order.
///
/// Depth is bounded by the budget of whoever read the value.
pub fn find(value: &Value) -> Vec<Placeholder> {
    let mut found = Vec::new();
    walk(value, &mut String::new(), &mut found);
    found
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

fn walk(value: &Value, pointer: &mut String, found: &mut Vec<Placeholder>) {
    if let Some(kind) = kind_of(value) {
        let entry = value.as_object().and_then(|map| map.iter().next());
        found.extend(entry.map(|(key, target)| Placeholder {
            pointer: pointer.clone(),
            key: key.clone(),
            kind,
            target: target.as_str().map_or_else(|| target.to_string(), str::to_owned),
        }));
        return;
    }
    let length = pointer.len();
    match value {
        Value::Object(map) => {
            for (key, child) in map.iter().filter(|(_, child)| child.is_object() || child.is_array()) {
                pointer.push('/');
                pointer.push_str(&escape(key));
                walk(child, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(child, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_found_with_their_place() {
        let entity = json!({
            "spec": { "definition": { "$text": "./a.yaml" }, "list": [1, { "$json": "b.json" }] },
            "metadata": {
                "two~/keys": { "$text": "x", "other": 1 },
                "unknown": { "$foo": "x" },
                "a/b": { "$yaml": 5 },
                "api": { "$openapi": "https://example.com/o.yaml" },
            },
        });
        let found: Vec<_> = find(&entity).into_iter().map(|p| (p.pointer, p.kind, p.target)).collect();
        let text = str::to_owned;
        assert_eq!(
            found,
            [
                ("/spec/definition".to_owned(), PlaceholderKind::Text, text("./a.yaml")),
                ("/spec/list/1".to_owned(), PlaceholderKind::Json, text("b.json")),
                ("/metadata/a~1b".to_owned(), PlaceholderKind::Yaml, text("5")),
                ("/metadata/api".to_owned(), PlaceholderKind::Definition, text("https://example.com/o.yaml")),
            ]
        );
    }

    #[test]
    fn content_takes_the_place_of_its_placeholder() {
        let mut entity = json!({ "metadata": { "a/b": { "$yaml": "x" } } });
        assert!(substitute(&mut entity, "/metadata/a~1b", json!([1])));
        assert!(!substitute(&mut entity, "/metadata/absent", json!(1)));
        assert_eq!(entity, json!({ "metadata": { "a/b": [1] } }));
    }
}
