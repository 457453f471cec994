//! Examples: as the author gave them, else made from the schema.

use serde_json::{Map, Value};

use super::types::types;
use super::{Flow, Scope, Shape};
use crate::definition::tree::{fields, items};
use crate::definition::words::weigh;

/// Values of an example that is made.
const NODES: usize = 300;
/// Levels of an example that is made.
const DEPTH: usize = 8;
/// What is shown of an example that is given.
const GIVEN_NODES: usize = 5_000;
const GIVEN_BYTES: usize = 64 << 10;

/// The example of a media type, a parameter or a header: `example`, or the
/// first of `examples`.
pub(in crate::definition) fn given<'a>(scope: &Scope<'a>, holder: &'a Value) -> Option<&'a Value> {
    let first = || fields(holder, "examples").find_map(|(_, example)| scope.tree.here(example)?.get("value"));
    holder.get("example").or_else(first).or_else(|| items(holder, "examples").first()).filter(|value| is_shown(value))
}

fn is_shown(value: &Value) -> bool {
    weigh(value, &mut GIVEN_NODES.clone(), &mut GIVEN_BYTES.clone())
}

/// An example as text; `None` for a value that has no form in the media type.
pub(in crate::definition) fn written(media_type: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !is_json(media_type) || text.trim_start().starts_with(['{', '[']) => Some(text.clone()),
        value if is_json(media_type) => serde_json::to_string_pretty(value).ok(),
        Value::Object(map) if media_type == "application/x-www-form-urlencoded" => {
            let pairs = map.iter().map(|(key, value)| format!("{key}={}", scalar(value)));
            Some(pairs.collect::<Vec<_>>().join("&"))
        }
        Value::Object(_) | Value::Array(_) => None,
        value => Some(value.to_string()),
    }
}

/// The value of a parameter as it stands in an address or a header.
pub(in crate::definition) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(scalar).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

/// Whether a media type is JSON. Who accepts anything accepts JSON.
pub(in crate::definition) fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(name.as_str(), "*/*" | "application/*" | "") || name.ends_with("/json") || name.ends_with("+json")
}

/// What to propose for a parameter: what its author gave, or the first value
/// of one that is required.
pub(in crate::definition) fn parameter_example<'a>(
    scope: &Scope<'a>,
    holder: &'a Value,
    schema: &'a Value,
    required: bool,
) -> Option<String> {
    let shape = scope.shape(schema);
    let first = || shape.get("enum")?.as_array()?.first().filter(|_| required);
    let value = given(scope, holder).or_else(|| stated(&shape)).or_else(first)?;
    is_shown(value).then(|| scalar(value)).filter(|text| text.len() < 1_000)
}

/// The example that a schema states itself.
fn stated<'a>(shape: &Shape<'a>) -> Option<&'a Value> {
    let first = || shape.get("examples")?.as_array()?.first();
    let value = shape.get("example").or_else(first).or_else(|| shape.get("default")).or_else(|| shape.get("const"));
    value.filter(|value| is_shown(value))
}

impl<'a> Scope<'a> {
    /// A value that a schema allows, as far as it can be told.
    pub(in crate::definition) fn made(&self, schema: &'a Value, flow: Flow) -> Option<Value> {
        let mut maker = Maker { scope: self, flow, nodes: NODES, open: Vec::new() };
        maker.make(&self.shape(schema), 0).filter(is_shown)
    }
}

struct Maker<'s, 'a> {
    scope: &'s Scope<'a>,
    flow: Flow,
    nodes: usize,
    open: Vec<String>,
}

