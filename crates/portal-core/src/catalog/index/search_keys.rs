//! The keys and values by which an entity is found.
//!
//! Source: the search table of Backstage's catalog backend 4.0, whose
//! `filter` parameter knows exactly these. Two parts are not stored but
//! derived when asked for: relations come from the adjacency lists, and
//! `metadata.tags.java = true` from the items of `metadata.tags`.

use serde_json::{Number, Value};

use crate::catalog::Entity;
use crate::catalog::query::MAX_LENGTH;
use crate::catalog::reference::EntityRef;

/// One key with one value of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// Dotted path, lower-cased.
    pub key: String,
    /// In the author's case; `None` for null and for what is too long to match.
    pub value: Option<String>,
    /// A string inside a list, which also makes the key `key.value`.
    pub item: bool,
}

/// Subtrees and fields that are not searched, or are added on their own.
const SKIPPED: [&str; 7] =
    ["attachments", "relations", "status", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.etag"];

pub(super) fn pairs(entity: &Entity, uid: &str) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(48);
    visit(&mut String::with_capacity(64), &entity.0, &mut pairs);
    let text = |value: &str| Value::String(value.to_owned());
    push("metadata.name", &entity.name().map_or(Value::Null, text), false, &mut pairs);
    let namespace = entity.metadata().and_then(|metadata| metadata.get("namespace")?.as_str());
    let namespace = namespace.filter(|namespace| !namespace.is_empty()).unwrap_or(EntityRef::DEFAULT_NAMESPACE);
    push("metadata.namespace", &text(namespace), false, &mut pairs);
    push("metadata.uid", &text(uid), false, &mut pairs);
    pairs
}

fn visit(path: &mut String, value: &Value, pairs: &mut Vec<Pair>) {
    if SKIPPED.contains(&path.as_str()) {
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::String(_) => push(path, item, true, pairs),
                    other => visit(path, other, pairs),
                }
            }
        }
        Value::Object(fields) => {
            let length = path.len();
            for (key, value) in fields {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                visit(path, value, pairs);
                path.truncate(length);
            }
        }
        scalar => push(path, scalar, false, pairs),
    }
}

fn push(path: &str, value: &Value, item: bool, pairs: &mut Vec<Pair>) {
    let key = path.to_lowercase();
    if too_long(&key) {
        return;
    }
    let value = scalar_text(value).filter(|value| !too_long(value) && !too_long(&value.to_lowercase()));
    pairs.push(Pair { key, value, item });
}

/// Longer than Backstage stores, in UTF-16 code units.
pub(super) fn too_long(text: &str) -> bool {
    text.len() > MAX_LENGTH && text.encode_utf16().count() > MAX_LENGTH
}

/// A scalar as JavaScript's `String(value)` writes it; `None` for null.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number_text(number)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number_text(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        // JavaScript signs a positive exponent, too.
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    // Without the sign of a negative zero.
    format!("{}", float + 0.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_become_dotted_paths_and_skipped_subtrees_do_not() {
        let entity = Entity(json!({
            "kind": "Component",
            "metadata": {"name": "A", "etag": "x", "tags": ["Java", "b"], "labels": {"a.b/c": "D"}, "n": null},
            "spec": {"deep": [{"on": true}, {"on": 1.5}, [2]]},
            "relations": [{"type": "ownedBy"}],
            "status": {"items": []},
        }));
        let found: Vec<_> = pairs(&entity, "U-1")
            .into_iter()
            .map(|Pair { key, value, item }| {
                format!("{key}={}{}", value.as_deref().unwrap_or("-"), if item { "*" } else { "" })
            })
            .collect();
        let expected = [
            "kind=Component",
            "metadata.tags=Java*",
            "metadata.tags=b*",
            "metadata.labels.a.b/c=D",
            "metadata.n=-",
            "spec.deep.on=true",
            "spec.deep.on=1.5",
            "spec.deep=2",
            "metadata.name=A",
            "metadata.namespace=default",
            "metadata.uid=U-1",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn long_keys_are_dropped_and_long_values_only_exist() {
        let entity = Entity(
            json!({"kind": "x", "metadata": {"name": "n", "k".repeat(195): 1, "a": "v".repeat(201), "b": "é".repeat(200)}}),
        );
        let pairs = pairs(&entity, "u");
        assert!(!pairs.iter().any(|pair| pair.key.contains("kkk")));
        assert!(pairs.iter().any(|pair| pair.key == "metadata.a" && pair.value.is_none()));
        assert!(pairs.iter().any(|pair| pair.key == "metadata.b" && pair.value.is_some()));
    }

    #[test]
    fn numbers_read_as_in_javascript() {
        for (number, text) in [
            ("1", "1"),
            ("1.0", "1"),
            ("-0.0", "0"),
            ("0.5", "0.5"),
            ("1e21", "1e+21"),
            ("1e-7", "1e-7"),
            ("1e3", "1000"),
        ] {
            let value: Value = serde_json::from_str(number).unwrap();
            assert_eq!(scalar_text(&value).as_deref(), Some(text), "{number}");
        }
    }
}
