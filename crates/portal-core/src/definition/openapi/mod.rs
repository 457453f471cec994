//! OpenAPI 3 and Swagger 2: the list of operations. Each is expanded when it
//! is asked for, in `operation`.

mod body;
mod call;
mod operation;
mod parameters;
mod responses;
mod security;
mod servers;

use std::collections::HashMap;

use serde_json::Value;

use super::expect::{self, Expectations, Expected, METHODS};
use super::listing::{Draft, Listing};
use super::rows::Purse;
use super::schema::Scope;
use super::tree::{Lead, Tree, fields, is_set, items, text};
use super::wire::{Definition, DefinitionFault, OperationDetail, OperationLink};
use crate::document::escape;

pub(super) use security::schemes;

/// What is not of this shape is told.
const EXPECTATIONS: &Expectations = &[
    ("info", Expected::Object),
    ("tags", Expected::List),
    ("servers", Expected::List),
    ("paths", Expected::Object),
    ("paths/*", Expected::Object),
    ("paths/*/parameters", Expected::List),
    ("paths/*/@", Expected::Object),
    ("paths/*/@/tags", Expected::List),
    ("paths/*/@/parameters", Expected::List),
    ("paths/*/@/parameters/*", Expected::Object),
    ("paths/*/@/requestBody", Expected::Object),
    ("paths/*/@/requestBody/content", Expected::Object),
    ("paths/*/@/responses", Expected::Object),
    ("paths/*/@/responses/*", Expected::Object),
    ("webhooks", Expected::Object),
    ("webhooks/*/@", Expected::Object),
    ("components", Expected::Object),
    ("components/schemas", Expected::Object),
    ("components/schemas/*", Expected::Schema),
    ("definitions", Expected::Object),
    ("definitions/*", Expected::Schema),
];

/// A definition, from which operations are expanded.
#[derive(Debug)]
pub(super) struct Source {
    tree: Tree,
    targets: HashMap<String, Target>,
    /// Ids of the schemas, by pointer.
    links: HashMap<String, String>,
}

/// What an id stands for.
#[derive(Debug)]
pub(super) enum Target {
    Operation {
        /// Pointer of its path item.
        item: String,
        path: String,
        /// In lower case.
        method: &'static str,
        is_webhook: bool,
    },
    /// Pointer of a schema.
    Schema(String),
    /// A path item in another file.
    Elsewhere(String),
}

