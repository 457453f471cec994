//! JSON schemas as OpenAPI, Swagger and AsyncAPI write them, for people to read.

mod example;
mod facts;
mod shape;
mod types;
mod walk;

use std::collections::HashMap;

use super::rows::Purse;
use super::tree::Tree;
use super::wire::{DefinitionPart, OperationDetail, OperationLink};

pub(super) use example::{given, is_json, parameter_example, scalar, written};
pub(super) use shape::Shape;
pub(super) use walk::Walk;

/// What the schemas of one operation are read with.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) tree: &'a Tree,
    /// Ids of the operations that show a named schema, by its pointer.
    pub(super) links: &'a HashMap<String, String>,
    pub(super) purse: Purse,
}

/// Which way the data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// To the API: without what is read only.
    In,
    /// From the API: without what is write only.
    Out,
    /// Neither, as in the list of schemas.
    Still,
}

impl Flow {
    /// Whether a property takes part.
    pub(super) fn has(self, shape: &Shape<'_>) -> bool {
        match self {
            Self::In => !shape.is_set("readOnly"),
            Self::Out => !shape.is_set("writeOnly"),
            Self::Still => true,
        }
    }
}

/// A named schema as an operation of the list.
pub(super) fn detail(scope: &Scope<'_>, link: &OperationLink, pointer: &str) -> Option<OperationDetail> {
    let schema = scope.tree.at(pointer)?;
    let shape = scope.shape(schema);
    let example = scope.made(schema, Flow::Still).and_then(|value| written("application/json", &value));
    let title = if shape.has_properties() { "Properties" } else { "Type" };
    let part = DefinitionPart {
        title: title.to_owned(),
        label: None,
        description: None,
        rows: scope.rows(&link.name, schema, Flow::Still),
        example,
    };
    let description = shape.text("description").map(str::to_owned);
    Some(OperationDetail { link: link.clone(), description, parts: vec![part], call: None })
}
