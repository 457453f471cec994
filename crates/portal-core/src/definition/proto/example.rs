//! A message in JSON, as command-line clients take it.

use serde_json::{Map, Value, json};

use super::{Field, Message, Source, Type};

/// Levels and fields of an example.
const DEPTH: usize = 5;
const FIELDS: usize = 200;

/// An example of the message of a name; `None` for one of another file.
pub(super) fn of(source: &Source, name: &str) -> Option<String> {
    let (_, Type::Message(at)) = source.resolve(name, "")? else { return None };
    let value = message(source, &source.file.messages[at], 0, &mut FIELDS.clone());
    serde_json::to_string_pretty(&value).ok()
}

fn message(source: &Source, of: &Message, depth: usize, left: &mut usize) -> Value {
    let mut map = Map::new();
    let mut chosen: Option<&str> = None;
    for field in &of.fields {
        // Of a oneof, the first is chosen.
        if field.oneof.is_some() && field.oneof.as_deref() == chosen {
            continue;
        }
        let Some(rest) = left.checked_sub(1) else { break };
        *left = rest;
        if let Some(value) = field_value(source, of, field, depth, left) {
            chosen = field.oneof.as_deref().or(chosen);
            map.insert(field.name.clone(), value);
        }
    }
    Value::Object(map)
}

fn field_value(source: &Source, of: &Message, field: &Field, depth: usize, left: &mut usize) -> Option<Value> {
    let name = field.type_name.as_str();
    let value = match source.resolve(name, &of.name) {
        Some((_, Type::Message(at))) if depth < DEPTH => message(source, &source.file.messages[at], depth + 1, left),
        Some((_, Type::Message(_))) => return None,
        Some((_, Type::Enum(at))) => Value::from(source.file.enums[at].values.first()?.name.clone()),
        None => plain(name.trim_start_matches('.'))?,
    };
    Some(match (&field.key, field.label.as_deref()) {
        (Some(_), _) => json!({ "key": value }),
        (None, Some("repeated")) => json!([value]),
        (None, _) => value,
    })
}

/// Scalars and the types that JSON writes in a form of its own.
fn plain(name: &str) -> Option<Value> {
    Some(match name {
        "string" => json!("text"),
        "bytes" => json!("dGV4dA=="),
        "bool" => json!(true),
        "double" | "float" => json!(1.5),
        "int32" | "uint32" | "sint32" | "fixed32" | "sfixed32" => json!(1),
        // 64 bits are more than a number of JSON can hold.
        "int64" | "uint64" | "sint64" | "fixed64" | "sfixed64" => json!("1"),
        "google.protobuf.Timestamp" => json!("2026-03-14T09:30:00Z"),
        "google.protobuf.Duration" => json!("1.500s"),
        "google.protobuf.FieldMask" => json!("name"),
        "google.protobuf.StringValue" => json!("text"),
        "google.protobuf.BoolValue" => json!(true),
        "google.protobuf.Struct" | "google.protobuf.Empty" => json!({}),
        _ => return None,
    })
}
