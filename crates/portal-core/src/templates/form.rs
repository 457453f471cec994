//! The form of a template, for the values that have been given so far: which fields there
//! are, what they look like, and what is wrong with their values.
//!
//! The parts of JSON Schema that a form follows are those of react-jsonschema-form:
//! `properties`, `dependencies`, `if`/`then`/`else`, `allOf`, `oneOf`, `anyOf`, local `$ref`.
//! Conditions see the values of all pages.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

use super::definition::Page;
use super::language;
use super::wire::{Choice, Control, FormField, FormPage};
use crate::document::escape;
use crate::problem::FieldError;

/// Objects within objects, and conditions within conditions.
const DEEPEST: usize = 12;
const MOST_ITEMS: usize = 100;

/// Whether a page's schema can be used.
pub(super) fn judge(schema: &Value) -> Result<(), String> {
    compile(schema).map(|_| ())
}

/// Steps that a pattern may take that looks around or back.
const BACKTRACKS: usize = 100_000;

fn patterns() -> PatternOptions<jsonschema::FancyRegex> {
    PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS)
}

/// Whether a pattern can be matched.
fn is_pattern(text: &str) -> bool {
    let schema = serde_json::json!({ "pattern": text });
    regex::Regex::new(text).is_ok() || jsonschema::options().with_pattern_options(patterns()).build(&schema).is_ok()
}

/// The patterns of a schema that cannot be matched, with their pointers.
pub(super) fn unmatchable(schema: &Value, pointer: &str, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > 4 * DEEPEST {
        return;
    }
    match schema {
        Value::Object(fields) => {
            if let Some(text) = fields.get("pattern").and_then(Value::as_str).filter(|text| !is_pattern(text)) {
                found.push((format!("{pointer}/pattern"), text.to_owned()));
            }
            for (key, part) in fields {
                unmatchable(part, &format!("{pointer}/{}", escape(key)), depth + 1, found);
            }
        }
        Value::Array(items) => {
            for (index, part) in items.iter().enumerate() {
                unmatchable(part, &format!("{pointer}/{index}"), depth + 1, found);
            }
        }
        _ => {}
    }
}

/// A schema without the patterns that are none, of which the author is told.
fn compile(schema: &Value) -> Result<Validator, String> {
    let mut schema = schema.clone();
    drop_patterns(&mut schema, 0);
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(patterns())
        .build(&schema)
        .map_err(|error| format!("not a JSON Schema: {error}"))
}

