//! AsyncAPI 2 and 3: the list of operations. Each is expanded when it is asked
//! for, in `detail`.
//!
//! Version 2 names operations from the reader's side: what the definition says
//! you publish, the application receives. Version 3 names them from the side of
//! the application. Both keep their words, and each section says whose they are.

mod detail;
mod servers;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::expect::{self, Expectations, Expected};
use super::listing::{Draft, Listing};
use super::openapi::schemes;
use super::rows::Purse;
use super::schema::{self, Scope};
use super::tree::{Tree, fields, is_set, last_name, local, reference, text};
use super::wire::{Definition, DefinitionFault, OperationDetail, OperationLink};
use crate::document::escape;

/// What is not of this shape is told.
const EXPECTATIONS: &Expectations = &[
    ("info", Expected::Object),
    ("servers", Expected::Object),
    ("servers/*", Expected::Object),
    ("channels", Expected::Object),
    ("channels/*", Expected::Object),
    ("channels/*/publish", Expected::Object),
    ("channels/*/subscribe", Expected::Object),
    ("channels/*/messages", Expected::Object),
    ("channels/*/parameters", Expected::Object),
    ("operations", Expected::Object),
    ("operations/*", Expected::Object),
    ("components", Expected::Object),
    ("components/messages", Expected::Object),
    ("components/messages/*", Expected::Object),
    ("components/schemas", Expected::Object),
    ("components/schemas/*", Expected::Schema),
];

/// A definition, from which operations are expanded.
#[derive(Debug)]
pub(super) struct Source {
    tree: Tree,
    targets: HashMap<String, Target>,
    /// Ids of the schemas, by pointer.
    links: HashMap<String, String>,
}

/// What an id stands for, as JSON pointers.
#[derive(Debug)]
pub(super) enum Target {
    /// `publish` or `subscribe` of version 2, or an operation of version 3.
    Operation {
        channel: Option<String>,
        operation: String,
    },
    /// A channel without operations.
    Channel(String),
    Schema(String),
}

pub(super) fn read(tree: Tree, source_text: &str) -> (Definition, Source) {
    let version = tree.written(source_text, "/asyncapi");
    let mut faults = expect::faults(&tree, EXPECTATIONS);
    if version.is_none() {
        let message = "`asyncapi` does not say which version this is".to_owned();
        faults.insert(0, DefinitionFault { line: 1, message });
    }
    let mut listing = Listing::new();
    if tree.root().get("operations").is_some() || version.as_deref().is_some_and(|version| version.starts_with('3')) {
        list_operations(&tree, &mut listing);
    } else {
        list_channels(&tree, &mut listing);
    }
    let links = list_schemas(&tree, &mut listing);
    let (sections, targets) = listing.finish();
    let info = tree.root().get("info").unwrap_or(&Value::Null);
    let definition = Definition {
        title: text(info, "title").map(str::to_owned),
        version: tree.written(source_text, "/info/version"),
        description: text(info, "description").map(str::to_owned),
        servers: servers::of(&tree),
        security: schemes(&tree),
        sections,
        faults,
        ..Definition::of(format!("AsyncAPI {}", version.unwrap_or_default()).trim())
    };
    (definition, Source { tree, targets, links })
}

/// Version 3: operations are on their own and name their channel.
fn list_operations(tree: &Tree, listing: &mut Listing<Target>) {
    let sends = listing.section("Sends", Some("Messages that the application sends."));
    let receives = listing.section("Receives", Some("Messages that the application receives: you send them."));
    let mut used = HashSet::new();
    for (name, operation) in fields(tree.root(), "operations") {
        let pointer = format!("/operations/{}", escape(name));
        let Some(operation) = tree.here(operation) else { continue };
        let channel = operation.get("channel").and_then(reference).and_then(local).map(Cow::into_owned);
        let value = channel.as_deref().and_then(|pointer| tree.here(tree.at(pointer)?));
        let key = channel.as_deref().map(last_name).unwrap_or_default();
        let (section, verb) = match text(operation, "action") {
            Some("receive") => (receives, "RECEIVE"),
            _ => (sends, "SEND"),
        };
        let summary = text(operation, "title").or_else(|| text(operation, "summary"));
        let summary = summary.or_else(|| text(operation, "description"));
        let title = value.map_or(name.as_str(), |channel| address(channel, &key));
        let draft = Draft { verb, title, summary, deprecated: is_set(operation, "deprecated") };
        used.extend(channel.clone());
        listing.add(section, name, draft, Target::Operation { channel, operation: pointer });
    }
    let section = listing.section("Channels", Some("Channels that no operation names."));
    for (name, channel) in fields(tree.root(), "channels") {
        let pointer = format!("/channels/{}", escape(name));
        let Some(channel) = tree.here(channel).filter(|_| !used.contains(&pointer)) else { continue };
        add_channel(listing, section, address(channel, name), channel, pointer);
    }
}

