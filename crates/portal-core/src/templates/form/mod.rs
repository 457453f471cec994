//! The form of a template, for the values that have been given so far: which fields there
//! are, what they look like, and what is wrong with their values.
//!
//! The parts of JSON Schema that a form follows are those of react-jsonschema-form:
//! `properties`, `dependencies`, `if`/`then`/`else`, `allOf`, `oneOf`, `anyOf`, local `$ref`.
//! Conditions see the values of all pages.

mod faults;
mod fields;
mod pickers;
mod resolve;
mod schema;
mod variants;

use serde_json::{Map, Value};

pub use faults::{faults, names};
use fields::fields;
pub use pickers::answered_by;
pub(super) use resolve::followed;
use resolve::{Effective, is_group, resolve};
pub(super) use schema::{is_endless, judge, unmatchable};

use super::definition::Page;
use super::wire::FormPage;
use crate::problem::FieldError;

/// Objects within objects, and conditions within conditions.
const DEEPEST: usize = 12;
/// Items of a list that are shown.
const MOST_ITEMS: usize = 100;

/// Every page of the form, with values, defaults and faults.
pub fn pages(pages: &[Page], values: &Map<String, Value>) -> Vec<FormPage> {
    let data = filled(pages, values);
    let faults = faults::judge(pages, &data);
    let shown = pages.iter().map(|page| {
        let effective = resolve(&page.schema, &page.schema, &data, 0);
        FormPage {
            title: page.title.clone(),
            description: page.description.clone(),
            fields: fields(&page.schema, &effective, &data, "", &faults, 0),
        }
    });
    shown.collect()
}

/// What is wrong with the values once they are filled up, as far as it belongs to variants that
/// are meant.
pub fn faults_of(pages: &[Page], values: &Map<String, Value>) -> Vec<FieldError> {
    faults::judge(pages, &filled(pages, values))
}

/// The values, and the defaults of fields that have none and are shown, without choices
/// between variants.
pub fn with_defaults(pages: &[Page], values: &Map<String, Value>) -> Map<String, Value> {
    match variants::without(filled(pages, values)) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn filled(pages: &[Page], values: &Map<String, Value>) -> Value {
    let mut filled = Value::Object(values.clone());
    // A default may show a field that has one itself.
    for _ in 0..4 {
        let before = filled.clone();
        for page in pages {
            let effective = resolve(&page.schema, &page.schema, &before, 0);
            fill(&page.schema, &effective, &mut filled, 0);
        }
        if filled == before {
            break;
        }
    }
    filled
}

fn fill(root: &Value, schema: &Effective, data: &mut Value, depth: usize) {
    let Value::Object(fields) = data else { return };
    // What another variant has is shown all the same where the object has it, too.
    for name in schema.foreign.iter().filter(|name| !schema.properties.contains_key(*name)) {
        fields.shift_remove(name);
    }
    for (name, property) in schema.properties.iter().filter(|(name, _)| !variants::is_choice(name)) {
        let property = followed(root, property);
        if let (false, Some(default)) = (fields.contains_key(name), property.get("default")) {
            fields.insert(name.clone(), default.clone());
        }
        if is_group(property) && depth < DEEPEST {
            let inner = fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            let effective = resolve(root, property, inner, depth + 1);
            fill(root, &effective, inner, depth + 1);
            if inner.as_object().is_some_and(Map::is_empty) {
                fields.shift_remove(name);
            }
        }
        let item = followed(root, &property["items"]);
        if let Some(Value::Array(items)) = fields.get_mut(name).filter(|_| is_group(item) && depth < DEEPEST) {
            for inner in items.iter_mut().take(MOST_ITEMS) {
                // One that was just added.
                if inner.is_null() {
                    *inner = Value::Object(Map::new());
                }
                let effective = resolve(root, item, inner, depth + 1);
                fill(root, &effective, inner, depth + 1);
            }
        }
    }
}
