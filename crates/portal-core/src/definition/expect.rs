//! Faults of a definition in YAML or JSON: what has another shape than its
//! specification says, and references that lead nowhere.
//!
//! It is one pass over the document, so that whoever opens one operation hears
//! of the others too. It judges what would be missing on the page, no more.

use std::collections::HashSet;

use serde_json::Value;

use super::tree::{self, Tree, kind};
use super::wire::DefinitionFault;
use crate::document::escape;

/// Faults that are told.
const FAULTS: usize = 50;
/// The methods of a path item.
pub(super) const METHODS: [&str; 9] = ["get", "post", "put", "patch", "delete", "head", "options", "trace", "query"];
/// Below these keys, a `$ref` is data.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// What a place must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Object,
    List,
    /// An object or a boolean.
    Schema,
}

/// Places and what they must be. In a path, `*` is any key or item, `@` any method.
pub(super) type Expectations = [(&'static str, Expected)];

/// What is wrong in a tree.
pub(super) fn faults(tree: &Tree, expectations: &Expectations) -> Vec<DefinitionFault> {
    let mut faults = Faults { tree, found: Vec::new(), total: 0, good: HashSet::new() };
    for (path, expected) in expectations {
        let steps: Vec<&str> = path.split('/').collect();
        faults.expect(tree.root(), &steps, *expected, &mut Vec::new());
    }
    faults.references(tree.root(), &mut Vec::new());
    faults.finish()
}

struct Faults<'a> {
    tree: &'a Tree,
    found: Vec<DefinitionFault>,
    total: usize,
    /// References that were followed to an end.
    good: HashSet<&'a str>,
}

impl<'a> Faults<'a> {
    fn expect(&mut self, value: &'a Value, steps: &[&str], expected: Expected, path: &mut Vec<String>) {
        let [step, rest @ ..] = steps else {
            let fits = match (expected, value) {
                (Expected::List, value) => value.is_array(),
                (Expected::Schema, Value::Bool(_)) => true,
                (_, value) => value.is_object(),
            };
            if !fits && !value.is_null() {
                let name = path.last().map_or("", String::as_str);
                let wanted = if expected == Expected::List { "a list" } else { "an object" };
                self.add(path, format!("`{name}` is {}, not {wanted}", kind(value)));
            }
            return;
        };
        let children: Vec<(String, &Value)> = match (value, *step) {
            (Value::Object(map), "*") => map.iter().filter(|(key, _)| !key.starts_with("x-")).map(owned).collect(),
            (Value::Object(map), "@") => {
                METHODS.iter().filter_map(|method| map.get_key_value(*method)).map(owned).collect()
            }
            (Value::Object(map), key) => map.get_key_value(key).into_iter().map(owned).collect(),
            (Value::Array(items), "*") => {
                items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
            }
            _ => Vec::new(),
        };
        for (key, child) in children {
            path.push(key);
            self.expect(child, rest, expected, path);
            path.pop();
        }
    }

    fn references(&mut self, value: &'a Value, path: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(reference) = tree::reference(value).filter(|reference| !self.good.contains(reference)) {
                    match self.tree.follow(value) {
                        tree::Lead::Nowhere => {
                            self.add(path, format!("the reference `{reference}` leads nowhere"));
                        }
                        _ => {
                            self.good.insert(reference);
                        }
                    }
                }
                for (key, child) in map {
                    let is_property = path.last().is_some_and(|last| last == "properties");
                    let is_data = !is_property && (DATA.contains(&key.as_str()) || key.starts_with("x-"));
                    if !is_data && (child.is_object() || child.is_array()) {
                        path.push(key.clone());
                        self.references(child, path);
                        path.pop();
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate().filter(|(_, item)| item.is_object() || item.is_array()) {
                    path.push(index.to_string());
                    self.references(item, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, path: &[String], message: String) {
        self.total += 1;
        if self.found.len() < FAULTS {
            let pointer: String = path.iter().map(|step| format!("/{}", escape(step))).collect();
            let line = self.tree.line(&pointer);
            self.found.push(DefinitionFault { line, message: super::words::short(&message, 300) });
        }
    }

    fn finish(self) -> Vec<DefinitionFault> {
        let Self { mut found, total, .. } = self;
        found.sort_by_key(|fault| fault.line);
        if total > found.len() {
            let message = format!("{} more places are like these", total - found.len());
            found.push(DefinitionFault { line: 0, message });
        }
        found
    }
}

fn owned<'a>((key, value): (&'a String, &'a Value)) -> (String, &'a Value) {
    (key.clone(), value)
}