/// The address of a channel; an address that is only known later is null.
fn address<'a>(channel: &'a Value, name: &'a str) -> &'a str {
    text(channel, "address").unwrap_or(name)
}

fn add_channel(listing: &mut Listing<Target>, section: usize, title: &str, channel: &Value, pointer: String) {
    let summary = text(channel, "title").or_else(|| text(channel, "summary")).or_else(|| text(channel, "description"));
    let draft = Draft { verb: "CHANNEL", title, summary, deprecated: false };
    listing.add(section, &format!("channel-{title}"), draft, Target::Channel(pointer));
}

/// Version 2: a channel has up to two operations.
fn list_channels(tree: &Tree, listing: &mut Listing<Target>) {
    let publish = listing.section("Publish", Some("Messages that you publish: the application receives them."));
    let subscribe = listing.section("Subscribe", Some("Messages that you subscribe to: the application sends them."));
    let bare = listing.section("Channels", Some("Channels without operations."));
    for (name, channel) in fields(tree.root(), "channels") {
        let pointer = format!("/channels/{}", escape(name));
        let Some(channel) = tree.here(channel) else { continue };
        let mut is_used = false;
        for (key, section, verb) in [("publish", publish, "PUBLISH"), ("subscribe", subscribe, "SUBSCRIBE")] {
            let Some(operation) = channel.get(key).filter(|operation| operation.is_object()) else { continue };
            is_used = true;
            let summary = text(operation, "summary").or_else(|| text(operation, "description"));
            let summary = summary.or_else(|| text(channel, "description"));
            let draft = Draft { verb, title: name, summary, deprecated: is_set(operation, "deprecated") };
            let id = text(operation, "operationId").map_or_else(|| format!("{key}-{name}"), str::to_owned);
            let target = Target::Operation { channel: Some(pointer.clone()), operation: key.to_owned() };
            listing.add(section, &id, draft, target);
        }
        if !is_used {
            add_channel(listing, bare, name, channel, pointer);
        }
    }
}

/// Lists the named schemas and gives their ids by pointer.
fn list_schemas(tree: &Tree, listing: &mut Listing<Target>) -> HashMap<String, String> {
    let section = listing.section("Schemas", None);
    let mut links = HashMap::new();
    let components = tree.root().get("components").unwrap_or(&Value::Null);
    for (name, schema) in fields(components, "schemas").filter(|(_, schema)| schema.is_object()) {
        let pointer = format!("/components/schemas/{}", escape(name));
        let summary = text(schema, "title").filter(|title| title != name).or_else(|| text(schema, "description"));
        let draft = Draft { verb: "SCHEMA", title: name, summary, deprecated: is_set(schema, "deprecated") };
        let id = listing.add(section, &format!("schema-{name}"), draft, Target::Schema(pointer.clone()));
        links.insert(pointer, id);
    }
    links
}

impl Source {
    pub(super) fn operation(&self, link: &OperationLink) -> Option<OperationDetail> {
        let scope = Scope { tree: &self.tree, links: &self.links, purse: Purse::default() };
        match self.targets.get(&link.id)? {
            Target::Operation { channel, operation } => detail::operation(&scope, link, channel.as_deref(), operation),
            Target::Channel(pointer) => detail::channel(&scope, link, pointer),
            Target::Schema(pointer) => schema::detail(&scope, link, pointer),
        }
    }
}
