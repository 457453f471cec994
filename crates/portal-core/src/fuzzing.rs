//! What the fuzz targets run, one function a parser of foreign input. A test
//! replays the kept corpora through the same functions.
//!
//! They hold more than "no panic": what is read must be consistent.

use std::collections::HashSet;

use crate::catalog::kinds::KindRegistry;
use crate::catalog::query::{Cursor, Filter, Order, Predicate};
use crate::catalog::{Entity, EntityRef, diff, placeholders, relations, validate};
use crate::definition;
use crate::document::{self, Budget};
use crate::templates::language::{self, Context, Hosts, Style};

/// A fuzz target: its name, which is that of its corpus, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
    ("descriptor", descriptor),
    ("definition", definition),
    ("reference", reference),
    ("filter", filter),
    ("predicate", predicate),
    ("cursor", cursor),
    ("template", template),
];

/// Reads, judges and relates descriptors.
pub fn descriptor(bytes: &[u8]) {
    let kinds = KindRegistry::built_in();
    let budget = Budget::default();
    for document in document::read(bytes, &budget).documents {
        let mut value = document.value.clone();
        for placeholder in placeholders::find(&document.value) {
            assert!(placeholders::substitute(&mut value, &placeholder.pointer, "content".into()));
        }
        assert_eq!(diff::diff(&value, &document.value).is_empty(), value == document.value);
        relations::emitted(&Entity(value), &kinds);
    }
    for verdict in validate::verdicts("fuzz.yaml", bytes, &kinds, &budget) {
        assert_eq!(verdict.valid, verdict.errors.is_empty());
        for fault in verdict.errors {
            assert!(fault.line >= 1 && fault.column >= 1, "{fault:?}");
            assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{fault:?}");
        }
    }
}

/// Reads a definition as every language and opens what it lists.
pub fn definition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in ["openapi", "asyncapi", "graphql", "grpc"] {
        let Some(outline) = definition::read(kind, text) else { continue };
        let ids: HashSet<&str> = outline.links().map(|link| link.id.as_str()).collect();
        assert_eq!(ids.len(), outline.links().count(), "{kind}");
        for id in ids.into_iter().take(100) {
            let detail = outline.operation(id).expect("what is listed can be opened");
            assert!(detail.parts.iter().all(|part| part.rows.len() <= 401), "{kind}: {id}");
        }
    }
}

/// Reads a reference; what it prints must read as the same.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in [None, Some("Component")] {
        if let Ok(reference) = EntityRef::parse(text, kind, EntityRef::DEFAULT_NAMESPACE) {
            assert_eq!(reference.to_string().parse::<EntityRef>().as_ref(), Ok(&reference), "{text}");
        }
    }
}

/// Parses a filter, one parameter a line, and an order.
pub fn filter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parameters: Vec<&str> = text.lines().collect();
    let _ = Filter::parse(&parameters);
    for parameter in parameters {
        let _ = Order::parse(parameter);
        let _ = Order::parse_order_field(parameter);
        let _ = Order::parse_prefixed(parameter);
    }
}

/// Parses a predicate.
pub fn predicate(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice(bytes) {
        let _ = Predicate::parse(&value);
    }
}

/// Reads a cursor; what it writes must read as the same.
pub fn cursor(bytes: &[u8]) {
    if let Ok(cursor) = Cursor::parse(bytes) {
        let _ = cursor.query(20);
        assert_eq!(Cursor::parse(&cursor.to_json()).as_ref(), Ok(&cursor));
    }
}

/// Renders a text, in both styles of tags; a fault names a place in it.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let values = serde_json::json!({ "values": { "name": "booking", "list": [1, "a", null], "on": true } });
    let (Some(values), hosts) = (values.as_object(), Hosts::default()) else { return };
    let context = Context { values, functions: &[("always", true)], hosts: &hosts };
    for (cookiecutter, trims) in [(false, false), (false, true), (true, false)] {
        let style = Style { cookiecutter, trim_blocks: trims, lstrip_blocks: trims };
        if let Err(fault) = language::render(text, style, &context) {
            assert!((1..=text.matches('\n').count() + 1).contains(&fault.line), "{fault}");
        }
    }
    let _ = language::evaluate(text, &context);
}
