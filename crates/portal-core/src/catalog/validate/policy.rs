//! Fields of every entity: the root, `metadata`, and their formats.

use serde_json::{Map, Value};

use super::finding::{Finding, Stage, path, quote, shown, type_of};
use super::{formats, hints};
use crate::catalog::placeholders;
use crate::document::escape;

/// The keys that a descriptor may have.
pub(super) const ROOT: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

/// The keys of `metadata` that have a meaning; others are allowed.
pub(super) const METADATA: [&str; 10] =
    ["name", "namespace", "uid", "etag", "title", "description", "labels", "annotations", "tags", "links"];

pub(super) fn check(value: &Value, found: &mut Vec<Finding>) {
    let Some(root) = value.as_object() else { return };
    for key in root.keys().filter(|key| !ROOT.contains(&key.as_str())) {
        let message = format!("the field `{}` is not allowed beside `metadata` and `spec`", shown(key));
        let hint = match key.as_str() {
            "relations" | "status" => Some("remove it: the portal computes it".to_owned()),
            "<<" => Some("merge keys are not supported: write the fields out".to_owned()),
            _ => {
                let absent = ROOT.into_iter().filter(|field| !root.contains_key(*field));
                hints::did_you_mean(key, absent).or_else(|| Some("move it into `metadata` or `spec`".to_owned()))
            }
        };
        found.push(Finding::key(Stage::Policy, format!("/{}", escape(key)), "unknown_field", message).hint(hint));
    }
    if let Some(spec) = root.get("spec").filter(|spec| !spec.is_object()) {
        let message = format!("`spec` must be a mapping, but is {}", type_of(spec));
        found.push(Finding::value(Stage::Policy, "/spec", "wrong_type", message));
    }
    if let Some(metadata) = root.get("metadata").and_then(Value::as_object) {
        texts(metadata, found);
        pairs(metadata, "labels", found);
        pairs(metadata, "annotations", found);
        tags(metadata, found);
        links(metadata, found);
    }
    formatted(value, found);
}

/// Text fields of `metadata` that the envelope does not check.
fn texts(metadata: &Map<String, Value>, found: &mut Vec<Finding>) {
    for (field, may_be_empty) in [("uid", false), ("etag", false), ("title", false), ("description", true)] {
        if let Some(value) = metadata.get(field) {
            text(value, format!("/metadata/{field}"), may_be_empty, found);
        }
    }
}

/// The text of a value, or a finding.
fn text<'a>(value: &'a Value, pointer: String, may_be_empty: bool, found: &mut Vec<Finding>) -> Option<&'a str> {
    match value {
        Value::String(text) if text.is_empty() && !may_be_empty => {
            let message = format!("`{}` must not be empty", path(&pointer));
            found.push(Finding::value(Stage::Policy, pointer, "empty_value", message));
            None
        }
        Value::String(text) => Some(text),
        placeholder if placeholders::kind_of(placeholder).is_some() => None,
        other => {
            let message = format!("`{}` must be text, but is {}", path(&pointer), type_of(other));
            found.push(Finding::value(Stage::Policy, pointer, "wrong_type", message).hint(quote(other)));
            None
        }
    }
}

/// Labels and annotations: text by key.
fn pairs(metadata: &Map<String, Value>, field: &'static str, found: &mut Vec<Finding>) {
    let pointer = format!("/metadata/{field}");
    let map = match metadata.get(field) {
        None => return,
        Some(value) if placeholders::kind_of(value).is_some() => return,
        Some(Value::Object(map)) => map,
        Some(other) => {
            let message = format!("`metadata.{field}` must be a mapping, but is {}", type_of(other));
            found.push(Finding::value(Stage::Policy, pointer, "wrong_type", message));
            return;
        }
    };
    let singular = &field[..field.len() - 1];
    for (key, value) in map {
        let pointer = format!("{pointer}/{}", escape(key));
        if !formats::is_key(key) {
            let rule = if field == "labels" { "label_key_format" } else { "annotation_key_format" };
            let message = format!(
                "the {singular} `{}` must have the form `[prefix/]name`: a lower-case DNS name, then 1 to 63 letters, \
                 digits and `-_.`",
                shown(key)
            );
            found.push(Finding::key(Stage::Policy, pointer.clone(), rule, message));
        }
        let Some(value) = text(value, pointer.clone(), true, found) else { continue };
        if field == "labels" && !formats::is_label_value(value) {
            let message = format!(
                "the value `{}` of the label `{}` must be 1 to 63 letters, digits and `-_.`, with a letter or digit \
                 at both ends",
                shown(value),
                shown(key)
            );
            let hint = hints::reshaped(value, false, formats::is_name)
                .or_else(|| Some("use an annotation for free text".to_owned()));
            found.push(Finding::value(Stage::Policy, pointer, "label_value_format", message).hint(hint));
        }
    }
}

