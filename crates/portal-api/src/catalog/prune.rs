//! The fields of a descriptor that a caller asked for.
//!
//! Paths are dotted, and a key may itself hold dots, as in
//! `metadata.annotations.backstage.io/techdocs-ref`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Paths to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<Vec<String>>);

impl Fields {
    pub fn new(paths: &[String]) -> Self {
        Self(paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The document with these fields only, or all of it when there are none.
    /// What no path leads to is skipped, not built.
    pub fn read(&self, json: &[u8]) -> Value {
        if self.is_empty() {
            return serde_json::from_slice(json).unwrap_or_default();
        }
        let paths: Vec<&[String]> = self.0.iter().map(Vec::as_slice).collect();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let candidates = Candidates(&paths).deserialize(&mut deserializer).unwrap_or_default();
        let mut kept = Value::Object(Map::new());
        for path in paths {
            copy(&candidates, path, &mut kept);
        }
        kept
    }
}

/// Reads everything that one of the paths may lead to: of a path through keys
/// with dots, each way to split it.
struct Candidates<'p>(&'p [&'p [String]]);

impl<'de> DeserializeSeed<'de> for Candidates<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        // A path ends here: all of it is wanted.
        if self.0.iter().any(|path| path.is_empty()) {
            return serde::Deserialize::deserialize(deserializer);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Candidates<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Value, M::Error> {
        let mut kept = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let rest: Vec<&[String]> = self.0.iter().filter_map(|path| after(path, &key)).collect();
            if rest.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                let value = map.next_value_seed(Candidates(&rest))?;
                kept.insert(key, value);
            }
        }
        Ok(Value::Object(kept))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Value, S::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

/// What is left of a path behind a key.
fn after<'p>(path: &'p [String], key: &str) -> Option<&'p [String]> {
    let mut rest = key;
    for (index, part) in path.iter().enumerate() {
        rest = rest.strip_prefix(part.as_str())?;
        if rest.is_empty() {
            return Some(&path[index + 1..]);
        }
        rest = rest.strip_prefix('.')?;
    }
    None
}

/// Copies what a path leads to; a path that leads nowhere leaves no trace.
fn copy(from: &Value, parts: &[String], to: &mut Value) {
    let (Some(source), Some(target)) = (from.as_object(), to.as_object_mut()) else { return };
    // The shortest key that exists wins, so that `metadata.name` is not looked
    // for as one key before `metadata`.
    for taken in 1..=parts.len() {
        let key = parts[..taken].join(".");
        let Some(value) = source.get(&key) else { continue };
        if taken == parts.len() {
            target.insert(key, value.clone());
        } else if value.is_object() {
            let known = target.get(&key).cloned();
            let mut kept = known.clone().unwrap_or_else(|| Value::Object(Map::new()));
            copy(value, &parts[taken..], &mut kept);
            if known.is_some() || kept.as_object().is_some_and(|kept| !kept.is_empty()) {
                target.insert(key, kept);
            }
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &Value) {
        let entity = json!({
            "kind": "API",
            "metadata": {"name": "a", "annotations": {"backstage.io/x": "1", "y": "2"}, "tags": ["t"]},
            "spec": {"type": "t"},
            "status": {"x": 1},
            "a": {"b": 1},
            "a.b": 2,
        });
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(Fields::new(&paths).read(entity.to_string().as_bytes()), *expected, "{paths:?}");
    }

    #[test]
    fn fields_keep_values_subtrees_and_dotted_keys() {
        check(
            &["kind", "status.nothing", "metadata.annotations.backstage.io/x", "spec", "nothing.here"],
            &json!({"kind": "API", "metadata": {"annotations": {"backstage.io/x": "1"}}, "spec": {"type": "t"}}),
        );
        check(&["metadata.tags", "metadata.name"], &json!({"metadata": {"tags": ["t"], "name": "a"}}));
        check(&["kind.x", "metadata.tags.t"], &json!({}));
        check(&["a.b"], &json!({"a": {"b": 1}}));
        check(
            &["metadata", "metadata.name"],
            &json!({"metadata": {"name": "a", "annotations": {"backstage.io/x": "1", "y": "2"}, "tags": ["t"]}}),
        );
    }
}
