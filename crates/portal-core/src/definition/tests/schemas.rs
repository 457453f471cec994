//! Schemas as rows and as examples.

use serde_json::{Value, json};

use super::{Outline, good, operation, shown};

/// An answer and a request body with one schema, among others.
fn with(schema: &Value, others: &Value) -> Outline {
    let content = json!({ "application/json": { "schema": schema } });
    let document = json!({
        "openapi": "3.1.0",
        "paths": { "/a": { "post": {
            "operationId": "a",
            "requestBody": { "content": content },
            "responses": { "200": { "content": content } },
        } } },
        "components": { "schemas": others },
    });
    good("openapi", &document.to_string())
}

/// The rows of an answer.
#[track_caller]
fn check_rows(schema: Value, others: Value, expected: &[&str]) {
    let rows = shown(&operation(&with(&schema, &others), "a"));
    let answer = rows.iter().skip_while(|line| !line.starts_with("# 200")).skip(1).cloned();
    let answer: Vec<String> = answer.collect();
    assert_eq!(answer, expected, "{schema}\n{}", answer.join("\n"));
}

#[track_caller]
fn check_row(schema: Value, expected: &str) {
    check_rows(json!({ "type": "object", "properties": { "x": schema } }), json!({}), &[expected]);
}

/// The examples of the request and of the answer.
#[track_caller]
fn check_examples(schema: Value, others: Value, request: Value, answer: Value) {
    let detail = operation(&with(&schema, &others), "a");
    let example = |title: &str| {
        let part = detail.parts.iter().find(|part| part.title == title).unwrap();
        part.example.as_ref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    };
    assert_eq!(example("Body"), request, "{schema}");
    assert_eq!(example("200 OK"), answer, "{schema}");
}

#[test]
fn types_are_words() {
    for (schema, expected) in [
        (json!({ "type": "string", "format": "uuid" }), "x: string (uuid)"),
        (json!({ "type": ["string", "null"] }), "x: string or null"),
        (json!({ "type": "string", "nullable": true }), "x: string or null"),
        (json!({ "type": ["string", "integer"] }), "x: string or integer"),
        (
            json!({ "type": "array", "items": { "type": "array", "items": { "type": "number" } } }),
            "x: array of array of number",
        ),
        (json!({ "type": "array" }), "x: array"),
        (json!({ "additionalProperties": { "type": "string" } }), "x: map of string"),
        (json!({ "type": "object" }), "x: object"),
        (json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }), "x: string or integer"),
        (json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }), "x: string or null"),
        (json!({ "anyOf": [{ "type": "string" }, { "const": null }] }), "x: string or null"),
        (json!({}), "x: any"),
        (json!(true), "x: any"),
        (json!(false), "x: nothing"),
        (json!(7), "x: any"),
        (json!({ "type": 7 }), "x: any"),
        (json!({ "pattern": "^a" }), "x: string (pattern ^a)"),
        (json!({ "$ref": "other.yaml#/Booking" }), "x: Booking (defined in other.yaml#/Booking)"),
        (json!({ "$ref": "./models/Booking.yaml" }), "x: Booking (defined in ./models/Booking.yaml)"),
    ] {
        check_row(schema, expected);
    }
}

