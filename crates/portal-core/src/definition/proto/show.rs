//! Methods, messages and enums in full.

use super::{Enum, Field, Message, Method, Source, Type, example};
use crate::definition::rows::{Purse, Rows, row};
use crate::definition::wire::{DefinitionPart, OperationDetail, OperationLink, SchemaRow};
use crate::definition::words::{about, list, short};

pub(super) fn method(source: &Source, link: &OperationLink, method: &Method) -> Option<OperationDetail> {
    let show = Show { source, purse: Purse::default() };
    let mut request = show.part("Request", &method.input, method.streams_in);
    request.example = example::of(source, &method.input);
    let mut parts = vec![request, show.part("Response", &method.output, method.streams_out)];
    if let Some(http) = &method.http {
        let row = SchemaRow { facts: vec!["the same call over HTTP".to_owned()], ..row(0, http) };
        parts.push(DefinitionPart { rows: vec![row], ..bare("HTTP") });
    }
    Some(OperationDetail { link: link.clone(), description: method.description.clone(), parts, call: None })
}

pub(super) fn message(source: &Source, link: &OperationLink, message: &Message) -> Option<OperationDetail> {
    let show = Show { source, purse: Purse::default() };
    let rows = show.purse.fitted(|rows| show.fields(rows, 0, message, &mut vec![message.name.clone()]));
    let example = example::of(source, &format!(".{}", message.name));
    let parts = vec![DefinitionPart { rows, example, ..bare("Fields") }];
    Some(OperationDetail { link: link.clone(), description: message.description.clone(), parts, call: None })
}

pub(super) fn enumeration(source: &Source, link: &OperationLink, found: &Enum) -> Option<OperationDetail> {
    let show = Show { source, purse: Purse::default() };
    let rows = show.purse.fitted(|rows| {
        for value in &found.values {
            rows.push(SchemaRow {
                deprecated: value.deprecated,
                description: value.description.as_deref().map(about),
                facts: vec![format!("number {}", value.number)],
                ..row(0, &value.name)
            });
        }
    });
    let parts = vec![DefinitionPart { rows, ..bare("Values") }];
    Some(OperationDetail { link: link.clone(), description: found.description.clone(), parts, call: None })
}

fn bare(title: &str) -> DefinitionPart {
    DefinitionPart { title: title.to_owned(), label: None, description: None, rows: Vec::new(), example: None }
}

struct Show<'a> {
    source: &'a Source,
    purse: Purse,
}

impl Show<'_> {
    /// What a method takes or gives.
    fn part(&self, title: &str, name: &str, streams: bool) -> DefinitionPart {
        let found = self.source.resolve(name, "");
        let shown = found.map_or(name.trim_start_matches('.'), |(name, _)| name);
        let label = short(&if streams { format!("stream of {shown}") } else { shown.to_owned() }, 160);
        let Some((_, Type::Message(at))) = found else {
            return DefinitionPart { label: Some(label), ..bare(title) };
        };
        let message = &self.source.file.messages[at];
        DefinitionPart {
            label: Some(label),
            description: message.description.clone(),
            rows: self.purse.fitted(|rows| self.fields(rows, 0, message, &mut vec![message.name.clone()])),
            ..bare(title)
        }
    }

    fn fields(&self, rows: &mut Rows, depth: u8, message: &Message, open: &mut Vec<String>) {
        for (index, field) in message.fields.iter().enumerate() {
            if rows.is_full() {
                return rows.skip(message.fields.len() - index);
            }
            let found = self.source.resolve(&field.type_name, &message.name);
            rows.push(SchemaRow {
                type_name: short(&spoken(field), 160),
                required: field.label.as_deref() == Some("required"),
                deprecated: field.deprecated,
                description: field.description.as_deref().map(about),
                facts: self.facts(field, found.map(|(_, found)| found)),
                link: found.and_then(|(name, _)| self.source.links.get(name).cloned()),
                ..row(depth, &field.name)
            });
            if let Some((name, Type::Message(at))) = found
                && rows.reaches(depth + 1)
                && !open.iter().any(|known| known == name)
            {
                open.push(name.to_owned());
                self.fields(rows, depth + 1, &self.source.file.messages[at], open);
                open.pop();
            }
        }
    }

    fn facts(&self, field: &Field, found: Option<Type>) -> Vec<String> {
        let mut facts = vec![format!("number {}", field.number)];
        facts.extend(field.oneof.as_deref().map(|oneof| format!("at most one of {}", short(oneof, 80))));
        if let Some(Type::Enum(at)) = found {
            let values = self.source.file.enums[at].values.iter().map(|value| short(&value.name, 80));
            facts.push(format!("one of {}", list(values, 24)));
        }
        facts.extend(field.default.as_deref().map(|default| format!("default {default}")));
        facts
    }
}

/// The type as it is written, without the label that says nothing new.
fn spoken(field: &Field) -> String {
    let name = field.type_name.trim_start_matches('.');
    match (&field.key, field.label.as_deref()) {
        (Some(key), _) => format!("map<{key}, {name}>"),
        (None, Some(label @ ("repeated" | "optional"))) => format!("{label} {name}"),
        (None, _) => name.to_owned(),
    }
}
