//! What fields look like.

use serde_json::Value;

use super::pickers::{filters, kinds};
use super::resolve::{Effective, followed, is_group, resolve};
use super::variants;
use super::{DEEPEST, MOST_ITEMS};
use crate::document::escape;
use crate::problem::FieldError;
use crate::templates::wire::{Choice, Control, FormField};

/// Whether an object has fields of its own, or takes any name.
fn has_fields(schema: &Value) -> bool {
    const SOURCES: [&str; 8] = ["properties", "dependencies", "if", "allOf", "oneOf", "anyOf", "$ref", "required"];
    SOURCES.iter().any(|key| schema.get(*key).is_some())
}

/// What a box takes, as `type` of `input` in HTML says it; of names with values, the type of
/// the values.
fn input(schema: &Value, control: Control) -> Option<String> {
    let widget = schema["ui:widget"].as_str().or(schema["ui:options"]["widget"].as_str()).unwrap_or_default();
    let format = schema["format"].as_str().unwrap_or_default();
    let name = match (control, widget, format) {
        (Control::Pairs, ..) => schema["additionalProperties"]["type"].as_str()?,
        (Control::Number, "range", _) => "range",
        (Control::Number, ..) => "number",
        (Control::Text, "color", _) => "color",
        (Control::Text, "date", _) | (Control::Text, "", "date") => "date",
        (Control::Text, "time", _) => "time",
        (Control::Text, "email", _) | (Control::Text, "", "email") => "email",
        (Control::Text, "uri", _) | (Control::Text, "", "uri" | "url") => "url",
        _ => return None,
    };
    Some(name.to_owned())
}

pub(super) fn fields(
    root: &Value,
    schema: &Effective,
    data: &Value,
    pointer: &str,
    faults: &[FieldError],
    depth: usize,
) -> Vec<FormField> {
    let shown = schema.properties.iter().map(|(name, property)| {
        let pointer = format!("{pointer}/{}", escape(name));
        let is_choice = variants::is_choice(name);
        // What is meant, whatever was asked for.
        let value = if is_choice { property.get("default") } else { data.get(name) };
        let is_required = is_choice || schema.required.contains(name);
        field(root, followed(root, property), name, pointer, value, is_required, faults, depth)
    });
    shown.collect()
}

#[expect(clippy::too_many_arguments, reason = "the place of a field: where it stands in the schema and in the data")]
fn field(
    root: &Value,
    schema: &Value,
    name: &str,
    pointer: String,
    value: Option<&Value>,
    required: bool,
    faults: &[FieldError],
    depth: usize,
) -> FormField {
    let text = |key: &str| schema[key].as_str().map(str::to_owned);
    let option = |key: &str| schema["ui:options"].get(key).cloned().unwrap_or_default();
    let is_set = |key: &str| schema[key] == true || option(key.trim_start_matches("ui:")) == true;
    let control = control(schema);
    let mut inner = Vec::new();
    if depth < DEEPEST {
        let null = Value::Null;
        let data = value.unwrap_or(&null);
        match control {
            Control::Group => {
                let effective = resolve(root, schema, data, depth + 1);
                inner = fields(root, &effective, data, &pointer, faults, depth + 1);
            }
            Control::List => {
                let items = data.as_array().map_or(&[][..], Vec::as_slice);
                let item_schema = followed(root, &schema["items"]);
                for (index, item) in items.iter().take(MOST_ITEMS).enumerate() {
                    let place = format!("{pointer}/{index}");
                    let label = format!("{}", index + 1);
                    inner.push(field(root, item_schema, &label, place, Some(item), false, faults, depth + 1));
                }
            }
            _ => {}
        }
    }
    let label = text("title").or_else(|| text("ui:title")).unwrap_or_else(|| name.to_owned());
    FormField {
        error: faults.iter().find(|fault| fault.pointer == pointer).map(|fault| fault.message.clone()),
        name: name.to_owned(),
        label,
        help: text("description").or_else(|| text("ui:description")),
        hint: text("ui:help"),
        placeholder: text("ui:placeholder"),
        value: value.cloned().map(variants::without),
        choices: choices(schema),
        kinds: match control {
            Control::Entity | Control::Entities => kinds(schema),
            _ => Vec::new(),
        },
        filters: match control {
            Control::Entity | Control::Entities => filters(schema),
            _ => Vec::new(),
        },
        options: schema["ui:options"].clone(),
        extension: text("ui:field"),
        masked: control == Control::Password
            || control == Control::Secret
            || schema["ui:backstage"]["review"].get("mask").is_some(),
        reviewed: schema["ui:backstage"]["review"]["show"] != false,
        disabled: is_set("ui:disabled") || is_set("ui:readonly") || schema["readOnly"] == true,
        autofocus: is_set("ui:autofocus"),
        rows: option("rows").as_u64(),
        pattern: text("pattern"),
        input: input(schema, control),
        minimum: schema["minimum"].as_f64(),
        maximum: schema["maximum"].as_f64(),
        step: schema["multipleOf"].as_f64(),
        fields: inner,
        control,
        required,
        pointer,
    }
}