fn drop_patterns(schema: &mut Value, depth: usize) {
    if depth > 4 * DEEPEST {
        return;
    }
    match schema {
        Value::Object(fields) => {
            let is_bad = fields.get("pattern").and_then(Value::as_str).is_some_and(|text| !is_pattern(text));
            if is_bad {
                fields.remove("pattern");
            }
            if let Some(Value::Array(names)) = fields.get_mut("required") {
                let mut seen = BTreeSet::new();
                names.retain(|name| seen.insert(name.to_string()));
            }
            // Authors write `required: true` on a property, which says nothing in this draft.
            if fields.get("required").is_some_and(|required| !required.is_array() && !required.is_object()) {
                fields.remove("required");
            }
            fields.values_mut().for_each(|field| drop_patterns(field, depth + 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_patterns(item, depth + 1)),
        _ => {}
    }
}

/// Every page of the form, with values, defaults and faults.
pub fn pages(pages: &[Page], values: &Map<String, Value>) -> Vec<FormPage> {
    let filled = with_defaults(pages, values);
    let data = Value::Object(filled.clone());
    let faults = faults(pages, &filled);
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

/// The values, and the defaults of fields that have none and are shown.
pub fn with_defaults(pages: &[Page], values: &Map<String, Value>) -> Map<String, Value> {
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
    match filled {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn fill(root: &Value, schema: &Effective, data: &mut Value, depth: usize) {
    let Value::Object(fields) = data else { return };
    for (name, property) in &schema.properties {
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
    }
}

/// What an entity answers: pickers that take its kind get the entity, those of owners its
/// owner, and those of systems and domains the ones that it is part of.
pub fn answered_by(pages: &[Page], entity_ref: &str, entity: &Value) -> Map<String, Value> {
    let kind = entity_ref.split(':').next().unwrap_or_default();
    let part = |name: &str| entity["spec"][name].as_str().filter(|text| !text.is_empty());
    let mut answers = Map::new();
    for page in pages {
        for (name, property) in resolve(&page.schema, &page.schema, &Value::Object(Map::new()), 0).properties {
            let property = followed(&page.schema, &property);
            let kinds = kinds(&property["ui:options"]);
            let takes = |wanted: &str| kinds.iter().any(|kind| kind == wanted);
            let answer = match property["ui:field"].as_str() {
                Some("OwnerPicker" | "MyGroupsPicker") => {
                    if matches!(kind, "group" | "user") {
                        Some(entity_ref)
                    } else {
                        part("owner")
                    }
                }
                Some("EntityPicker" | "OwnedEntityPicker" | "MultiEntityPicker") => match kind {
                    kind if takes(kind) => Some(entity_ref),
                    _ if takes("system") => part("system"),
                    _ if takes("domain") => part("domain"),
                    _ if takes("group") => part("owner"),
                    _ => None,
                },
                _ => None,
            };
            let is_list = property["type"] == "array" || property["ui:field"] == "MultiEntityPicker";
            let value = answer.map(|text| if is_list { Value::from(vec![text]) } else { text.into() });
            answers.extend(value.map(|value| (name, value)));
        }
    }
    answers
}

/// Kinds that a picker is narrowed to, in lower case.
fn kinds(options: &Value) -> Vec<String> {
    let list = |value: &Value| match value {
        Value::String(kind) => vec![kind.to_lowercase()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_lowercase).collect(),
        _ => Vec::new(),
    };
    let mut found = list(&options["allowedKinds"]);
    match &options["catalogFilter"] {
        Value::Array(filters) => filters.iter().for_each(|filter| found.extend(list(&filter["kind"]))),
        filter => found.extend(list(&filter["kind"])),
    }
    found
}

/// What is wrong with the values, by JSON pointer; fields that no page has among it.
pub fn faults(pages: &[Page], values: &Map<String, Value>) -> Vec<FieldError> {
    let data = Value::Object(values.clone());
    let mut found: Vec<FieldError> = Vec::new();
    let mut tell = |pointer: String, message: String| {
        if !found.iter().any(|fault| fault.pointer == pointer) {
            found.push(FieldError { pointer, message });
        }
    };
    let mut known = BTreeSet::new();
    for page in pages {
        let shown = resolve(&page.schema, &page.schema, &data, 0).properties;
        for (name, property) in shown.iter().filter(|(_, property)| property["ui:field"] == "RepoUrlPicker") {
            let given = values.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            if let Some(message) = given.and_then(|text| repository_fault(&property["ui:options"], text)) {
                tell(format!("/{}", escape(name)), message);
            }
        }
        known.extend(shown.into_keys());
        every_property(&page.schema, &mut known, 0);
        match compile(&page.schema) {
            Ok(validator) => {
                for error in validator.iter_errors(&data) {
                    let mut told = Vec::new();
                    explain(&error, &page.schema, &mut told);
                    told.into_iter().for_each(|(pointer, message)| tell(pointer, message));
                }
            }
            Err(message) => tell(String::new(), format!("the page `{}` cannot be checked: {message}", page.title)),
        }
    }
    for name in values.keys().filter(|name| !known.contains(*name)) {
        tell(format!("/{}", escape(name)), format!("the form has no field `{name}`"));
    }
    found
}

/// What is wrong with a repository, as `RepoUrlPicker` writes one.
fn repository_fault(options: &Value, text: &str) -> Option<String> {
    let Some((url, host)) = language::split(text) else {
        return Some("is not a repository, as in `github.com?owner=team&repo=name`".to_owned());
    };
    let has = |names: &[&str]| {
        url.query_pairs().any(|(name, value)| names.contains(&name.as_ref()) && !value.trim_matches('/').is_empty())
    };
    if !has(&["owner", "project", "workspace", "organization"]) {
        return Some("names no owner of the repository".to_owned());
    }
    if !has(&["repo", "project"]) {
        return Some("names no repository".to_owned());
    }
    let allowed: Vec<&str> =
        options["allowedHosts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    (!allowed.is_empty() && !allowed.contains(&host.as_str()))
        .then(|| format!("is on `{host}`; allowed is {}", allowed.join(", ")))
}

/// Names of fields anywhere in a schema, whatever shows them.
fn every_property(schema: &Value, known: &mut BTreeSet<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    known.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    for key in ["allOf", "oneOf", "anyOf"] {
        schema[key].as_array().into_iter().flatten().for_each(|part| every_property(part, known, depth + 1));
    }
    for key in ["then", "else"] {
        every_property(&schema[key], known, depth + 1);
    }
    for (_, part) in schema["dependencies"].as_object().into_iter().flatten() {
        every_property(part, known, depth + 1);
    }
}

/// What an error says; of several choices, what is wrong with the one that was meant: its
/// deciding fields fit, or most of them.
fn explain(error: &jsonschema::ValidationError<'_>, schema: &Value, told: &mut Vec<(String, String)>) {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) = error.kind() else {
        told.push(in_words(error, schema));
        return;
    };
    let decides = |error: &&jsonschema::ValidationError<'_>| {
        matches!(error.kind(), ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. })
    };
    let meant = context.iter().min_by_key(|errors| (errors.iter().filter(decides).count(), errors.len()));
    match meant.filter(|errors| !errors.iter().any(|error| decides(&error))) {
        Some(errors) => errors.iter().for_each(|error| explain(error, schema, told)),
        None => told.push(in_words(error, schema)),
    }
}

fn in_words(error: &jsonschema::ValidationError<'_>, schema: &Value) -> (String, String) {
    let pointer = error.instance_path().as_str().to_owned();
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            return (format!("{pointer}/{}", escape(name)), "is required".to_owned());
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let name = unexpected.first().map_or("", String::as_str);
            return (format!("{pointer}/{}", escape(name)), format!("the form has no field `{name}`"));
        }
        ValidationErrorKind::Type { .. } => {
            let wanted = match &schema_at(schema, error.schema_path().as_str()) {
                Value::String(kind) => kind.clone(),
                other => other.to_string(),
            };
            format!("must be of type {wanted}")
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(shown).collect();
            format!("must be one of {}", options.join(", "))
        }
        ValidationErrorKind::Constant { expected_value } => format!("must be {}", shown(expected_value)),
        ValidationErrorKind::Pattern { pattern } => format!("does not match `{pattern}`"),
        ValidationErrorKind::MinLength { limit: 1 } => "is required".to_owned(),
        ValidationErrorKind::MinLength { limit } => format!("needs {limit} characters or more"),
        ValidationErrorKind::MaxLength { limit } => format!("has room for {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("needs {limit} or more"),
        ValidationErrorKind::MaxItems { limit } => format!("has room for {limit}"),
        ValidationErrorKind::Minimum { limit } => format!("must be {limit} or more"),
        ValidationErrorKind::Maximum { limit } => format!("must be {limit} or less"),
        ValidationErrorKind::UniqueItems => "has something twice".to_owned(),
        ValidationErrorKind::Format { format } => format!("is not of the form `{format}`"),
        ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::AnyOf { .. } => {
            "fits none of the choices".to_owned()
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => "fits more than one of the choices".to_owned(),
        _ => error.to_string().chars().take(200).collect(),
    };
    (pointer, message)
}

fn schema_at(schema: &Value, pointer: &str) -> Value {
    schema.pointer(pointer).cloned().unwrap_or_default()
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| format!("`{text}`"))
}

/// The properties of an object that its data makes visible.
#[derive(Debug, Default)]
struct Effective {
    properties: IndexMap<String, Value>,
    required: BTreeSet<String>,
    order: Vec<String>,
}

fn followed<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let target = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#')).and_then(|at| root.pointer(at));
    target.unwrap_or(schema)
}

fn resolve(root: &Value, schema: &Value, data: &Value, depth: usize) -> Effective {
    let mut effective = Effective::default();
    merge(root, schema, data, depth, &mut effective);
    let Effective { properties, order, .. } = &mut effective;
    if !order.is_empty() {
        let rest = order.iter().position(|name| name == "*").unwrap_or(order.len());
        let rank = |name: &String| order.iter().position(|own| own == name).unwrap_or(rest);
        properties.sort_by(|left, _, right, _| rank(left).cmp(&rank(right)));
    }
    effective
}

fn merge(root: &Value, schema: &Value, data: &Value, depth: usize, into: &mut Effective) {
    if depth > DEEPEST {
        return;
    }
    let schema = followed(root, schema);
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        match into.properties.get_mut(name) {
            // A condition may say more about a field that is there: what it adds is added.
            Some(Value::Object(known)) => {
                for (key, value) in property.as_object().into_iter().flatten() {
                    if key != "const" && !(key == "enum" && known.contains_key("enum")) {
                        known.insert(key.clone(), value.clone());
                    }
                }
            }
            _ => {
                into.properties.insert(name.clone(), property.clone());
            }
        }
    }
    into.required.extend(texts(&schema["required"]));
    if into.order.is_empty() {
        into.order = texts(&schema["ui:order"]);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        merge(root, part, data, depth + 1, into);
    }
    if let Some(condition) = schema.get("if") {
        let branch = if holds(root, condition, data) { "then" } else { "else" };
        merge(root, &schema[branch], data, depth + 1, into);
    }
    for key in ["dependencies", "dependentRequired", "dependentSchemas"] {
        for (name, dependent) in schema[key].as_object().into_iter().flatten() {
            if data.get(name).is_none_or(Value::is_null) {
                continue;
            }
            into.required.extend(texts(dependent));
            if let Some(chosen) = chosen(root, &dependent["oneOf"], data) {
                merge(root, &without(chosen, name), data, depth + 1, into);
            }
            let mut rest = dependent.clone();
            if let Value::Object(rest) = &mut rest {
                rest.remove("oneOf");
            }
            merge(root, &rest, data, depth + 1, into);
        }
    }
    for key in ["oneOf", "anyOf"] {
        let options = &schema[key];
        let first = options.as_array().and_then(|options| options.first());
        if let Some(option) = chosen(root, options, data).or(first) {
            merge(root, option, data, depth + 1, into);
        }
    }
}

