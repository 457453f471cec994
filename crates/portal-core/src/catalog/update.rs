//! A few fields of an entity, changed: what `catalog:update` takes, and what comes of it.

use serde_json::{Map, Value};

use crate::templates::Trouble;
use crate::templates::input::Input;

/// Texts that a step may set, and the section that each belongs to.
const TEXTS: [(&str, &str); 4] =
    [("title", "metadata"), ("description", "metadata"), ("owner", "spec"), ("lifecycle", "spec")];
const MAPS: [&str; 2] = ["annotations", "labels"];

/// What is to be different; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityUpdate {
    /// Section, name and text; nothing takes it away.
    texts: Vec<(&'static str, &'static str, Option<String>)>,
    /// Annotations and labels, by name; nothing takes one away.
    entries: Vec<(&'static str, String, Option<String>)>,
    tags: Option<Vec<String>>,
}

impl EntityUpdate {
    /// Reads the input of a step.
    ///
    /// # Errors
    /// It has another form, or names nothing.
    pub fn read(input: &Input<'_>) -> Result<Self, Trouble> {
        let mut update = Self::default();
        for (name, section) in TEXTS {
            let Some(text) = input.text(name)? else { continue };
            if text.is_empty() && section == "spec" {
                return Err(wrong(&format!(
                    "`{name}` is empty; an entity keeps the one that it has if it is left out"
                )));
            }
            update.texts.push((section, name, Some(text.to_owned()).filter(|text| !text.is_empty())));
        }
        for name in MAPS {
            for (key, value) in input.object(name)?.into_iter().flatten() {
                let text = match value {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
                    Value::Array(_) | Value::Object(_) => {
                        return Err(wrong(&format!("`{name}`: `{key}` must be a text, or null to take it away")));
                    }
                };
                update.entries.push((name, key.clone(), text));
            }
        }
        update.tags = input.get("tags").map(|_| input.texts("tags")).transpose()?;
        if update == Self::default() {
            let all = TEXTS.map(|(name, _)| name).join("`, `");
            return Err(wrong(&format!(
                "nothing is to be changed; give one of `annotations`, `labels`, `tags`, `{all}`"
            )));
        }
        Ok(update)
    }

    /// The document with the changes made.
    pub fn applied(&self, document: &Value) -> Value {
        let mut document = document.clone();
        let Self { texts, entries, tags } = self;
        for (section, name, text) in texts {
            set(&mut document, &[section], name, text.clone().map(Value::from));
        }
        for (map, key, text) in entries {
            set(&mut document, &["metadata", map], key, text.clone().map(Value::from));
        }
        if let Some(tags) = tags {
            let tags = Some(tags.clone()).filter(|tags| !tags.is_empty());
            set(&mut document, &["metadata"], "tags", tags.map(Value::from));
        }
        document
    }

    /// What changes, in words, for a title.
    pub fn words(&self) -> String {
        let mut names: Vec<&str> = self.texts.iter().map(|(_, name, _)| *name).collect();
        names.extend(self.tags.is_some().then_some("tags"));
        names.extend(MAPS.into_iter().filter(|map| self.entries.iter().any(|(own, ..)| own == map)));
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

/// Sets a field below these sections, or takes it away; a map that loses its last entry goes
/// with it.
fn set(document: &mut Value, path: &[&str], name: &str, value: Option<Value>) {
    let Some(map) = document.as_object_mut() else { return };
    let Some((section, rest)) = path.split_first() else {
        match value {
            Some(value) => drop(map.insert(name.to_owned(), value)),
            None => drop(map.shift_remove(name)),
        }
        return;
    };
    if value.is_none() && !map.contains_key(*section) {
        return;
    }
    let inner = map.entry(*section).or_insert_with(|| Map::new().into());
    if inner.is_null() {
        *inner = Map::new().into();
    }
    let had = inner.as_object().is_some_and(|fields| fields.contains_key(name));
    set(inner, rest, name, value);
    if had && rest.is_empty() && inner.as_object().is_some_and(Map::is_empty) {
        map.shift_remove(*section);
    }
}

fn wrong(message: &str) -> Trouble {
    Trouble::new("invalid_input", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(input: &Value) -> Result<EntityUpdate, Trouble> {
        EntityUpdate::read(&Input(input.as_object().unwrap()))
    }

    #[track_caller]
    fn check(input: Value, expected: Value, words: &str) {
        let document = json!({
            "metadata": {"name": "x", "title": "X", "annotations": {"a/b": "1"}, "tags": ["t"], "labels": null},
            "spec": {"owner": "a"},
        });
        let update = read(&input).unwrap();
        assert_eq!((update.applied(&document), update.words().as_str()), (expected, words), "{input}");
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let all = |annotations: Value, owner: &str| {
            json!({
                "metadata": {"name": "x", "title": "X", "annotations": annotations, "tags": ["t"], "labels": null},
                "spec": {"owner": owner},
            })
        };
        check(json!({"owner": "b"}), all(json!({"a/b": "1"}), "b"), "owner");
        check(json!({"annotations": {"a/b": null, "c": 7}, "title": null}), all(json!({"c": "7"}), "a"), "annotations");
        check(
            json!({"annotations": {"a/b": null}, "labels": {"l": "m", "gone": null}, "tags": [], "title": "", "lifecycle": "old"}),
            json!({"metadata": {"name": "x", "labels": {"l": "m"}}, "spec": {"owner": "a", "lifecycle": "old"}}),
            "title, lifecycle, tags, annotations and labels",
        );
        check(json!({"annotations": {"gone": null}}), all(json!({"a/b": "1"}), "a"), "annotations");
    }

    #[test]
    fn what_says_nothing_is_told() {
        for (input, part) in [
            (json!({}), "give one of `annotations`"),
            (json!({"owner": ""}), "`owner` is empty"),
            (json!({"owner": 7}), "`owner` must be a text"),
            (json!({"annotations": {"a": {}}}), "`a` must be a text"),
            (json!({"annotations": []}), "`annotations` must be an object"),
            (json!({"tags": [1]}), "`tags` must be a list of texts"),
        ] {
            let message = read(&input).unwrap_err().message;
            assert!(message.contains(part), "{message}");
        }
    }
}
