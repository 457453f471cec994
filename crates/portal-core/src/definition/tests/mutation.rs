//! Random texts and definitions: none may do harm.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::hostile::{reference, survives};

/// Values that look like parts of a definition, rightly placed or not.
fn part() -> impl Strategy<Value = Value> {
    let key = proptest::sample::select(vec![
        "paths",
        "get",
        "post",
        "parameters",
        "responses",
        "200",
        "default",
        "content",
        "application/json",
        "schema",
        "properties",
        "items",
        "allOf",
        "oneOf",
        "anyOf",
        "$ref",
        "type",
        "enum",
        "required",
        "additionalProperties",
        "discriminator",
        "mapping",
        "example",
        "examples",
        "value",
        "tags",
        "servers",
        "variables",
        "security",
        "in",
        "name",
        "components",
        "schemas",
        "securitySchemes",
        "channels",
        "messages",
        "operations",
        "publish",
        "message",
        "payload",
        "headers",
        "webhooks",
        "callbacks",
        "flows",
        "scopes",
        "minimum",
        "format",
        "const",
        "nullable",
        "requestBody",
        "patternProperties",
        "prefixItems",
        "traits",
        "reply",
        "/a",
    ]);
    let text = proptest::sample::select(vec![
        "object",
        "array",
        "string",
        "integer",
        "null",
        "#",
        "#/paths",
        "#/components/schemas/T",
        "#/paths/~1a/get",
        "other.yaml",
        "path",
        "query",
        "header",
        "body",
        "apiKey",
        "oauth2",
        "receive",
        "date-time",
        "\u{1f980}",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 80, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

/// A definition in which the value at one place is another.
fn mutated() -> impl Strategy<Value = Value> {
    let whole: Value = json!({
        "openapi": "3.1.0", "asyncapi": "3.0.0", "info": { "title": "T", "version": 1.5 },
        "servers": [{ "url": "https://{a}.example.org", "variables": { "a": { "default": "x" } } }],
        "tags": [{ "name": "t" }], "security": [{ "s": ["x"] }],
        "paths": { "/a": { "parameters": [{ "name": "p", "in": "query", "schema": reference("T") }], "post": {
            "tags": ["t"], "requestBody": { "content": { "application/json": { "schema": reference("T") } } },
            "responses": { "200": { "headers": { "h": { "schema": { "type": "string" } } },
                "content": { "application/json": { "schema": reference("T"), "examples": { "e": { "value": 1 } } } } } },
        } } },
        "channels": { "c": { "address": "a", "messages": { "m": { "payload": reference("T") } } } },
        "operations": { "o": { "action": "send", "channel": { "$ref": "#/channels/c" } } },
        "components": {
            "schemas": { "T": { "type": "object", "required": ["a"], "properties": {
                "a": { "oneOf": [reference("T"), { "type": "string", "enum": ["x"] }], "discriminator": { "propertyName": "a" } },
                "b": { "type": "array", "items": reference("T"), "minItems": 1 },
            } } },
            "securitySchemes": { "s": { "type": "oauth2", "flows": { "implicit": { "scopes": { "x": "X" } } } } },
        },
    });
    let places: Vec<String> = pointers(&whole, "");
    proptest::collection::vec((proptest::sample::select(places), part()), 1..4).prop_map(move |changes| {
        let mut whole = whole.clone();
        for (pointer, part) in changes {
            if let Some(place) = whole.pointer_mut(&pointer) {
                *place = part;
            }
        }
        whole
    })
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (crate::document::escape(key), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (key, child) in children {
        let pointer = format!("{at}/{key}");
        found.extend(pointers(child, &pointer));
        found.push(pointer);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn mutated_definitions_do_no_harm(mut document in mutated()) {
        survives("openapi", &document.to_string());
        if let Some(map) = document.as_object_mut() {
            map.shift_remove("openapi");
        }
        survives("asyncapi", &document.to_string());
    }

    #[test]
    fn words_in_any_order_do_no_harm(words in proptest::collection::vec(proptest::sample::select(vec![
        "message", "enum", "service", "rpc", "returns", "stream", "oneof", "map", "<", ">", "option", "optional", "group",
        "A", "B", "{", "}", "(", ")", "[", "]", "=", ";", ",", ".", "1", "-", "\"x\"", "\"", "// c\n", "/*", "*/", "\n",
        "type", "extend", "union", "|", "&", "input", "interface", "implements", "schema", "query", ":", "!", "@", "$",
        "\"\"\"", "#", "scalar", "directive", "on", "é",
    ]), 0..120)) {
        let text = words.join(" ");
        survives("grpc", &text);
        survives("graphql", &text);
    }

    #[test]
    fn any_text_does_no_harm(text in "\\PC{0,200}") {
        for kind in ["openapi", "asyncapi", "graphql", "grpc"] {
            survives(kind, &text);
        }
    }
}