/// The first option whose discriminating fields (`const`, `enum`) fit the data.
fn chosen<'s>(root: &Value, options: &'s Value, data: &Value) -> Option<&'s Value> {
    options.as_array()?.iter().find(|option| {
        let mut count = 0;
        let fits = option["properties"].as_object().into_iter().flatten().all(|(name, one)| {
            // A choice that has not been made yet decides nothing.
            let decides = one.get("const").is_some() || (one.get("enum").is_some() && data.get(name).is_some());
            count += usize::from(decides);
            !decides || data.get(name).is_some_and(|value| holds(root, one, value))
        });
        fits && count > 0
    })
}

fn without(schema: &Value, name: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.shift_remove(name);
    }
    schema
}

fn holds(root: &Value, schema: &Value, data: &Value) -> bool {
    let schema = followed(root, schema);
    if let Some(wanted) = schema.get("const") {
        return wanted == data;
    }
    compile(schema).is_ok_and(|validator| validator.is_valid(data))
}

fn is_group(schema: &Value) -> bool {
    schema.get("ui:field").is_none()
        && (schema["type"] == "object" || schema.get("type").is_none() && schema.get("properties").is_some())
}

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

fn fields(
    root: &Value,
    schema: &Effective,
    data: &Value,
    pointer: &str,
    faults: &[FieldError],
    depth: usize,
) -> Vec<FormField> {
    let shown = schema.properties.iter().map(|(name, property)| {
        let pointer = format!("{pointer}/{}", escape(name));
        let is_required = schema.required.contains(name);
        field(root, followed(root, property), name, pointer, data.get(name), is_required, faults, depth)
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
        value: value.cloned(),
        choices: choices(schema),
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
