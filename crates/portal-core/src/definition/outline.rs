//! A definition that has been read, and the way from a text to it.

use super::language::Language;
use super::tree::Tree;
use super::wire::{Definition, DefinitionFault, OperationDetail, OperationLink};
use super::{asyncapi, graphql, openapi, proto, words};

/// A definition with the list of its operations.
#[derive(Debug)]
pub struct Outline {
    definition: Definition,
    source: Source,
}

/// What operations are expanded from.
#[derive(Debug)]
enum Source {
    OpenApi(openapi::Source),
    AsyncApi(asyncapi::Source),
    GraphQl(graphql::Source),
    Proto(proto::Source),
    /// The text could not be read.
    Broken,
}

/// Reads a definition. `kind` is the type that its entity claims (`spec.type`);
/// a text that names its specification knows better.
///
/// `None` when it is of a kind that is not read, e.g. `wsdl`. A text that is
/// broken is an outline with faults.
pub fn read(kind: &str, text: &str) -> Option<Outline> {
    let language = Language::of(kind, text)?;
    let (definition, source) = match language {
        Language::GraphQl => {
            let (definition, source) = graphql::read(text);
            (definition, Source::GraphQl(source))
        }
        Language::Proto => {
            let (definition, source) = proto::read(text);
            (definition, Source::Proto(source))
        }
        Language::OpenApi | Language::AsyncApi => match Tree::read(text) {
            Err(faults) => (broken(language, faults), Source::Broken),
            Ok(tree) if language == Language::AsyncApi => {
                let (definition, source) = asyncapi::read(tree, text);
                (definition, Source::AsyncApi(source))
            }
            Ok(tree) => {
                let (definition, source) = openapi::read(tree, text);
                (definition, Source::OpenApi(source))
            }
        },
    };
    Some(Outline { definition, source })
}

fn broken(language: Language, faults: Vec<DefinitionFault>) -> Definition {
    Definition { faults, ..Definition::of(language.name()) }
}

impl Outline {
    /// The definition at its overview. Descriptions are Markdown.
    pub fn definition(&self) -> Definition {
        self.definition.clone()
    }

    /// One operation, message or type in full; `None` when there is none of
    /// this id. Descriptions are Markdown.
    pub fn operation(&self, id: &str) -> Option<OperationDetail> {
        let link = self.links().find(|link| link.id == id)?;
        let mut detail = match &self.source {
            Source::OpenApi(source) => source.operation(link),
            Source::AsyncApi(source) => source.operation(link),
            Source::GraphQl(source) => source.operation(link),
            Source::Proto(source) => source.operation(link),
            Source::Broken => None,
        }?;
        // What the summary says already is not said twice.
        let is_more = |said: &String| words::summary(said) != link.summary || said.trim().contains("\n\n");
        detail.description = detail.description.filter(is_more);
        Some(detail)
    }

    /// The operations of all sections, in order.
    pub fn links(&self) -> impl Iterator<Item = &OperationLink> {
        self.definition.sections.iter().flat_map(|section| &section.operations)
    }
}
