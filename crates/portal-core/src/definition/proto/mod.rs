//! Protocol Buffers: the methods of each service, the messages and the enums.
//!
//! The reader is our own: the one that makes descriptors gives nothing of a
//! file with a mistake in it, and here the rest is to stand.

mod cursor;
mod example;
mod lexer;
mod parser;
mod show;

use std::collections::HashMap;

use super::listing::{Draft, Listing};
use super::wire::{Definition, DefinitionFault, OperationDetail, OperationLink};

/// A file, from which operations are expanded.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    /// What each name of the file stands for.
    names: HashMap<String, Type>,
    targets: HashMap<String, Target>,
    /// Ids of the messages and enums, by name.
    links: HashMap<String, String>,
}

/// An index into the messages or the enums of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Message(usize),
    Enum(usize),
}

/// What an id stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// A service and its method.
    Method(usize, usize),
    Type(Type),
}

/// What a file declares.
#[derive(Debug, Default)]
pub(super) struct File {
    syntax: String,
    package: String,
    description: Option<String>,
    messages: Vec<Message>,
    enums: Vec<Enum>,
    services: Vec<Service>,
    faults: Vec<DefinitionFault>,
}

#[derive(Debug)]
pub(super) struct Message {
    /// With the messages around it, without the package: `Quote.Line`.
    name: String,
    description: Option<String>,
    deprecated: bool,
    fields: Vec<Field>,
}

#[derive(Debug, Default)]
pub(super) struct Field {
    name: String,
    description: Option<String>,
    /// `optional`, `required` or `repeated`.
    label: Option<String>,
    /// Of a map.
    key: Option<String>,
    type_name: String,
    number: String,
    oneof: Option<String>,
    deprecated: bool,
    default: Option<String>,
}

#[derive(Debug)]
pub(super) struct Enum {
    name: String,
    description: Option<String>,
    deprecated: bool,
    values: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct Value {
    name: String,
    number: String,
    description: Option<String>,
    deprecated: bool,
}

#[derive(Debug)]
pub(super) struct Service {
    name: String,
    description: Option<String>,
    methods: Vec<Method>,
}

#[derive(Debug)]
pub(super) struct Method {
    name: String,
    description: Option<String>,
    deprecated: bool,
    input: String,
    streams_in: bool,
    output: String,
    streams_out: bool,
    /// `GET /v1/quotes`, where a gateway answers to HTTP.
    http: Option<String>,
}

pub(super) fn read(text: &str) -> (Definition, Source) {
    let mut file = parser::parse(text);
    file.faults.sort_by_key(|fault| fault.line);
    let mut listing = Listing::new();
    for (place, service) in file.services.iter().enumerate() {
        let section = listing.section(&service.name, service.description.as_deref());
        for (index, method) in service.methods.iter().enumerate() {
            let (summary, deprecated) = (method.description.as_deref(), method.deprecated);
            let draft = Draft { verb: "RPC", title: &method.name, summary, deprecated };
            let id = format!("{}.{}", service.name, method.name);
            listing.add(section, &id, draft, Target::Method(place, index));
        }
    }
    let (mut names, mut links) = (HashMap::new(), HashMap::new());
    let messages = file.messages.iter().enumerate();
    let messages = messages.map(|(at, of)| (&of.name, &of.description, of.deprecated, Type::Message(at)));
    let enums =
        file.enums.iter().enumerate().map(|(at, of)| (&of.name, &of.description, of.deprecated, Type::Enum(at)));
    let sections =
        [("Messages", "MESSAGE"), ("Enums", "ENUM")].map(|(title, verb)| (listing.section(title, None), verb));
    for (name, description, deprecated, found) in messages.chain(enums) {
        let (section, verb) = sections[usize::from(matches!(found, Type::Enum(_)))];
        let draft = Draft { verb, title: name, summary: description.as_deref(), deprecated };
        let id = listing.add(section, &format!("type-{name}"), draft, Target::Type(found));
        names.entry(name.clone()).or_insert(found);
        links.entry(name.clone()).or_insert(id);
    }
    let (sections, targets) = listing.finish();
    // A file that does not say is of the second version.
    let specification =
        if file.syntax.is_empty() { "proto2".to_owned() } else { super::words::short(&file.syntax, 40) };
    let definition = Definition {
        title: Some(file.package.clone()).filter(|package| !package.is_empty()),
        description: file.description.clone(),
        sections,
        faults: file.faults.clone(),
        ..Definition::of(specification)
    };
    (definition, Source { file, names, targets, links })
}

impl Source {
    pub(super) fn operation(&self, link: &OperationLink) -> Option<OperationDetail> {
        match *self.targets.get(&link.id)? {
            Target::Method(service, method) => {
                show::method(self, link, self.file.services.get(service)?.methods.get(method)?)
            }
            Target::Type(Type::Message(at)) => show::message(self, link, self.file.messages.get(at)?),
            Target::Type(Type::Enum(at)) => show::enumeration(self, link, self.file.enums.get(at)?),
        }
    }

    /// The type that a name means inside a message: the nearest around it.
    fn resolve(&self, name: &str, inside: &str) -> Option<(&str, Type)> {
        let package = format!("{}.", self.file.package);
        let bare = name.strip_prefix('.').map(|name| name.strip_prefix(&package).unwrap_or(name));
        let find = |name: &str| self.names.get_key_value(name).map(|(name, found)| (name.as_str(), *found));
        if let Some(name) = bare {
            return find(name);
        }
        let mut around = inside;
        while !around.is_empty() {
            if let Some(found) = find(&format!("{around}.{name}")) {
                return Some(found);
            }
            around = around.rsplit_once('.').map_or("", |(around, _)| around);
        }
        find(name).or_else(|| find(name.strip_prefix(&package)?))
    }
}
