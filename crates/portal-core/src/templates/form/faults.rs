//! What is wrong with the answers, in words.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::resolve::{Effective, followed, is_group, resolve};
use super::schema::compile;
use super::variants::{self, Variants};
use super::{DEEPEST, MOST_ITEMS};
use crate::document::escape;
use crate::problem::FieldError;
use crate::templates::definition::Page;
use crate::templates::language;

/// Faults that are told.
const MOST_FAULTS: usize = 200;

/// What is wrong with the values, by JSON pointer; fields that no page has among it.
pub fn faults(pages: &[Page], values: &Map<String, Value>) -> Vec<FieldError> {
    judge(pages, &Value::Object(values.clone()))
}

/// The same of what was filled in, with choices between variants.
pub(super) fn judge(pages: &[Page], filled: &Value) -> Vec<FieldError> {
    let data = variants::without(filled.clone());
    let (mut found, mut told): (Vec<FieldError>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
    let mut tell = |pointer: String, message: String| {
        if found.len() < MOST_FAULTS && told.insert(pointer.clone()) {
            found.push(FieldError { pointer, message });
        }
    };
    let mut known = BTreeSet::new();
    for page in pages {
        let shown = resolve(&page.schema, &page.schema, filled, 0);
        pickers(&page.schema, &shown, &data, "", 0, &mut tell);
        known.extend(shown.properties.into_keys());
        every_property(&page.schema, &page.schema, &mut known, 0);
        match compile(&page.schema) {
            Ok(validator) => {
                for error in validator.iter_errors(&data) {
                    let mut told = Vec::new();
                    explain(&error, &page.schema, filled, &mut told);
                    told.into_iter().for_each(|(pointer, message)| tell(pointer, message));
                }
            }
            Err(message) => tell(String::new(), format!("the page `{}` cannot be checked: {message}", page.title)),
        }
    }
    for (name, _) in data.as_object().into_iter().flatten().filter(|(name, _)| !known.contains(*name)) {
        tell(format!("/{}", escape(name)), format!("the form has no field `{name}`"));
    }
    found
}

/// What pickers of owners and repositories do not allow.
fn pickers(
    root: &Value,
    schema: &Effective,
    data: &Value,
    at: &str,
    depth: usize,
    tell: &mut impl FnMut(String, String),
) {
    for (name, property) in &schema.properties {
        let (property, value) = (followed(root, property), &data[name.as_str()]);
        picker(root, property, value, &format!("{at}/{}", escape(name)), depth, tell);
    }
}

fn picker(
    root: &Value,
    property: &Value,
    value: &Value,
    at: &str,
    depth: usize,
    tell: &mut impl FnMut(String, String),
) {
    let options = &property["ui:options"];
    let given = value.as_str().filter(|text| !text.is_empty());
    let fault = match property["ui:field"].as_str() {
        Some("RepoUrlPicker") => given.and_then(|text| repository_fault(options, text)),
        Some("RepoOwnerPicker") => given.and_then(|text| owner_fault(options, text)),
        _ => None,
    };
    if let Some(message) = fault {
        tell(at.to_owned(), message);
    }
    if depth >= DEEPEST {
        return;
    }
    if is_group(property) && value.is_object() {
        pickers(root, &resolve(root, property, value, depth + 1), value, at, depth + 1, tell);
    }
    let item = followed(root, &property["items"]);
    for (index, value) in value.as_array().into_iter().flatten().take(MOST_ITEMS).enumerate() {
        picker(root, item, value, &format!("{at}/{index}"), depth + 1, tell);
    }
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
    // What an option allows of a part; it says nothing of parts that this host does not have.
    let fault = |option: &str, value: Option<String>, what: &str| {
        let (allowed, value) = (texts(&options[option]), value?);
        let is_foreign = !allowed.is_empty() && !allowed.contains(&value.as_str());
        is_foreign.then(|| format!("{what} `{value}`; allowed is {}", allowed.join(", ")))
    };
    let part = |name: &str| url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    fault("allowedHosts", Some(host), "is on")
        .or_else(|| fault("allowedOwners", part("owner"), "is owned by"))
        .or_else(|| fault("allowedOrganizations", part("organization"), "is of the organization"))
        .or_else(|| fault("allowedProjects", part("project"), "is in the project"))
        .or_else(|| fault("allowedRepos", part("repo"), "is named"))
}

/// What is wrong with an owner of repositories, as `RepoOwnerPicker` writes one.
fn owner_fault(options: &Value, owner: &str) -> Option<String> {
    let (allowed, excluded) = (texts(&options["allowedOwners"]), texts(&options["excludedOwners"]));
    if excluded.contains(&owner) {
        return Some("is excluded by the template".to_owned());
    }
    let there: Vec<&str> = allowed.iter().copied().filter(|one| !excluded.contains(one)).collect();
    (!allowed.is_empty() && !allowed.contains(&owner)).then(|| format!("must be one of {}", there.join(", ")))
}

/// The texts of a list, or the one text.
fn texts(list: &Value) -> Vec<&str> {
    if let Some(text) = list.as_str() {
        return vec![text];
    }
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Names of all fields that a form may show, whatever the answers.
pub fn names(pages: &[Page]) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    pages.iter().for_each(|page| every_property(&page.schema, &page.schema, &mut known, 0));
    known
}

/// Names of fields anywhere in a schema, whatever shows them.
fn every_property(root: &Value, schema: &Value, known: &mut BTreeSet<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let schema = followed(root, schema);
    known.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    for key in ["allOf", "oneOf", "anyOf"] {
        schema[key].as_array().into_iter().flatten().for_each(|part| every_property(root, part, known, depth + 1));
    }
    for key in ["then", "else"] {
        every_property(root, &schema[key], known, depth + 1);
    }
    for key in ["dependencies", "dependentSchemas"] {
        for (_, part) in schema[key].as_object().into_iter().flatten() {
            every_property(root, part, known, depth + 1);
        }
    }
}

/// What an error says; of several choices, what is wrong with the one that was meant: somebody
/// picked it, or its deciding fields fit, or most of them.
fn explain(error: &jsonschema::ValidationError<'_>, schema: &Value, filled: &Value, told: &mut Vec<(String, String)>) {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) = error.kind() else {
        told.push(in_words(error, schema));
        return;
    };
    let decides = |error: &&jsonschema::ValidationError<'_>| {
        matches!(error.kind(), ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. })
    };
    if let Some(errors) = picked(error, schema, filled).and_then(|index| context.get(index)) {
        errors.iter().for_each(|error| explain(error, schema, filled, told));
        return;
    }
    let meant = context.iter().min_by_key(|errors| (errors.iter().filter(decides).count(), errors.len()));
    match meant.filter(|errors| !errors.iter().any(|error| decides(&error))) {
        Some(errors) => errors.iter().for_each(|error| explain(error, schema, filled, told)),
        None => told.push(in_words(error, schema)),
    }
}

/// The variant that is meant where an error is about variants.
fn picked(error: &jsonschema::ValidationError<'_>, schema: &Value, filled: &Value) -> Option<usize> {
    let path = error.schema_path().as_str();
    let variants = Variants::of(schema, schema.pointer(path)?)?;
    Some(variants.picked(path.rsplit('/').next()?, filled.pointer(error.instance_path().as_str())?))
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
