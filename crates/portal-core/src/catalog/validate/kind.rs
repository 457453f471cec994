//! Whether the kind is known, and its `spec` has the fields of it.

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::finding::{Finding, Stage, path, shown};
use super::{formats, hints, spec};
use crate::catalog::kinds::{KindDefinition, KindRegistry};
use crate::catalog::placeholders;

pub(super) fn check(value: &Value, kinds: &KindRegistry, found: &mut Vec<Finding>) {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    // What is missing or malformed has been told by the earlier stages.
    let Some(kind) = field("kind").filter(|kind| formats::is_kind(kind)) else { return };
    let Some(definition) = kinds.get(kind).filter(|definition| definition.kind == kind) else {
        let message = format!("there is no kind `{}`", shown(kind));
        let hint = hints::did_you_mean(kind, kinds.iter().map(|kind| kind.kind.as_str())).or_else(|| {
            let known: Vec<_> = kinds.iter().map(|kind| kind.kind.as_str()).collect();
            Some(format!("use one of {}, or declare the kind", known.join(", ")))
        });
        found.push(Finding::value(Stage::Kind, "/kind", "unknown_kind", message).hint(hint));
        return;
    };
    if let Some(version) = field("apiVersion").filter(|version| formats::is_api_version(version))
        && !definition.api_versions.iter().any(|known| known == version)
    {
        let message = format!("the kind `{kind}` has no version `{}`", shown(version));
        let hint = Some(format!("use `{}`", definition.api_versions.join("` or `")));
        found.push(Finding::value(Stage::Kind, "/apiVersion", "unknown_api_version", message).hint(hint));
    }
    match value.get("spec") {
        Some(spec @ Value::Object(_)) => match kinds.validator(kind) {
            Some(_) => declared(spec, kinds, definition, found),
            None => spec::check(spec, &definition.schema, "/spec", found),
        },
        Some(_) => {}
        None if value.is_object() => {
            let message = format!("`spec` is missing; every {kind} has one");
            found.push(Finding::key(Stage::Kind, "/spec", "missing_field", message));
        }
        None => {}
    }
}

/// The `spec` of a declared kind, judged by its own JSON Schema.
fn declared(spec: &Value, kinds: &KindRegistry, definition: &KindDefinition, found: &mut Vec<Finding>) {
    let Some(validator) = kinds.validator(&definition.kind) else { return };
    let placeholders = placeholders::find(spec);
    let covered = |pointer: &str| {
        placeholders.iter().any(|placeholder| {
            pointer.strip_prefix(&placeholder.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    for error in validator.iter_errors(spec) {
        let inner = error.instance_path().as_str().to_owned();
        if covered(&inner) {
            continue;
        }
        let pointer = format!("/spec{inner}");
        let finding = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let field = property.as_str().unwrap_or_default();
                let parent = spec.pointer(&inner).unwrap_or(spec);
                spec::missing(parent, &definition.schema, &pointer, field)
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let field = unexpected.first().map(String::as_str).unwrap_or_default();
                let message = format!("the field `{}` is not allowed in `{}`", shown(field), path(&pointer));
                let known = definition.schema.get("properties").and_then(Value::as_object);
                let hint = hints::did_you_mean(field, known.into_iter().flatten().map(|(key, _)| key.as_str()));
                let pointer = format!("{pointer}/{}", crate::document::escape(field));
                Finding::key(Stage::Kind, pointer, "unknown_field", message).hint(hint)
            }
            kind => {
                let rule = match kind {
                    ValidationErrorKind::Type { .. } => "wrong_type",
                    ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => "value_not_allowed",
                    ValidationErrorKind::MinLength { .. } => "empty_value",
                    _ => "schema",
                };
                let message = format!("`{}`: {}", path(&pointer), shown(&error.to_string()));
                Finding::value(Stage::Kind, pointer, rule, message)
            }
        };
        found.push(finding);
    }
}