#[test]
fn limits_are_words() {
    for (schema, expected) in [
        (json!({ "enum": ["a", "b", 3] }), "x: string (one of a, b, 3)"),
        (json!({ "const": "a" }), "x: string (always a)"),
        (json!({ "enum": [4] }), "x: integer (always 4)"),
        (json!({ "type": "string", "minLength": 3, "maxLength": 3 }), "x: string (exactly 3 characters)"),
        (json!({ "type": "string", "minLength": 1 }), "x: string (at least 1 character)"),
        (json!({ "type": "string", "minLength": 0, "maxLength": 9 }), "x: string (at most 9 characters)"),
        (json!({ "type": "integer", "minimum": 1, "maximum": 200 }), "x: integer (at least 1; at most 200)"),
        (json!({ "type": "number", "exclusiveMinimum": 0 }), "x: number (more than 0)"),
        (json!({ "type": "number", "maximum": 5, "exclusiveMaximum": true }), "x: number (less than 5)"),
        (json!({ "type": "number", "multipleOf": 0.5 }), "x: number (a multiple of 0.5)"),
        (
            json!({ "type": "array", "items": { "type": "string", "enum": ["a", "b"] }, "maxItems": 2, "uniqueItems": true }),
            "x: array of string (at most 2 items; no item twice; each one of a, b)",
        ),
        (json!({ "type": "object", "minProperties": 1, "maxProperties": 4 }), "x: object (1 to 4 properties)"),
        (json!({ "type": "string", "default": "" }), "x: string (default \"\")"),
        (json!({ "type": "integer", "default": 20, "example": 5 }), "x: integer (default 20; for example 5)"),
        (json!({ "type": "string", "readOnly": true }), "x: string (read only)"),
        (json!({ "type": "string", "deprecated": true }), "x: string, deprecated"),
        (json!({ "type": "string", "minLength": "7", "enum": 7, "maximum": [] }), "x: string"),
    ] {
        check_row(schema, expected);
    }
    let many: Vec<String> = (0..5_000).map(|number| format!("value{number}")).collect();
    let rows = shown(&operation(&with(&json!({ "properties": { "x": { "enum": many } } }), &json!({})), "a"));
    assert!(rows.iter().any(|row| row.contains("and 4976 more")), "{rows:?}");
}

#[test]
fn properties_lie_below_their_object() {
    check_rows(
        json!({ "$ref": "#/components/schemas/Booking" }),
        json!({
            "Booking": {
                "required": ["id", "lines"],
                "properties": {
                    "id": { "type": "string" },
                    "lines": { "type": "array", "items": { "$ref": "#/components/schemas/Line" } },
                    "extra": {
                        "type": "object",
                        "properties": { "note": { "type": "string", "description": " Free text. " } },
                        "additionalProperties": { "type": "integer" },
                    },
                    "prices": { "additionalProperties": { "$ref": "#/components/schemas/Line" } },
                },
            },
            "Line": { "type": "object", "properties": { "count": { "type": "integer" } }, "additionalProperties": false },
        }),
        &[
            "id: string, required",
            "lines: array of Line, required → schema-Line",
            "  count: integer",
            "extra: object",
            "  note: string — Free text.",
            "  any other key: integer",
            "prices: map of Line → schema-Line",
            "  count: integer",
        ],
    );
}

#[test]
fn what_is_no_object_has_a_row_of_its_own() {
    let line = json!({ "Line": { "properties": { "count": { "type": "integer" } } } });
    check_rows(
        json!({ "type": "array", "items": { "$ref": "#/components/schemas/Line" } }),
        line,
        &["body: array of Line → schema-Line", "  count: integer"],
    );
    check_rows(json!({ "type": "string" }), json!({}), &["body: string"]);
}

#[test]
fn all_of_is_put_together() {
    check_rows(
        json!({ "allOf": [
            { "$ref": "#/components/schemas/Base" },
            { "required": ["id", "at"], "properties": { "at": { "type": "string" }, "id": { "type": "integer" } } },
        ] }),
        json!({ "Base": { "properties": { "id": { "type": "string" }, "kind": { "type": "string" } } } }),
        &["id: integer, required", "kind: string", "at: string, required"],
    );
    check_rows(
        json!({ "properties": { "x": {
            "description": "Where it goes.", "nullable": true, "allOf": [{ "$ref": "#/components/schemas/Place" }],
        } } }),
        json!({ "Place": { "type": "string", "description": "A place.", "minLength": 5 } }),
        &["x: Place or null (at least 5 characters) → schema-Place — Where it goes."],
    );
}

