//! The type of a schema in words: `string (uuid)`, `array of Booking`.

use serde_json::Value;

use super::shape::is_null_name;
use super::{Scope, Shape};
use crate::definition::words::{self, short};

/// Lists in lists, and alternatives in alternatives.
const LEVELS: usize = 4;
/// Alternatives that are named.
const ALTERNATIVES: usize = 6;
/// Characters of a type's or a format's name.
const NAME: usize = 80;

impl<'a> Scope<'a> {
    pub(in crate::definition) fn type_name(&self, shape: &Shape<'a>) -> String {
        self.named(shape, 0)
    }

    /// The type of an alternative whose name stands beside it already.
    pub(super) fn plain_type(&self, shape: &Shape<'a>) -> String {
        self.described(shape, 0)
    }

    fn named(&self, shape: &Shape<'a>, level: usize) -> String {
        let name = match &shape.name {
            Some(name) => short(name, NAME),
            None if shape.never => "nothing".to_owned(),
            None => self.described(shape, level),
        };
        if shape.nullable && name != "any" { format!("{name} or null") } else { name }
    }

    fn described(&self, shape: &Shape<'a>, level: usize) -> String {
        if let Some((exactly_one, alternatives)) = shape.alternatives().filter(|_| level < LEVELS) {
            let shapes = alternatives.iter().take(ALTERNATIVES).map(|alternative| self.shape(alternative));
            let shapes: Vec<Shape<'a>> = shapes.collect();
            let is_simple = shapes.iter().all(|shape| shape.name.is_none());
            let mut names: Vec<String> = shapes.iter().map(|shape| self.named(shape, level + 1)).collect();
            names.dedup();
            if is_simple && alternatives.len() <= ALTERNATIVES {
                return names.join(" or ");
            }
            if alternatives.len() > names.len() && alternatives.len() > ALTERNATIVES {
                names.push(format!("and {} more", alternatives.len() - ALTERNATIVES));
            }
            return format!("{} {}", if exactly_one { "one of" } else { "any of" }, names.join(", "));
        }
        let types = types(shape);
        let words: Vec<String> = types.iter().map(|name| self.typed(name, shape, level)).collect();
        if words.is_empty() { "any".to_owned() } else { words.join(" or ") }
    }

    fn typed(&self, name: &str, shape: &Shape<'a>, level: usize) -> String {
        match name {
            "array" => match shape.items().filter(|_| level < LEVELS) {
                Some(items) => format!("array of {}", self.named(&self.shape(items), level + 1)),
                None if shape.get("prefixItems").is_some() => "tuple".to_owned(),
                None => "array".to_owned(),
            },
            "object" => match shape.additional().filter(|_| level < LEVELS && !shape.has_properties()) {
                Some(values) => format!("map of {}", self.named(&self.shape(values), level + 1)),
                None => "object".to_owned(),
            },
            name => match shape.text("format") {
                Some(format) => format!("{} ({})", short(name, NAME), short(format, NAME)),
                None => short(name, NAME),
            },
        }
    }
}

/// The types that a schema states, or that follow from what it says.
pub(super) fn types<'a>(shape: &Shape<'a>) -> Vec<&'a str> {
    match shape.get("type") {
        Some(Value::String(name)) if name != "null" => return vec![name],
        Some(Value::Array(names)) => {
            let names = names.iter().filter(|name| !is_null_name(name)).take(ALTERNATIVES);
            return names.filter_map(Value::as_str).collect();
        }
        Some(value) if is_null_name(value) && shape.get("const").is_none() => return vec!["null"],
        _ => {}
    }
    let value = shape.get("const").or_else(|| shape.get("enum")?.as_array()?.iter().find(|value| !value.is_null()));
    let has = |keys: &[&str]| keys.iter().any(|key| shape.get(key).is_some());
    match value {
        Some(Value::String(_)) => vec!["string"],
        Some(Value::Bool(_)) => vec!["boolean"],
        Some(Value::Number(number)) => vec![if number.is_f64() { "number" } else { "integer" }],
        _ if has(&["properties", "additionalProperties", "patternProperties"]) => vec!["object"],
        _ if has(&["items", "prefixItems"]) => vec!["array"],
        _ if has(&["pattern", "minLength", "maxLength", "format"]) => vec!["string"],
        _ if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) => vec!["number"],
        _ => Vec::new(),
    }
}

/// A type name that stands on its own, e.g. as the name of an alternative.
pub(super) fn own_name(shape: &Shape<'_>) -> Option<String> {
    let title = || shape.text("title").map(|title| words::short(title, NAME));
    shape.name.as_ref().map(|name| short(name, NAME)).or_else(title)
}