pub(super) fn read(tree: Tree, source_text: &str) -> (Definition, Source) {
    let root = tree.root();
    let key = if root.get("swagger").is_some() { "swagger" } else { "openapi" };
    let name = if key == "swagger" { "Swagger" } else { "OpenAPI" };
    let version = tree.written(source_text, &format!("/{key}"));
    let mut faults = expect::faults(&tree, EXPECTATIONS);
    if version.is_none() {
        let message = "neither `openapi` nor `swagger` says which version this is".to_owned();
        faults.insert(0, DefinitionFault { line: 1, message });
    }
    let mut listing = Listing::new();
    list_paths(&tree, &mut listing);
    list_webhooks(&tree, &mut listing);
    let links = list_schemas(&tree, &mut listing);
    let (sections, targets) = listing.finish();
    let info = root.get("info").unwrap_or(&Value::Null);
    let description = text(info, "description").or_else(|| text(info, "summary"));
    let definition = Definition {
        title: text(info, "title").map(str::to_owned),
        version: tree.written(source_text, "/info/version"),
        description: description.map(str::to_owned),
        servers: servers::of_definition(root),
        security: security::schemes(&tree),
        sections,
        faults,
        ..Definition::of([Some(name), version.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "))
    };
    (definition, Source { tree, targets, links })
}

/// Operations stand once, under the first of their tags; tags in the order in
/// which they are declared, then as they are met, then what has none.
fn list_paths(tree: &Tree, listing: &mut Listing<Target>) {
    let mut sections = HashMap::new();
    for tag in items(tree.root(), "tags") {
        if let Some(name) = text(tag, "name") {
            let title = text(tag, "x-displayName").unwrap_or(name);
            sections.entry(name).or_insert_with(|| listing.section(title, text(tag, "description")));
        }
    }
    let mut others = Vec::new();
    for (path, item) in fields(tree.root(), "paths").filter(|(path, _)| !path.starts_with("x-")) {
        let pointer = format!("/paths/{}", escape(path));
        let item = match tree.follow(item) {
            Lead::To(item) => item,
            Lead::Outside(reference) => {
                others.push((path, None, Target::Elsewhere(reference.to_owned())));
                continue;
            }
            Lead::Nowhere => continue,
        };
        for (method, operation) in methods(item) {
            let target = Target::Operation { item: pointer.clone(), path: path.clone(), method, is_webhook: false };
            let tag = items(operation, "tags")
                .iter()
                .find_map(|tag| Some(tag.as_str()?.trim()).filter(|tag| !tag.is_empty()));
            match tag {
                Some(tag) => {
                    let section = *sections.entry(tag).or_insert_with(|| listing.section(tag, None));
                    add_operation(listing, section, path, method, operation, target);
                }
                None => others.push((path, Some((method, operation)), target)),
            }
        }
    }
    let title = if sections.is_empty() { "Operations" } else { "Other" };
    let section = listing.section(title, None);
    for (path, operation, target) in others {
        match (operation, &target) {
            (Some((method, operation)), _) => add_operation(listing, section, path, method, operation, target),
            (None, Target::Elsewhere(reference)) => {
                let summary = format!("Defined in {reference}");
                let draft = Draft { verb: "PATH", title: path, summary: Some(&summary), deprecated: false };
                listing.add(section, path, draft, target);
            }
            (None, _) => {}
        }
    }
}

fn add_operation(
    listing: &mut Listing<Target>,
    section: usize,
    path: &str,
    method: &str,
    operation: &Value,
    target: Target,
) {
    let fallback = format!("{method}-{path}");
    let summary = text(operation, "summary").or_else(|| text(operation, "description"));
    let verb = method.to_ascii_uppercase();
    let draft = Draft { verb: &verb, title: path, summary, deprecated: is_set(operation, "deprecated") };
    listing.add(section, text(operation, "operationId").unwrap_or(&fallback), draft, target);
}

fn list_webhooks(tree: &Tree, listing: &mut Listing<Target>) {
    let section = listing.section("Webhooks", None);
    for key in ["webhooks", "x-webhooks"] {
        for (name, item) in fields(tree.root(), key) {
            let Some(item) = tree.here(item) else { continue };
            for (method, operation) in methods(item) {
                let pointer = format!("/{key}/{}", escape(name));
                let target = Target::Operation { item: pointer, path: name.clone(), method, is_webhook: true };
                add_operation(listing, section, name, method, operation, target);
            }
        }
    }
}

/// Lists the named schemas and gives their ids by pointer.
fn list_schemas(tree: &Tree, listing: &mut Listing<Target>) -> HashMap<String, String> {
    let section = listing.section("Schemas", None);
    let components = tree.root().get("components").unwrap_or(&Value::Null);
    let modern = fields(components, "schemas").map(|field| ("/components/schemas", field));
    let old = fields(tree.root(), "definitions").map(|field| ("/definitions", field));
    let mut links = HashMap::new();
    for (folder, (name, schema)) in modern.chain(old) {
        if !schema.is_object() && !schema.is_boolean() {
            continue;
        }
        let pointer = format!("{folder}/{}", escape(name));
        let summary = text(schema, "title").filter(|title| title != name).or_else(|| text(schema, "description"));
        let draft = Draft { verb: "SCHEMA", title: name, summary, deprecated: is_set(schema, "deprecated") };
        let id = listing.add(section, &format!("schema-{name}"), draft, Target::Schema(pointer.clone()));
        links.insert(pointer, id);
    }
    links
}

fn methods(item: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let map = item.as_object();
    let keys = map.into_iter().flat_map(serde_json::Map::iter);
    keys.filter_map(|(key, operation)| {
        let method = METHODS.iter().find(|method| key == *method)?;
        operation.is_object().then_some((*method, operation))
    })
}

impl Source {
    pub(super) fn operation(&self, link: &OperationLink) -> Option<OperationDetail> {
        let scope = Scope { tree: &self.tree, links: &self.links, purse: Purse::default() };
        match self.targets.get(&link.id)? {
            Target::Operation { item, path, method, is_webhook } => {
                operation::detail(&scope, link, item, path, method, *is_webhook)
            }
            Target::Schema(pointer) => super::schema::detail(&scope, link, pointer),
            Target::Elsewhere(reference) => Some(OperationDetail {
                link: link.clone(),
                description: Some(format!("This path is defined in `{reference}`, which is not part of the text.")),
                parts: Vec::new(),
                call: None,
            }),
        }
    }
}
