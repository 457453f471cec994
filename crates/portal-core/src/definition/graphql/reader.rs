//! From the syntax tree of a schema to its types.

use std::collections::HashMap;

use apollo_parser::cst::{CstNode, StringValue};
use apollo_parser::{Parser, SyntaxKind, SyntaxNode};

use super::{Field, Kind, Type};
use crate::definition::wire::DefinitionFault;
use crate::definition::words::short;

/// Lists in lists, and values in values.
const DEPTH: usize = 64;
/// Words and marks of a schema.
const TOKENS: usize = 1_000_000;
/// Faults that are told.
const FAULTS: usize = 50;

/// A schema as it was read.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) description: Option<String>,
    /// Names of the root types, by operation.
    pub(super) roots: HashMap<&'static str, String>,
    pub(super) types: HashMap<String, Type>,
    /// Names of the types as they appear.
    pub(super) order: Vec<String>,
    pub(super) faults: Vec<DefinitionFault>,
}

pub(super) fn read(text: &str) -> Schema {
    let tree = Parser::new(text).recursion_limit(DEPTH).token_limit(TOKENS).parse();
    let mut faults: Vec<DefinitionFault> = Vec::new();
    let (mut line, mut from) = (1, 0);
    for error in tree.errors() {
        // Errors come nearly in order, so that lines are counted once.
        let at = error.index().min(text.len());
        let bytes = text.as_bytes();
        if at >= from {
            line += count_lines(&bytes[from..at]);
        } else {
            line = 1 + count_lines(&bytes[..at]);
        }
        from = at;
        // One mistake is often several errors in a line.
        if faults.last().is_none_or(|fault| fault.line != line) && faults.len() < FAULTS {
            faults.push(DefinitionFault { line, message: explained(error.message(), error.data()) });
        }
    }
    if text.trim().is_empty() {
        faults = vec![DefinitionFault { line: 0, message: "the definition is empty".to_owned() }];
    }
    let roots = HashMap::new();
    let mut schema = Schema { description: None, roots, types: HashMap::new(), order: Vec::new(), faults };
    for definition in tree.document().syntax().children() {
        schema.add(&definition);
    }
    schema.name_roots();
    schema
}

/// What the parser said, with the marks themselves in place of their names.
fn explained(said: &str, data: &str) -> String {
    let marks = [
        ("R_CURLY", "`}`"),
        ("L_CURLY", "`{`"),
        ("R_PAREN", "`)`"),
        ("L_PAREN", "`(`"),
        ("R_BRACK", "`]`"),
        ("COLON", "`:`"),
        (", got EOF", " before the end"),
        ("Unexpected <EOF>.", "unexpected end"),
    ];
    let message = marks.iter().fold(said.to_owned(), |message, (name, mark)| message.replace(name, mark));
    match data.trim().lines().next().filter(|data| !data.is_empty() && *data != "EOF") {
        Some(data) => format!("{message} near `{}`", short(data, 40)),
        None => message,
    }
}

fn count_lines(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX)
}

impl Schema {
    fn add(&mut self, definition: &SyntaxNode) {
        let kind = match definition.kind() {
            SyntaxKind::OBJECT_TYPE_DEFINITION | SyntaxKind::OBJECT_TYPE_EXTENSION => Kind::Object,
            SyntaxKind::INPUT_OBJECT_TYPE_DEFINITION | SyntaxKind::INPUT_OBJECT_TYPE_EXTENSION => Kind::Input,
            SyntaxKind::INTERFACE_TYPE_DEFINITION | SyntaxKind::INTERFACE_TYPE_EXTENSION => Kind::Interface,
            SyntaxKind::UNION_TYPE_DEFINITION | SyntaxKind::UNION_TYPE_EXTENSION => Kind::Union,
            SyntaxKind::ENUM_TYPE_DEFINITION | SyntaxKind::ENUM_TYPE_EXTENSION => Kind::Enum,
            SyntaxKind::SCALAR_TYPE_DEFINITION | SyntaxKind::SCALAR_TYPE_EXTENSION => Kind::Scalar,
            SyntaxKind::SCHEMA_DEFINITION | SyntaxKind::SCHEMA_EXTENSION => return self.add_roots(definition),
            _ => return,
        };
        let Some(name) = name_of(definition) else { return };
        let known = self.types.entry(name.clone()).or_insert_with(|| {
            self.order.push(name);
            Type { kind, description: None, fields: vec![], values: vec![], others: vec![], facts: vec![] }
        });
        known.description = known.description.take().or_else(|| description(definition));
        for list in [SyntaxKind::FIELDS_DEFINITION, SyntaxKind::INPUT_FIELDS_DEFINITION] {
            known
                .fields
                .extend(children(definition, list).flat_map(|list| list.children()).filter_map(|node| field(&node)));
        }
        let values = children(definition, SyntaxKind::ENUM_VALUES_DEFINITION).flat_map(|list| list.children());
        known.values.extend(values.filter_map(|node| value(&node)));
        for list in [SyntaxKind::IMPLEMENTS_INTERFACES, SyntaxKind::UNION_MEMBER_TYPES] {
            let names =
                children(definition, list).flat_map(|list| children(&list, SyntaxKind::NAMED_TYPE).collect::<Vec<_>>());
            known.others.extend(names.filter_map(|named| name_of(&named)));
        }
        if let Some(url) = directive(definition, "specifiedBy").and_then(|node| text_argument(&node)) {
            known.facts.push(format!("specified by {}", short(&url, 200)));
        }
        if directive(definition, "oneOf").is_some() {
            known.facts.push("exactly one field is given".to_owned());
        }
    }

