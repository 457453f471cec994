//! GraphQL schemas: fields of the root types are the operations, and each type
//! is listed too.

mod query;
mod reader;
mod show;

use std::collections::HashMap;

use super::listing::{Draft, Listing};
use super::wire::{Definition, OperationDetail, OperationLink};

/// A schema, from which operations are expanded.
#[derive(Debug)]
pub(super) struct Source {
    types: HashMap<String, Type>,
    targets: HashMap<String, Target>,
    /// Ids of the types, by name.
    links: HashMap<String, String>,
}

/// What an id stands for.
#[derive(Debug)]
pub(super) enum Target {
    /// A field of a root type: the type, and the index of the field.
    Field(String, usize),
    Type(String),
}

/// What a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Object,
    Input,
    Interface,
    Union,
    Enum,
    Scalar,
}

/// A type with all its extensions.
#[derive(Debug)]
pub(super) struct Type {
    kind: Kind,
    description: Option<String>,
    /// Of an object, an interface or an input.
    fields: Vec<Field>,
    /// Values of an enumeration.
    values: Vec<Field>,
    /// Interfaces of a type, or members of a union.
    others: Vec<String>,
    facts: Vec<String>,
}

/// A field, an argument or a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Field {
    name: String,
    description: Option<String>,
    /// As written, e.g. `[Shipment!]!`.
    type_name: String,
    /// The type without lists and marks.
    named: String,
    arguments: Vec<Field>,
    default: Option<String>,
    /// With the reason, if one is given.
    deprecated: Option<String>,
}

impl Field {
    /// Whether a caller must give it.
    fn is_required(&self) -> bool {
        self.type_name.ends_with('!') && self.default.is_none()
    }
}

pub(super) fn read(text: &str) -> (Definition, Source) {
    let reader::Schema { description, roots, types, order, faults } = reader::read(text);
    let mut listing = Listing::new();
    for (verb, title) in [("query", "Queries"), ("mutation", "Mutations"), ("subscription", "Subscriptions")] {
        let section = listing.section(title, None);
        let Some((name, root)) = roots.get(verb).and_then(|name| types.get_key_value(name)) else { continue };
        for (index, field) in root.fields.iter().enumerate() {
            let draft = Draft {
                verb: &verb.to_ascii_uppercase(),
                title: &field.name,
                summary: field.description.as_deref(),
                deprecated: field.deprecated.is_some(),
            };
            listing.add(section, &format!("{verb}-{}", field.name), draft, Target::Field(name.clone(), index));
        }
    }
    let mut links = HashMap::new();
    for (kind, title, verb) in [
        (Kind::Object, "Types", "TYPE"),
        (Kind::Input, "Inputs", "INPUT"),
        (Kind::Interface, "Interfaces", "INTERFACE"),
        (Kind::Union, "Unions", "UNION"),
        (Kind::Enum, "Enums", "ENUM"),
        (Kind::Scalar, "Scalars", "SCALAR"),
    ] {
        let section = listing.section(title, None);
        for name in order.iter().filter(|name| !roots.values().any(|root| root == *name)) {
            let Some(found) = types.get(name).filter(|found| found.kind == kind) else { continue };
            let summary = found.description.as_deref();
            let draft = Draft { verb, title: name, summary, deprecated: false };
            let id = listing.add(section, &format!("type-{name}"), draft, Target::Type(name.clone()));
            links.insert(name.clone(), id);
        }
    }
    let (sections, targets) = listing.finish();
    let definition = Definition { description, sections, faults, ..Definition::of("GraphQL") };
    (definition, Source { types, targets, links })
}

impl Source {
    pub(super) fn operation(&self, link: &OperationLink) -> Option<OperationDetail> {
        match self.targets.get(&link.id)? {
            Target::Field(root, index) => show::field(self, link, self.types.get(root)?.fields.get(*index)?),
            Target::Type(name) => show::of_type(self, link, name),
        }
    }
}