fn list<'a>(metadata: &'a Map<String, Value>, field: &str, found: &mut Vec<Finding>) -> &'a [Value] {
    match metadata.get(field) {
        Some(Value::Array(items)) => items,
        Some(other) if placeholders::kind_of(other).is_none() => {
            let message = format!("`metadata.{field}` must be a list, but is {}", type_of(other));
            let hint = other.as_str().map(|text| format!("write `- {}` on a line of its own", shown(text)));
            let finding = Finding::value(Stage::Policy, format!("/metadata/{field}"), "wrong_type", message);
            found.push(finding.hint(hint));
            &[]
        }
        _ => &[],
    }
}

fn tags(metadata: &Map<String, Value>, found: &mut Vec<Finding>) {
    for (index, tag) in list(metadata, "tags", found).iter().enumerate() {
        let pointer = format!("/metadata/tags/{index}");
        let Some(tag) = text(tag, pointer.clone(), false, found) else { continue };
        if !formats::is_tag(tag) {
            let message = format!(
                "the tag `{}` must be 1 to 63 lower-case letters, digits and `:+#`, in groups joined by `-`",
                shown(tag)
            );
            let hint = hints::reshaped(tag, true, formats::is_tag);
            found.push(Finding::value(Stage::Policy, pointer, "tag_format", message).hint(hint));
        }
    }
}

fn links(metadata: &Map<String, Value>, found: &mut Vec<Finding>) {
    for (index, link) in list(metadata, "links", found).iter().enumerate() {
        let pointer = format!("/metadata/links/{index}");
        let link = match link {
            Value::Object(link) => link,
            other => {
                let message = format!("`{}` must be a mapping with `url`, but is {}", path(&pointer), type_of(other));
                found.push(Finding::value(Stage::Policy, pointer, "wrong_type", message));
                continue;
            }
        };
        if placeholders::kind_of(&Value::Object(link.clone())).is_some() {
            continue;
        }
        match link.get("url") {
            None => {
                let message = format!("`{}` has no `url`", path(&pointer));
                found.push(Finding::key(Stage::Policy, format!("{pointer}/url"), "missing_field", message));
            }
            Some(url) => {
                let pointer = format!("{pointer}/url");
                if let Some(url) = text(url, pointer.clone(), false, found).filter(|url| !formats::is_url(url)) {
                    let message = format!("`{}` is not an absolute URL", shown(url));
                    let hint = if hints::looks_templated(url) {
                        "this looks like a template: validate the file that it renders"
                    } else {
                        "start it with `https://`"
                    };
                    found.push(Finding::value(Stage::Policy, pointer, "link_url", message).hint(Some(hint.to_owned())));
                }
            }
        }
        for field in ["title", "icon", "type"] {
            let Some(value) = link.get(field) else { continue };
            let pointer = format!("{pointer}/{field}");
            let blank = text(value, pointer.clone(), false, found).is_some_and(|text| text.trim().is_empty());
            if blank && field != "type" {
                let message = format!("`{}` must not be blank", path(&pointer));
                found.push(Finding::value(Stage::Policy, pointer, "blank_value", message));
            }
        }
    }
}

/// Formats of the fields that the envelope asks for.
fn formatted(value: &Value, found: &mut Vec<Finding>) {
    type Row = (&'static str, &'static str, fn(&str) -> bool, &'static str);
    const ROWS: [Row; 4] = [
        (
            "/apiVersion",
            "api_version_format",
            formats::is_api_version,
            "must have the form `[prefix/]version`: a lower-case DNS name, then letters and digits",
        ),
        ("/kind", "kind_format", formats::is_kind, "must be 1 to 63 letters and digits that start with a letter"),
        (
            "/metadata/name",
            "name_format",
            formats::is_name,
            "must be 1 to 63 letters, digits and `-_.`, with a letter or digit at both ends",
        ),
        (
            "/metadata/namespace",
            "namespace_format",
            formats::is_dns_label,
            "must be 1 to 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
        ),
    ];
    for (pointer, rule, fits, wanted) in ROWS {
        // The envelope has told about empty ones.
        let text = value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        if let Some(text) = text.filter(|text| !fits(text)) {
            let message = format!("`{}` {wanted}, but is `{}`", path(pointer), shown(text));
            let hint = match pointer {
                "/apiVersion" => hints::did_you_mean(text, ["backstage.io/v1alpha1"]),
                "/metadata/namespace" => hints::reshaped(text, true, fits),
                _ => hints::reshaped(text, false, fits),
            };
            found.push(Finding::value(Stage::Policy, pointer, rule, message).hint(hint));
        }
    }
}