impl<'a> Maker<'_, 'a> {
    fn make(&mut self, shape: &Shape<'a>, depth: usize) -> Option<Value> {
        let is_open = shape.pointers.iter().any(|pointer| self.open.contains(pointer));
        if self.nodes == 0 || depth > DEPTH || is_open || shape.never {
            return None;
        }
        self.nodes -= 1;
        if let Some(value) = stated(shape).or_else(|| shape.get("enum")?.as_array()?.first()) {
            return is_shown(value).then(|| value.clone());
        }
        let before = self.open.len();
        self.open.extend(shape.pointers.iter().cloned());
        let value = self.make_typed(shape, depth);
        self.open.truncate(before);
        value
    }

    fn make_typed(&mut self, shape: &Shape<'a>, depth: usize) -> Option<Value> {
        let chosen = shape.alternatives().and_then(|(_, alternatives)| {
            alternatives.into_iter().take(8).find_map(|schema| self.make(&self.scope.shape(schema), depth + 1))
        });
        let kind = types(shape).first().copied();
        match (kind, chosen) {
            (Some("object"), chosen) => {
                let mut map = self.object(shape, depth);
                if let Some(Value::Object(more)) = chosen {
                    map.extend(more);
                }
                Some(Value::Object(map))
            }
            (_, Some(chosen)) => Some(chosen),
            (Some("array"), None) => {
                let item = shape.items().and_then(|items| self.make(&self.scope.shape(items), depth + 1));
                Some(Value::Array(item.into_iter().collect()))
            }
            (Some("string"), None) => Some(Value::from(string(shape))),
            (Some("integer"), None) => Some(number(shape, true)),
            (Some("number"), None) => Some(number(shape, false)),
            (Some("boolean"), None) => Some(Value::Bool(true)),
            (Some("null"), None) => Some(Value::Null),
            _ => None,
        }
    }

    fn object(&mut self, shape: &Shape<'a>, depth: usize) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, schema, _) in shape.properties() {
            if self.nodes == 0 {
                break;
            }
            let property = self.scope.shape(schema);
            if self.flow.has(&property)
                && let Some(value) = self.make(&property, depth + 1)
            {
                map.insert(name.to_owned(), value);
            }
        }
        if let Some(values) = shape.additional().filter(|_| map.is_empty())
            && let Some(value) = self.make(&self.scope.shape(values), depth + 1)
        {
            map.insert("key".to_owned(), value);
        }
        map
    }
}

fn string(shape: &Shape<'_>) -> String {
    let text = match shape.text("format").unwrap_or_default() {
        "date" => "2026-03-14",
        "date-time" => "2026-03-14T09:30:00Z",
        "time" => "09:30:00Z",
        "duration" => "PT30M",
        "uuid" => "0b9e2f64-3c1d-4a57-8f20-6d1c5a7e9b42",
        "email" | "idn-email" => "someone@example.com",
        "uri" | "url" | "iri" => "https://example.com",
        "uri-reference" | "iri-reference" => "/path",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" => "dGV4dA==",
        _ => "string",
    };
    let length = |key: &str| shape.get(key).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let least = length("minLength").unwrap_or(0).min(64);
    let most = length("maxLength").unwrap_or(usize::MAX);
    if text != "string" {
        return text.to_owned();
    }
    text.chars().cycle().take(text.len().max(least).min(most)).collect()
}

fn number(shape: &Shape<'_>, integral: bool) -> Value {
    let bound = |key: &str| shape.get(key).filter(|value| value.is_number());
    let step = if integral { 1.0 } else { 0.5 };
    let exclusive = |bound: &Value, by: f64| bound.as_f64().map(|bound| plain(bound + by));
    let least = bound("minimum")
        .and_then(|least| if shape.is_set("exclusiveMinimum") { exclusive(least, step) } else { Some(least.clone()) });
    let least = least.or_else(|| exclusive(bound("exclusiveMinimum")?, step));
    let most = || bound("maximum").filter(|most| most.as_f64().is_some_and(|most| most < 1.0)).cloned();
    let most =
        || most().or_else(|| exclusive(bound("exclusiveMaximum")?, -step).filter(|most| most.as_f64() < Some(1.0)));
    least.or_else(most).unwrap_or_else(|| Value::from(1))
}

/// A whole number without its `.0`.
fn plain(number: f64) -> Value {
    match number.fract() == 0.0 && number.abs() < 9e15 {
        true => Value::from(number as i64),
        false => Value::from(number),
    }
}