    fn add_roots(&mut self, definition: &SyntaxNode) {
        self.description = self.description.take().or_else(|| description(definition));
        for root in children(definition, SyntaxKind::ROOT_OPERATION_TYPE_DEFINITION) {
            let operation = children(&root, SyntaxKind::OPERATION_TYPE).next().map(|node| node.text().to_string());
            let operation = match operation.as_deref().map(str::trim) {
                Some("query") => "query",
                Some("mutation") => "mutation",
                Some("subscription") => "subscription",
                _ => continue,
            };
            let named = children(&root, SyntaxKind::NAMED_TYPE).next().and_then(|named| name_of(&named));
            if let Some(name) = named {
                self.roots.insert(operation, name);
            }
        }
    }

    /// Without a `schema`, the root types have the usual names.
    fn name_roots(&mut self) {
        if self.roots.is_empty() {
            for (operation, name) in [("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")] {
                if self.types.get(name).is_some_and(|found| found.kind == Kind::Object) {
                    self.roots.insert(operation, name.to_owned());
                }
            }
        }
    }
}

/// A field of a type or of an input, or an argument.
fn field(node: &SyntaxNode) -> Option<Field> {
    if !matches!(node.kind(), SyntaxKind::FIELD_DEFINITION | SyntaxKind::INPUT_VALUE_DEFINITION) {
        return None;
    }
    let types = [SyntaxKind::NAMED_TYPE, SyntaxKind::LIST_TYPE, SyntaxKind::NON_NULL_TYPE];
    let type_node = node.children().find(|child| types.contains(&child.kind()));
    let type_name: String = type_node.iter().flat_map(words).collect();
    let named = type_name.trim_matches(['[', ']', '!']).to_owned();
    let arguments = children(node, SyntaxKind::ARGUMENTS_DEFINITION).flat_map(|list| list.children());
    let default = children(node, SyntaxKind::DEFAULT_VALUE).next().map(|node| node.text().to_string());
    Some(Field {
        name: name_of(node)?,
        description: description(node),
        type_name,
        named,
        arguments: arguments.filter_map(|argument| field(&argument)).collect(),
        default: default.map(|text| short(text.trim().trim_start_matches('=').trim(), 80)),
        deprecated: deprecated(node),
    })
}

fn value(node: &SyntaxNode) -> Option<Field> {
    let value = children(node, SyntaxKind::ENUM_VALUE).next()?;
    let (description, deprecated) = (description(node), deprecated(node));
    Some(Field { name: name_of(&value)?, description, deprecated, ..Field::default() })
}

fn children(node: &SyntaxNode, kind: SyntaxKind) -> impl Iterator<Item = SyntaxNode> {
    node.children().filter(move |child| child.kind() == kind)
}

/// The words and marks of a node, without space and comments.
fn words(node: &SyntaxNode) -> Vec<String> {
    let is_empty = |kind: SyntaxKind| matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT | SyntaxKind::COMMA);
    let tokens = node.descendants_with_tokens().filter_map(|element| element.into_token());
    tokens.filter(|token| !is_empty(token.kind())).map(|token| token.text().to_owned()).collect()
}

fn name_of(node: &SyntaxNode) -> Option<String> {
    let name = children(node, SyntaxKind::NAME).next()?;
    words(&name).into_iter().next()
}

fn description(node: &SyntaxNode) -> Option<String> {
    let text = children(node, SyntaxKind::DESCRIPTION).next()?.children().find_map(StringValue::cast)?;
    Some(String::from(text).trim().to_owned()).filter(|text| !text.is_empty())
}

fn directive(node: &SyntaxNode, name: &str) -> Option<SyntaxNode> {
    let mut directives = children(node, SyntaxKind::DIRECTIVES).flat_map(|list| list.children());
    directives.find(|directive| name_of(directive).is_some_and(|found| found == name))
}

/// The first text among the arguments of a directive.
fn text_argument(directive: &SyntaxNode) -> Option<String> {
    directive.descendants().find_map(StringValue::cast).map(String::from)
}

fn deprecated(node: &SyntaxNode) -> Option<String> {
    directive(node, "deprecated").map(|directive| text_argument(&directive).unwrap_or_default())
}
