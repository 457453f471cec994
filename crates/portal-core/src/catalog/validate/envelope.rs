//! Whether a document is an entity at all: `apiVersion`, `kind`, a name.

use serde_json::Value;

use super::finding::{Finding, Stage, path, quote, type_of};
use super::{hints, policy};

pub(super) fn check(value: &Value, found: &mut Vec<Finding>) {
    let Some(root) = value.as_object() else {
        let message = format!("a descriptor must be a mapping, but this is {}", type_of(value));
        let finding = Finding::value(Stage::Envelope, "", "not_an_object", message);
        let hint = "start with `apiVersion:`, `kind:` and `metadata:`".to_owned();
        found.push(finding.hint(Some(hint)));
        return;
    };
    for field in ["apiVersion", "kind"] {
        text(value, "", field, true, found);
    }
    match root.get("metadata") {
        Some(Value::Object(_)) => {
            text(value, "/metadata", "name", true, found);
            text(value, "/metadata", "namespace", false, found);
        }
        Some(other) => {
            let message = format!("`metadata` must be a mapping, but is {}", type_of(other));
            found.push(Finding::value(Stage::Envelope, "/metadata", "wrong_type", message));
        }
        None => found.push(missing(value, "", "metadata")),
    }
}

fn text(value: &Value, parent: &str, field: &str, required: bool, found: &mut Vec<Finding>) {
    let pointer = format!("{parent}/{field}");
    match value.pointer(&pointer) {
        None if required => found.push(missing(value, parent, field)),
        None => {}
        Some(Value::String(text)) if text.is_empty() => {
            let message = format!("`{}` must not be empty", path(&pointer));
            found.push(Finding::value(Stage::Envelope, pointer, "empty_value", message));
        }
        Some(Value::String(_)) => {}
        Some(other) => {
            let message = format!("`{}` must be text, but is {}", path(&pointer), type_of(other));
            found.push(Finding::value(Stage::Envelope, pointer, "wrong_type", message).hint(quote(other)));
        }
    }
}

fn missing(value: &Value, parent: &str, field: &str) -> Finding {
    let known: &[&str] = if parent.is_empty() { &policy::ROOT } else { &policy::METADATA };
    let pointer = format!("{parent}/{field}");
    let message = format!("`{}` is missing", path(&pointer));
    let mut finding = Finding::key(Stage::Envelope, pointer, "missing_field", message);
    let keys = value.pointer(parent).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str());
    if let Some(slip) = hints::closest(field, keys.filter(|key| !known.contains(key))) {
        finding.blame = Some(format!("{parent}/{}", crate::document::escape(slip)));
        finding.hint = Some(format!("did you mean `{field}` instead of `{slip}`?"));
    }
    finding
}
