//! What a schema says once its references and its `allOf` are put together.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Scope;
use crate::definition::tree::{items, last_name, local, reference};

/// Schemas that are put together, and how deep they lie in each other.
const LAYERS: usize = 200;
const LEVELS: usize = 32;
/// Alternatives of a schema, and its properties, that are looked at.
const ALTERNATIVES: usize = 400;
const PROPERTIES: usize = 1_000;

/// A schema, put together.
#[derive(Debug, Default)]
pub(in crate::definition) struct Shape<'a> {
    /// Later ones overrule earlier ones.
    layers: Vec<&'a Map<String, Value>>,
    /// The type that it is another name for.
    pub(in crate::definition) name: Option<String>,
    /// The first reference that names it.
    pub(in crate::definition) pointer: Option<String>,
    /// All references on the way.
    pub(in crate::definition) pointers: Vec<String>,
    /// A reference that leads elsewhere or nowhere.
    pub(in crate::definition) elsewhere: Option<&'a str>,
    pub(in crate::definition) nullable: bool,
    /// The schema `false`.
    pub(in crate::definition) never: bool,
}

impl<'a> Scope<'a> {
    pub(in crate::definition) fn shape(&self, schema: &'a Value) -> Shape<'a> {
        let mut shape = Shape::default();
        self.add(schema, true, 0, &mut shape);
        let says_null = |layer: &&Map<String, Value>| match layer.get("type") {
            Some(Value::Array(types)) => types.iter().any(is_null_name),
            _ => ["nullable", "x-nullable"].iter().any(|key| layer.get(*key) == Some(&Value::Bool(true))),
        };
        shape.nullable |= shape.layers.iter().any(says_null);
        shape
    }

    fn add(&self, schema: &'a Value, naming: bool, level: usize, shape: &mut Shape<'a>) {
        let map = match schema {
            Value::Object(map) => map,
            Value::Bool(allowed) => {
                shape.never |= !allowed;
                return;
            }
            _ => return,
        };
        if level > LEVELS || shape.layers.len() >= LAYERS {
            return;
        }
        if let Some(reference) = reference(schema) {
            self.add_reference(reference, naming, level, shape);
        }
        let all = items(schema, "allOf");
        let is_alone = all.len() == 1 && !map.contains_key("properties");
        for part in all.iter().take(LAYERS) {
            self.add(part, naming && is_alone, level + 1, shape);
        }
        for key in ["oneOf", "anyOf"] {
            let alternatives = items(schema, key);
            let real: Vec<&Value> = real(alternatives).collect();
            shape.nullable |= !real.is_empty() && real.len() < alternatives.len().min(ALTERNATIVES);
            if let [only] = real[..] {
                self.add(only, naming, level + 1, shape);
            }
        }
        shape.layers.push(map);
    }

    fn add_reference(&self, reference: &'a str, naming: bool, level: usize, shape: &mut Shape<'a>) {
        let names = naming && shape.name.is_none();
        let target = local(reference).map(|pointer| (self.tree.at(&pointer), pointer));
        let Some((Some(target), pointer)) = target else {
            shape.elsewhere = Some(reference);
            shape.name = shape.name.take().or_else(|| names.then(|| last_name(reference)));
            return;
        };
        if shape.pointers.iter().any(|seen| *seen == *pointer) {
            return;
        }
        shape.pointers.push(pointer.clone().into_owned());
        if names && is_named(&pointer) {
            shape.name = Some(last_name(&pointer));
            shape.pointer = Some(pointer.into_owned());
        }
        self.add(target, naming, level + 1, shape);
    }

    /// The id of the operation that shows the type of a schema.
    pub(in crate::definition) fn link(&self, shape: &Shape<'_>) -> Option<String> {
        self.links.get(shape.pointer.as_deref()?).cloned()
    }
}

impl<'a> Shape<'a> {
    pub(in crate::definition) fn get(&self, key: &str) -> Option<&'a Value> {
        self.layers.iter().rev().find_map(|layer| layer.get(key))
    }

    pub(in crate::definition) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    pub(in crate::definition) fn is_set(&self, key: &str) -> bool {
        self.get(key) == Some(&Value::Bool(true))
    }

    /// The first properties, each once, with whether they are required.
    pub(in crate::definition) fn properties(&self) -> Vec<(&'a str, &'a Value, bool)> {
        let lists = self.layers.iter().filter_map(|layer| layer.get("required")?.as_array()).flatten().take(PROPERTIES);
        let required: HashSet<&str> = lists.filter_map(Value::as_str).collect();
        let mut places: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        let mut properties = Vec::new();
        for (name, schema) in self.maps("properties").take(PROPERTIES) {
            match places.get(name) {
                Some(place) => properties[*place] = (name, schema, required.contains(name)),
                None => {
                    places.insert(name, properties.len());
                    properties.push((name, schema, required.contains(name)));
                }
            }
        }
        properties
    }

    /// The entries of an object in all layers.
    pub(in crate::definition) fn maps(&self, key: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let maps = self.layers.iter().filter_map(move |layer| layer.get(key)?.as_object());
        maps.flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    pub(in crate::definition) fn count_of_properties(&self) -> usize {
        self.layers.iter().filter_map(|layer| Some(layer.get("properties")?.as_object()?.len())).sum()
    }

    pub(in crate::definition) fn has_properties(&self) -> bool {
        self.maps("properties").next().is_some()
    }

    /// The schema of properties that are not named.
    pub(in crate::definition) fn additional(&self) -> Option<&'a Value> {
        self.get("additionalProperties").filter(|schema| schema.as_object().is_some_and(|map| !map.is_empty()))
    }

    /// The schema of the items of a list; of Swagger's older form too.
    pub(in crate::definition) fn items(&self) -> Option<&'a Value> {
        self.get("items").filter(|items| items.is_object())
    }

    /// The first alternatives, if there are several, and whether exactly one is meant.
    pub(in crate::definition) fn alternatives(&self) -> Option<(bool, Vec<&'a Value>)> {
        let named = |key: &str| {
            let lists = self.layers.iter().rev().filter_map(|layer| layer.get(key)?.as_array());
            lists.map(|list| real(list).collect::<Vec<_>>()).find(|list| list.len() > 1)
        };
        named("oneOf").map(|list| (true, list)).or_else(|| named("anyOf").map(|list| (false, list)))
    }
}

/// The alternatives that are not null.
fn real(alternatives: &[Value]) -> impl Iterator<Item = &Value> {
    alternatives.iter().take(ALTERNATIVES).filter(|alternative| {
        let is_null = alternative.get("type").is_some_and(is_null_name);
        let is_const = alternative.get("const").is_some_and(Value::is_null);
        let is_listed = matches!(items(alternative, "enum"), [Value::Null]);
        !(is_null || is_const || is_listed)
    })
}

/// Whether a pointer leads to where types are kept by name.
fn is_named(pointer: &str) -> bool {
    let keeper = pointer.rsplit('/').nth(1);
    matches!(keeper, Some("schemas" | "definitions" | "$defs" | "schema"))
}

pub(super) fn is_null_name(name: &Value) -> bool {
    name.is_null() || name == "null"
}
