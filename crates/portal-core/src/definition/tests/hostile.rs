//! Texts that mean harm: whatever they say, reading ends, and what it gives
//! has a size.

use serde_json::{Value, json};

use super::super::wire::OperationDetail;
use super::{outline, read};

/// Operations of a text that are expanded.
const EXPANDED: usize = 60;

/// Reads a text and expands its operations.
#[track_caller]
pub(super) fn survives(kind: &str, text: &str) {
    let Some(outline) = read(kind, text) else { return };
    let definition = outline.definition();
    assert!(definition.faults.len() <= 60);
    let ids: std::collections::HashSet<&str> = outline.links().map(|link| link.id.as_str()).collect();
    assert_eq!(ids.len(), outline.links().count(), "ids are unique");
    for link in outline.links().take(EXPANDED) {
        assert_bounded(&outline.operation(&link.id).expect("what is listed can be opened"));
    }
}

#[track_caller]
fn assert_bounded(detail: &OperationDetail) {
    let rows: usize = detail.parts.iter().map(|part| part.rows.len()).sum();
    assert!(rows <= 6_000, "{rows} rows");
    for part in &detail.parts {
        assert!(part.rows.len() <= 401, "{} rows", part.rows.len());
        assert!(part.rows.iter().all(|row| row.depth <= 8));
        assert!(part.example.as_ref().is_none_or(|example| example.len() < 400_000));
    }
}

fn openapi(schemas: &Value) -> String {
    let name = schemas.as_object().and_then(|map| map.keys().next()).cloned().unwrap_or_default();
    let content = json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } });
    let operation = json!({ "requestBody": { "content": content }, "responses": { "200": { "content": content } } });
    json!({ "openapi": "3.1.0", "paths": { "/a": { "post": operation } }, "components": { "schemas": schemas } })
        .to_string()
}

pub(super) fn reference(name: impl std::fmt::Display) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[test]
fn references_that_multiply_do_not_blow_up() {
    let mut schemas = serde_json::Map::new();
    for level in 0..40 {
        let properties: serde_json::Map<String, Value> =
            (0..10).map(|at| (format!("p{at}"), reference(format_args!("s{}", level + 1)))).collect();
        let below = [reference(format_args!("s{}", level + 1)), reference(format_args!("s{}", level + 1))];
        schemas.insert(
            format!("s{level}"),
            json!({ "properties": properties, "allOf": below, "oneOf": below, "anyOf": below, "items": below[0] }),
        );
    }
    survives("openapi", &openapi(&Value::Object(schemas)));
}

#[test]
fn long_chains_come_to_an_end() {
    for key in ["$ref", "allOf", "oneOf", "items", "additionalProperties"] {
        let mut schemas = serde_json::Map::new();
        for at in 0..5_000 {
            let next = reference(at + 1);
            let schema = match key {
                "$ref" => next,
                "allOf" | "oneOf" => json!({ key: [next, { "type": "string" }] }),
                key => json!({ key: next }),
            };
            schemas.insert(at.to_string(), schema);
        }
        schemas.insert("5000".to_owned(), json!({ "type": "string" }));
        survives("openapi", &openapi(&Value::Object(schemas)));
    }
}

#[test]
fn wide_schemas_are_cut() {
    let names: Vec<String> = (0..50_000).map(|at| format!("v{at}")).collect();
    let hidden: serde_json::Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({ "readOnly": true }))).collect();
    let union: Vec<Value> = names.iter().map(|name| json!({ "title": name })).collect();
    let users: serde_json::Map<String, Value> =
        (0..600).map(|at| (format!("u{at}"), reference(["Hidden", "Union", "Enum"][at % 3]))).collect();
    survives(
        "openapi",
        &openapi(&json!({
            "Users": { "properties": users },
            "Hidden": { "properties": hidden, "required": names },
            "Union": { "oneOf": union },
            "Enum": { "enum": names, "default": names, "example": names },
        })),
    );
}

#[test]
fn circles_of_every_sort_are_cut() {
    let circle = json!({
        "openapi": "3.0.0",
        "paths": {
            "/a": { "$ref": "#/paths/~1b" }, "/b": { "$ref": "#/paths/~1a" },
            "/c": { "parameters": [{ "$ref": "#/components/parameters/P" }], "get": {
                "parameters": [{ "$ref": "#" }, { "$ref": "#/paths" }],
                "requestBody": { "$ref": "#/components/requestBodies/B" },
                "responses": { "200": { "$ref": "#/components/responses/R" }, "201": { "$ref": "#" } },
                "callbacks": { "x": { "y": { "$ref": "#/paths/~1c" } } },
            } },
        },
        "components": {
            "parameters": { "P": { "$ref": "#/components/parameters/P" } },
            "requestBodies": { "B": { "$ref": "#/components/requestBodies/B" } },
            "responses": { "R": { "$ref": "#/components/responses/R" } },
            "securitySchemes": { "S": { "$ref": "#/components/securitySchemes/S" } },
            "schemas": { "All": { "$ref": "#" }, "Up": { "properties": { "x": { "$ref": "#/components/schemas" } } } },
        },
    });
    survives("openapi", &circle.to_string());
    survives(
        "asyncapi",
        r##"{"asyncapi":"3.0.0","channels":{"a":{"$ref":"#/channels/a"},"b":{"messages":{"m":{"$ref":"#/channels/b/messages/m"}}}},"operations":{"o":{"channel":{"$ref":"#/operations/o"},"reply":{"$ref":"#/operations/o"},"messages":{"x":{"$ref":"#/operations/o"}},"traits":[{"$ref":"#"}]}}}"##,
    );
}

