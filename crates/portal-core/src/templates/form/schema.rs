//! Schemas as they are compiled: what authors get wrong is left out and told.

use std::collections::BTreeSet;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::DEEPEST;
use super::resolve::followed;
use crate::document::escape;

/// Whether a page's schema can be used.
pub(in crate::templates) fn judge(schema: &Value) -> Result<(), String> {
    compile(schema).map(|_| ())
}

/// Parts that a form may have, with all that they refer to and whatever shows them.
const MOST_PARTS: usize = 10_000;

/// Whether a schema refers to itself so often that no form could be made of it.
pub(in crate::templates) fn is_endless(schema: &Value) -> bool {
    let mut left = MOST_PARTS;
    weigh(schema, schema, 0, &mut left);
    left == 0
}

fn weigh(root: &Value, schema: &Value, depth: usize, left: &mut usize) {
    if depth > DEEPEST || *left == 0 {
        return;
    }
    *left -= 1;
    let schema = followed(root, schema);
    let named = ["properties", "dependencies", "dependentSchemas"];
    let named = named.iter().filter_map(|key| schema[*key].as_object()).flat_map(|parts| parts.values());
    let listed = ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let single = ["if", "then", "else", "items"].iter().filter_map(|key| schema.get(*key));
    named
        .chain(listed)
        .chain(single)
        .filter(|part| part.is_object())
        .for_each(|part| weigh(root, part, depth + 1, left));
}

/// Steps that a pattern may take that looks around or back.
const BACKTRACKS: usize = 100_000;

fn patterns() -> PatternOptions<jsonschema::FancyRegex> {
    PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS)
}

/// Whether a pattern can be matched.
fn is_pattern(text: &str) -> bool {
    let schema = serde_json::json!({ "pattern": text });
    regex::Regex::new(text).is_ok() || jsonschema::options().with_pattern_options(patterns()).build(&schema).is_ok()
}

/// The patterns of a schema that cannot be matched, with their pointers.
pub(in crate::templates) fn unmatchable(
    schema: &Value,
    pointer: &str,
    depth: usize,
    found: &mut Vec<(String, String)>,
) {
    if depth > 4 * DEEPEST {
        return;
    }
    match schema {
        Value::Object(fields) => {
            if let Some(text) = fields.get("pattern").and_then(Value::as_str).filter(|text| !is_pattern(text)) {
                found.push((format!("{pointer}/pattern"), text.to_owned()));
            }
            for (key, part) in fields {
                unmatchable(part, &format!("{pointer}/{}", escape(key)), depth + 1, found);
            }
        }
        Value::Array(items) => {
            for (index, part) in items.iter().enumerate() {
                unmatchable(part, &format!("{pointer}/{index}"), depth + 1, found);
            }
        }
        _ => {}
    }
}

/// A schema without the patterns that are none, of which the author is told.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    let mut schema = schema.clone();
    drop_patterns(&mut schema, 0);
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(patterns())
        .build(&schema)
        .map_err(|error| format!("not a JSON Schema: {error}"))
}

fn drop_patterns(schema: &mut Value, depth: usize) {
    if depth > 4 * DEEPEST {
        return;
    }
    match schema {
        Value::Object(fields) => {
            let is_bad = fields.get("pattern").and_then(Value::as_str).is_some_and(|text| !is_pattern(text));
            if is_bad {
                fields.remove("pattern");
            }
            if let Some(Value::Array(names)) = fields.get_mut("required") {
                let mut seen = BTreeSet::new();
                names.retain(|name| seen.insert(name.to_string()));
            }
            // Authors write `required: true` on a property, which says nothing in this draft.
            if fields.get("required").is_some_and(|required| !required.is_array() && !required.is_object()) {
                fields.remove("required");
            }
            fields.values_mut().for_each(|field| drop_patterns(field, depth + 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_patterns(item, depth + 1)),
        _ => {}
    }
}
