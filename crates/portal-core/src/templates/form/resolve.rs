//! Which properties an object has, by what it holds.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value;

use super::DEEPEST;
use super::schema::compile;
use super::variants::Variants;

/// The properties of an object that its data makes visible.
#[derive(Debug, Default)]
pub(super) struct Effective {
    pub properties: IndexMap<String, Value>,
    pub required: BTreeSet<String>,
    order: Vec<String>,
    /// Names of fields of variants that were not chosen, where one was.
    pub foreign: Vec<String>,
}

pub(in crate::templates) fn followed<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let target = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#')).and_then(|at| root.pointer(at));
    target.unwrap_or(schema)
}

pub(super) fn resolve(root: &Value, schema: &Value, data: &Value, depth: usize) -> Effective {
    let mut effective = Effective::default();
    merge(root, schema, data, depth, &mut effective);
    let Effective { properties, order, .. } = &mut effective;
    if !order.is_empty() {
        let rest = order.iter().position(|name| name == "*").unwrap_or(order.len());
        let rank = |name: &String| order.iter().position(|own| own == name).unwrap_or(rest);
        properties.sort_by(|left, _, right, _| rank(left).cmp(&rank(right)));
    }
    effective
}

fn merge(root: &Value, schema: &Value, data: &Value, depth: usize, into: &mut Effective) {
    if depth > DEEPEST {
        return;
    }
    let schema = followed(root, schema);
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        match into.properties.get_mut(name) {
            // A condition may say more about a field that is there: what it adds is added.
            Some(Value::Object(known)) => {
                for (key, value) in property.as_object().into_iter().flatten() {
                    if key != "const" && !(key == "enum" && known.contains_key("enum")) {
                        known.insert(key.clone(), value.clone());
                    }
                }
            }
            _ => {
                into.properties.insert(name.clone(), property.clone());
            }
        }
    }
    into.required.extend(texts(&schema["required"]));
    if into.order.is_empty() {
        into.order = texts(&schema["ui:order"]);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        merge(root, part, data, depth + 1, into);
    }
    if let Some(condition) = schema.get("if") {
        let branch = if holds(root, condition, data) { "then" } else { "else" };
        merge(root, &schema[branch], data, depth + 1, into);
    }
    for key in ["dependencies", "dependentRequired", "dependentSchemas"] {
        for (name, dependent) in schema[key].as_object().into_iter().flatten() {
            if data.get(name).is_none_or(Value::is_null) {
                continue;
            }
            into.required.extend(texts(dependent));
            if let Some(chosen) = chosen(root, &dependent["oneOf"], data) {
                merge(root, &without(chosen, name), data, depth + 1, into);
            }
            let mut rest = dependent.clone();
            if let Value::Object(rest) = &mut rest
                && Variants::of(root, &dependent["oneOf"]).is_none()
            {
                rest.remove("oneOf");
            }
            merge(root, &rest, data, depth + 1, into);
        }
    }
    for key in ["oneOf", "anyOf"] {
        let options = &schema[key];
        if let Some(variants) = Variants::of(root, options) {
            let picked = variants.picked(key, data);
            let name = variants.name(key);
            if data.get(&name).is_some() {
                into.foreign.extend(variants.foreign(picked));
            }
            into.properties.insert(name, variants.question(picked));
            merge(root, variants.option(picked), data, depth + 1, into);
            continue;
        }
        let first = options.as_array().and_then(|options| options.first());
        if let Some(option) = chosen(root, options, data).or(first) {
            merge(root, option, data, depth + 1, into);
        }
    }
}

/// The first option whose discriminating fields (`const`, `enum`) fit the data.
fn chosen<'s>(root: &Value, options: &'s Value, data: &Value) -> Option<&'s Value> {
    options.as_array()?.iter().find(|option| {
        let mut count = 0;
        let fits = option["properties"].as_object().into_iter().flatten().all(|(name, one)| {
            // A choice that has not been made yet decides nothing.
            let decides = one.get("const").is_some() || (one.get("enum").is_some() && data.get(name).is_some());
            count += usize::from(decides);
            !decides || data.get(name).is_some_and(|value| holds(root, one, value))
        });
        fits && count > 0
    })
}

fn without(schema: &Value, name: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.shift_remove(name);
    }
    schema
}

fn holds(root: &Value, schema: &Value, data: &Value) -> bool {
    let schema = followed(root, schema);
    if let Some(wanted) = schema.get("const") {
        return wanted == data;
    }
    compile(schema).is_ok_and(|validator| validator.is_valid(data))
}

/// Whether one of several objects is meant.
fn has_objects(schema: &Value) -> bool {
    let mut options = ["oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let is_object = |option: &Value| {
        option.is_object() && option.get("const").is_none() && option.get("type").is_none_or(|kind| kind == "object")
    };
    options.clone().all(is_object) && options.any(|option| option.get("properties").is_some())
}

pub(super) fn is_group(schema: &Value) -> bool {
    schema.get("ui:field").is_none()
        && (schema["type"] == "object"
            || schema.get("type").is_none() && (schema.get("properties").is_some() || has_objects(schema)))
}