#[test]
fn depth_is_bounded_in_every_language() {
    let deep = |open: &str, close: &str, levels: usize| format!("{}{}", open.repeat(levels), close.repeat(levels));
    survives("openapi", &format!("openapi: 3.0.0\npaths: {}", deep("{a: ", "}", 5_000)));
    survives("openapi", &format!("{{\"openapi\": \"3.0.0\", \"x\": {}", "[".repeat(200_000)));
    survives("graphql", &format!("type Query {{ a: {}Int }}", "[".repeat(100_000)));
    survives("graphql", &format!("type Query {{ a(b: Int = {}): Int }}", deep("[", "]", 100_000)));
    survives("graphql", &format!("type Query {{ a: Int @x(y: {}) }}", deep("{a:", "}", 100_000)));
    survives("graphql", &format!("query {}", deep("{a", "}", 100_000)));
    survives("grpc", &deep("message A { ", "}", 100_000));
    survives("grpc", &format!("message A {{ optional group G = 1 {}", "{ optional group G = 1 ".repeat(50_000)));
    survives("grpc", &format!("option (x) = {};", deep("{ a ", "}", 200_000)));
    survives("grpc", &format!("message A {{ int32 a = 1 [x = {}", "[{".repeat(200_000)));
}

#[test]
fn anchors_that_multiply_are_refused() {
    let mut text = "openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
    }
    survives("openapi", &text);
    assert!(!outline("openapi", &text).definition().faults.is_empty());
}

#[test]
fn graphs_of_types_do_not_blow_up() {
    let fields =
        |prefix: &str, mark: &str| (0..30).map(|at| format!("f{at}: {prefix}{}{mark} ", at % 20)).collect::<String>();
    let mut text = "type Query { a(i: I0): T0 }\n".to_owned();
    for at in 0..20 {
        text.push_str(&format!("type T{at} {{ {} }}\ninput I{at} {{ {} }}\n", fields("T", "!"), fields("I", "")));
    }
    survives("graphql", &text);
    let mut text = "service S { rpc A(T0) returns (T0); }\n".to_owned();
    for at in 0..20 {
        let fields: String = (0..30).map(|field| format!("T{} f{field} = {}; ", field % 20, field + 1)).collect();
        text.push_str(&format!("message T{at} {{ {fields} }}\n"));
    }
    survives("grpc", &text);
}

#[test]
fn what_is_shared_is_not_copied_without_end() {
    let text = "word ".repeat(5_000);
    let values: Vec<String> = (0..100).map(|at| format!("{at}{text}")).collect();
    let answers: serde_json::Map<String, Value> =
        (200..300).map(|status| (status.to_string(), json!({ "$ref": "#/components/responses/R" }))).collect();
    let media: serde_json::Map<String, Value> = (0..50)
        .map(|at| {
            (format!("application/x{at}+json"), json!({ "schema": reference("Long"), "example": vec![at; 4_000] }))
        })
        .collect();
    let parameters: Vec<Value> =
        (0..400).map(|at| json!({ "name": format!("p{at}"), "in": "query", "schema": reference("Long") })).collect();
    let document = json!({
        "openapi": "3.0.0",
        "paths": { "/a": { "get": { "parameters": parameters, "responses": answers } } },
        "components": {
            "responses": { "R": { "description": text, "content": media } },
            "schemas": { "Long": { "type": "string", "description": text, "pattern": text, "enum": values } },
        },
    });
    let outline = outline("openapi", &document.to_string());
    let size = serde_json::to_string(&outline.operation("get-a").unwrap()).unwrap().len();
    assert!(size < 40_000_000, "{size}");
}

#[test]
fn an_outline_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<super::Outline>();
}

#[test]
fn a_large_definition_lists_everything_and_opens_one_operation() {
    let operation =
        json!({ "responses": { "200": { "content": { "application/json": { "schema": reference("T") } } } } });
    let paths: serde_json::Map<String, Value> =
        (0..5_000).map(|at| (format!("/p{at}"), json!({ "get": operation, "put": operation }))).collect();
    let schemas = json!({ "T": { "properties": { "a": { "type": "string" } } } });
    let text = json!({ "openapi": "3.0.0", "paths": paths, "components": { "schemas": schemas } }).to_string();
    let outline = outline("openapi", &text);
    assert_eq!(outline.links().count(), 10_001);
    assert!(outline.operation("get-p4999").is_some());
}
