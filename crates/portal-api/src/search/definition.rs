//! The readable part of an API definition: what a person would search for, a
//! passage a line, so that a hit can quote the operation it found.
//!
//! Formats that are not read here (GraphQL, protobuf, anything broken) are
//! searched as the text they are.

use std::fmt::Write as _;

use portal_core::document::{self, Budget};
use serde_json::{Map, Value};

/// Bytes of a definition that are searched, at most.
const MAX_DEFINITION: usize = 256 << 10;
/// Bytes of a passage, at most.
const MAX_PASSAGE: usize = 600;
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The passages of a definition, one a line.
pub fn passages(api_type: &str, text: &str) -> String {
    let mut lines = Lines::default();
    let read = match api_type {
        "openapi" | "asyncapi" => parse(text),
        _ => None,
    };
    match read.as_ref().and_then(Value::as_object) {
        Some(api) => {
            info(api, &mut lines);
            operations(api, &mut lines);
            channels(api, &mut lines);
            schemas(api, &mut lines);
        }
        None => text.lines().for_each(|line| lines.push(line)),
    }
    // An OpenAPI document of an unknown shape is still text.
    if lines.0.is_empty() {
        text.lines().for_each(|line| lines.push(line));
    }
    lines.0
}

fn parse(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    let reading = document::read(text.as_bytes(), &Budget::default());
    reading.documents.into_iter().next().map(|document| document.value)
}

fn info(api: &Map<String, Value>, lines: &mut Lines) {
    let Some(info) = api.get("info") else { return };
    lines.push(&joined(&[string(info, "title"), string(info, "description")]));
}

fn operations(api: &Map<String, Value>, lines: &mut Lines) {
    for group in ["paths", "webhooks"] {
        for (path, item) in members(api.get(group)) {
            for (method, operation) in members(Some(item)) {
                if !METHODS.contains(&method.as_str()) {
                    continue;
                }
                let place = format!("{} {path}", method.to_ascii_uppercase());
                let id = string(operation, "operationId");
                lines.push(&joined(&[&place, string(operation, "summary"), string(operation, "description"), id]));
            }
        }
    }
}

/// AsyncAPI, both versions: channels, operations and messages.
fn channels(api: &Map<String, Value>, lines: &mut Lines) {
    for (name, channel) in members(api.get("channels")) {
        lines.push(&joined(&[name, string(channel, "address"), string(channel, "description")]));
        for action in ["publish", "subscribe"] {
            if let Some(operation) = channel.get(action) {
                let id = string(operation, "operationId");
                lines.push(&joined(&[id, string(operation, "summary"), string(operation, "description")]));
            }
        }
    }
    for (name, operation) in members(api.get("operations")) {
        lines.push(&joined(&[name, string(operation, "summary"), string(operation, "description")]));
    }
    let messages = api.get("components").and_then(|components| components.get("messages"));
    for (name, message) in members(messages) {
        lines.push(&joined(&[
            name,
            string(message, "title"),
            string(message, "summary"),
            string(message, "description"),
        ]));
    }
}

fn schemas(api: &Map<String, Value>, lines: &mut Lines) {
    let schemas = api.get("components").and_then(|components| components.get("schemas"));
    for (name, schema) in members(schemas.or_else(|| api.get("definitions"))) {
        let mut line = joined(&[name, string(schema, "title"), string(schema, "description")]);
        for (index, (property, _)) in members(schema.get("properties")).enumerate() {
            let _ = write!(line, "{}{property}", if index == 0 { ": " } else { ", " });
        }
        lines.push(&line);
    }
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn string<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Non-empty pieces in one line, without repeating what was just said.
fn joined(pieces: &[&str]) -> String {
    let mut line = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let piece = piece.trim();
        if piece.is_empty() || pieces[..index].iter().any(|before| before.trim() == piece) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(" — ");
        }
        line.extend(piece.split_whitespace().flat_map(|word| [word, " "]));
        line.truncate(line.trim_end().len());
    }
    line
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn push(&mut self, line: &str) {
        let line = clip(line.trim(), MAX_PASSAGE);
        if line.is_empty() || self.0.len() + line.len() >= MAX_DEFINITION {
            return;
        }
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(line);
    }
}

fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(api_type: &str, text: &str, expected: &str) {
        assert_eq!(passages(api_type, text), expected);
    }

    const RATES: &str = r#"{
        "openapi": "3.1.0",
        "info": {"title": "Carrier rates", "description": "Prices\n  of carriers."},
        "paths": {"/carriers/{id}/rate-cards": {
            "parameters": [],
            "get": {"operationId": "listRateCards", "summary": "Lists the valid rate cards."}
        }},
        "components": {"schemas": {"RateCard": {"type": "object", "properties": {"lane": {}, "price": {}}}}}
    }"#;

    #[test]
    fn an_operation_is_a_passage() {
        let lines = [
            "Carrier rates — Prices of carriers.",
            "GET /carriers/{id}/rate-cards — Lists the valid rate cards. — listRateCards",
            "RateCard: lane, price",
        ];
        check("openapi", RATES, &lines.join("\n"));
    }

    #[test]
    fn other_formats_are_text() {
        check("graphql", "type Query {\n  rate: Int\n\n}\n", "type Query {\nrate: Int\n}");
        check("openapi", "{ not json", "{ not json");
        check("openapi", "{\"a\": 1}", "{\"a\": 1}");
    }

    #[test]
    fn size_is_bounded() {
        let long = "word ".repeat(200_000);
        assert!(passages("graphql", &long).len() <= MAX_PASSAGE);
        let many = "a line of text\n".repeat(100_000);
        assert!(passages("graphql", &many).len() <= MAX_DEFINITION);
    }
}