fn choices(schema: &Value) -> Vec<Choice> {
    if schema["ui:field"] == "RepoOwnerPicker" {
        return owners(&schema["ui:options"]);
    }
    let of_items = &schema["items"]["enum"];
    let values = schema["enum"].as_array().or(of_items.as_array());
    let names = ["enumNames", "ui:enumNames"]
        .iter()
        .find_map(|key| schema[*key].as_array().or(schema["items"][*key].as_array()));
    if let Some(values) = values {
        let named = |(index, value): (usize, &Value)| {
            let name = names.and_then(|names| names.get(index)).and_then(Value::as_str);
            let label =
                name.map_or_else(|| value.as_str().map_or_else(|| value.to_string(), str::to_owned), str::to_owned);
            Choice { value: value.clone(), label }
        };
        return values.iter().enumerate().map(named).collect();
    }
    let consts = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array().or(schema["items"][*key].as_array()));
    let one = |option: &Value| {
        let value = option.get("const")?.clone();
        let label = option["title"]
            .as_str()
            .map_or_else(|| value.as_str().map_or_else(|| value.to_string(), str::to_owned), str::to_owned);
        Some(Choice { value, label })
    };
    consts.into_iter().flatten().filter_map(one).collect()
}

/// Owners of repositories that a template allows.
fn owners(options: &Value) -> Vec<Choice> {
    let excluded = options["excludedOwners"].as_array().map_or(&[][..], Vec::as_slice);
    let allowed = options["allowedOwners"].as_array().into_iter().flatten().filter(|owner| !excluded.contains(owner));
    let named = allowed.filter_map(|owner| Some(Choice { value: owner.clone(), label: owner.as_str()?.to_owned() }));
    named.collect()
}

fn control(schema: &Value) -> Control {
    let widget = schema["ui:widget"].as_str().or(schema["ui:options"]["widget"].as_str()).unwrap_or_default();
    let has_choices = schema["enum"].is_array() || !choices(schema).is_empty();
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        other => other.as_str().unwrap_or_default(),
    };
    match schema["ui:field"].as_str() {
        Some("EntityPicker" | "OwnerPicker" | "OwnedEntityPicker" | "MyGroupsPicker") if kind != "array" => {
            return Control::Entity;
        }
        Some("MultiEntityPicker" | "EntityPicker" | "OwnedEntityPicker") => return Control::Entities,
        Some("RepoUrlPicker") => return Control::Repository,
        Some("RepoOwnerPicker") if has_choices => return Control::Select,
        Some("RepoBranchPicker" | "RepoOwnerPicker" | "EntityNamePicker") => return Control::Text,
        Some("EntityTagsPicker") => return Control::Tags,
        Some("Secret") => return Control::Secret,
        _ => {}
    }
    match (widget, kind) {
        ("hidden", _) => Control::Hidden,
        _ if schema["ui:options"]["hidden"] == true => Control::Hidden,
        ("password", _) => Control::Password,
        ("radio", "boolean") => Control::YesNo,
        ("radio", _) if has_choices => Control::Radio,
        (_, "array") if has_choices => Control::Checkboxes,
        (_, "array") => Control::List,
        (_, "boolean") => Control::Checkbox,
        _ if has_choices => Control::Select,
        ("textarea", _) => Control::TextArea,
        (_, "integer" | "number") => Control::Number,
        _ if is_group(schema) && has_fields(schema) => Control::Group,
        (_, "object") => Control::Pairs,
        _ => Control::Text,
    }
}