#[test]
fn alternatives_are_rows() {
    let others = json!({
        "Card": { "properties": { "number": { "type": "string" } } },
        "Transfer": { "properties": { "iban": { "type": "string" } } },
    });
    let payment = json!({
        "oneOf": [{ "$ref": "#/components/schemas/Card" }, { "$ref": "#/components/schemas/Transfer" }, { "type": "null" }],
        "discriminator": { "propertyName": "kind", "mapping": { "card": "#/components/schemas/Card" } },
    });
    check_rows(
        json!({ "properties": { "payment": payment } }),
        others,
        &[
            "payment: one of Card, Transfer or null",
            "  Card: object (when kind is card) → schema-Card",
            "    number: string",
            "  Transfer: object (when kind is Transfer) → schema-Transfer",
            "    iban: string",
        ],
    );
}

#[test]
fn alternatives_without_a_name_are_told_by_their_one_value() {
    check_rows(
        json!({ "properties": { "x": { "oneOf": [
            { "properties": { "type": { "const": "card" } } },
            { "properties": { "n": { "type": "integer" } } },
        ] } } }),
        json!({}),
        &[
            "x: object",
            "  type: card: object",
            "    type: string (always card)",
            "  alternative 2: object",
            "    n: integer",
        ],
    );
}

#[test]
fn circles_are_cut_where_they_close() {
    let others = json!({
        "Node": { "properties": {
            "parent": { "$ref": "#/components/schemas/Node" },
            "children": { "type": "array", "items": { "$ref": "#/components/schemas/Node" } },
        } },
        "Loop": { "allOf": [{ "$ref": "#/components/schemas/Loop" }], "properties": { "x": { "type": "string" } } },
        "List": { "type": "array", "items": { "$ref": "#/components/schemas/List" } },
        "Either": { "oneOf": [{ "$ref": "#/components/schemas/Either" }, { "$ref": "#/components/schemas/List" }] },
    });
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    check_rows(
        reference("Node"),
        others.clone(),
        &["parent: Node → schema-Node", "children: array of Node → schema-Node"],
    );
    check_rows(reference("Loop"), others.clone(), &["x: string"]);
    check_rows(reference("List"), others.clone(), &["body: List → schema-List"]);
    check_rows(
        reference("Either"),
        others.clone(),
        &[
            "body: Either → schema-Either",
            "  Either: one of Either, List → schema-Either",
            "  List: array of List → schema-List",
        ],
    );
    check_examples(reference("Node"), others, json!({ "children": [] }), json!({ "children": [] }));
}

#[test]
fn a_wide_property_does_not_hide_its_neighbours() {
    let wide: serde_json::Map<String, Value> =
        (0..500).map(|at| (format!("p{at}"), json!({ "type": "string" }))).collect();
    let schema = json!({ "properties": {
        "wide": { "type": "object", "properties": wide },
        "last": { "type": "string" },
    } });
    check_rows(schema, json!({}), &["wide: object (its properties are not shown)", "last: string"]);
    let rows = shown(&operation(&with(&json!({ "properties": wide }), &json!({})), "a"));
    assert!(rows.iter().any(|row| row == "… and 100 more"), "{rows:?}");
    assert!(rows.len() < 900);
}

#[test]
fn examples_are_given_or_made() {
    let schema = json!({ "properties": {
        "id": { "type": "string", "format": "uuid", "readOnly": true },
        "secret": { "type": "string", "writeOnly": true },
        "status": { "enum": ["held", "confirmed"] },
        "count": { "type": "integer", "minimum": 3 },
        "share": { "type": "number", "exclusiveMinimum": 0 },
        "limit": { "type": "integer", "default": 50 },
        "name": { "type": "string", "example": "Kestrel" },
        "code": { "type": "string", "maxLength": 3 },
        "tags": { "type": "array", "items": { "type": "boolean" } },
        "day": { "type": "string", "format": "date" },
        "any": {},
    } });
    let with = |key: &str, value: &str| {
        let mut made = json!({
            "status": "held", "count": 3, "share": 0.5, "limit": 50, "name": "Kestrel", "code": "str",
            "tags": [true], "day": "2026-03-14",
        });
        made[key] = json!(value);
        made
    };
    let request = with("secret", "string");
    check_examples(schema, json!({}), request, with("id", "0b9e2f64-3c1d-4a57-8f20-6d1c5a7e9b42"));
    check_examples(json!({ "type": "string", "examples": ["a", "b"] }), json!({}), json!("a"), json!("a"));
}
