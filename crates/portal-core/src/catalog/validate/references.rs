//! References to other entities: whether they can be read.
//!
//! A reference to an entity that does not exist is no fault.

use serde_json::Value;

use super::finding::{Finding, Stage, path, shown};
use super::hints;
use crate::catalog::kinds::KindRegistry;
use crate::catalog::reference::{EntityRef, RefError};

pub(super) fn check(value: &Value, kinds: &KindRegistry, found: &mut Vec<Finding>) {
    let kind = value.get("kind").and_then(Value::as_str);
    let Some(definition) = kind.and_then(|kind| kinds.get(kind)) else { return };
    let Some(spec) = value.get("spec").and_then(Value::as_object) else { return };
    for field in &definition.relation_fields {
        let pointer = format!("/spec/{}", crate::document::escape(&field.field));
        let mut one = |text: &str, pointer: String| {
            // The kind's schema has told about empty ones.
            if text.is_empty() {
                return;
            }
            let Err(error) = EntityRef::parse(text, field.default_kind.as_deref(), EntityRef::DEFAULT_NAMESPACE) else {
                return;
            };
            let name = path(&pointer);
            let (rule, message, hint) = match error {
                RefError::Malformed(_) if hints::looks_templated(text) => (
                    "reference_format",
                    format!("`{name}` is not a reference of the form `[<kind>:][<namespace>/]<name>`"),
                    "this looks like a template: validate the file that it renders".to_owned(),
                ),
                RefError::Malformed(_) => (
                    "reference_format",
                    format!(
                        "`{name}`: `{}` is not a reference of the form `[<kind>:][<namespace>/]<name>`",
                        shown(text)
                    ),
                    "leave out the parts that are empty, with their `:` or `/`".to_owned(),
                ),
                RefError::MissingKind(_) => (
                    "reference_kind_missing",
                    format!("`{name}`: the reference `{}` needs a kind", shown(text)),
                    format!("write for example `component:{0}` or `resource:{0}`", shown(text)),
                ),
            };
            found.push(Finding::value(Stage::Relations, pointer, rule, message).hint(Some(hint)));
        };
        match spec.get(&field.field) {
            Some(Value::String(text)) => one(text, pointer),
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::String(text) = item {
                        one(text, format!("{pointer}/{index}"));
                    }
                }
            }
            _ => {}
        }
    }
}
