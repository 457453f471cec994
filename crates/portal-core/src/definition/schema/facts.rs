//! The limits of a schema in words.

use serde_json::Value;

use super::{Scope, Shape};
use crate::definition::words::{counted, list, short, shown};

/// Values of an enumeration that are listed.
const VALUES: usize = 24;
/// Characters of a fact.
const FACT: usize = 600;
/// Characters of a pattern or a reference.
const PATTERN: usize = 160;

impl<'a> Scope<'a> {
    /// The limits of a schema, and of the items of a list.
    pub(in crate::definition) fn facts(&self, shape: &Shape<'a>) -> Vec<String> {
        let mut facts = limits(shape);
        if let Some(items) = shape.items() {
            let items = self.shape(items);
            if !items.has_properties() {
                let is_kept = |fact: &String| !fact.starts_with("default ") && !fact.starts_with("for example ");
                facts.extend(limits(&items).into_iter().filter(is_kept).map(|fact| format!("each {fact}")));
            }
        }
        facts.into_iter().map(|fact| short(&fact, FACT)).collect()
    }
}

fn limits(shape: &Shape<'_>) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(values) = shape.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty()) {
        facts.push(match values.as_slice() {
            [value] => format!("always {}", shown(value)),
            values => format!("one of {}", list(values.iter().map(shown), VALUES)),
        });
    }
    facts.extend(shape.get("const").map(|value| format!("always {}", shown(value))));
    facts.extend(range(shape, "minLength", "maxLength", "character"));
    facts.extend(range(shape, "minItems", "maxItems", "item"));
    facts.extend(range(shape, "minProperties", "maxProperties", "property"));
    numbers(shape, &mut facts);
    facts.extend(shape.text("pattern").map(|pattern| format!("pattern {}", short(pattern, PATTERN))));
    facts.extend(shape.text("contentEncoding").map(|encoding| format!("in {}", short(encoding, PATTERN))));
    facts.extend(shape.text("contentMediaType").map(|media_type| format!("holds {}", short(media_type, PATTERN))));
    let not = shape.get("not").and_then(|not| not.get("enum").or_else(|| not.get("const")));
    facts.extend(not.map(|value| format!("not {}", shown(value))));
    let flags = [("uniqueItems", "no item twice"), ("readOnly", "read only"), ("writeOnly", "write only")];
    facts.extend(flags.into_iter().filter(|(key, _)| shape.is_set(key)).map(|(_, words)| words.to_owned()));
    if shape.get("additionalProperties") == Some(&Value::Bool(false)) && shape.has_properties() {
        facts.push("no other properties".to_owned());
    }
    facts.extend(shape.get("default").map(|value| format!("default {}", shown(value))));
    let example = shape.get("example").or_else(|| shape.get("examples")?.as_array()?.first());
    let example = example.filter(|value| !value.is_object() && !value.is_array() && !value.is_null());
    facts.extend(example.map(|value| format!("for example {}", shown(value))));
    facts.extend(shape.elsewhere.map(|reference| format!("defined in {}", short(reference, PATTERN))));
    facts
}

fn range(shape: &Shape<'_>, least: &str, most: &str, noun: &str) -> Option<String> {
    let number = |key: &str| shape.get(key).filter(|value| value.is_number());
    match (number(least).filter(|least| least.as_u64() != Some(0)), number(most)) {
        (Some(least), Some(most)) if least == most => Some(format!("exactly {}", counted(least, noun))),
        (Some(least), Some(most)) => Some(format!("{} to {}", shown(least), counted(most, noun))),
        (Some(least), None) => Some(format!("at least {}", counted(least, noun))),
        (None, Some(most)) => Some(format!("at most {}", counted(most, noun))),
        (None, None) => None,
    }
}

/// In OpenAPI 3.0 `exclusiveMinimum` is a boolean beside `minimum`, later a number.
fn numbers(shape: &Shape<'_>, facts: &mut Vec<String>) {
    for (bound, exclusive, inclusive_words, exclusive_words) in [
        ("minimum", "exclusiveMinimum", "at least", "more than"),
        ("maximum", "exclusiveMaximum", "at most", "less than"),
    ] {
        let words = if shape.is_set(exclusive) { exclusive_words } else { inclusive_words };
        let number = |key: &str| shape.get(key).filter(|value| value.is_number()).map(shown);
        facts.extend(number(bound).map(|number| format!("{words} {number}")));
        facts.extend(number(exclusive).map(|number| format!("{exclusive_words} {number}")));
    }
    let step = shape.get("multipleOf").filter(|value| value.is_number());
    facts.extend(step.map(|step| format!("a multiple of {}", shown(step))));
}
