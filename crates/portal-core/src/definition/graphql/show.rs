//! Fields and types in full.

use super::query;
use super::{Field, Kind, Source, Type};
use crate::definition::rows::{Purse, Rows, row};
use crate::definition::wire::{DefinitionPart, OperationDetail, OperationLink, SchemaRow};
use crate::definition::words::{about, short};

/// Which fields are shown.
#[derive(Debug, Clone, Copy)]
struct Reach {
    levels: u8,
    /// Whether a `!` is a duty of the caller.
    is_input: bool,
}

const INPUT: Reach = Reach { levels: 6, is_input: true };
/// Not deep: every type has a page of its own.
const ANSWER: Reach = Reach { levels: 2, is_input: false };
const TYPE: Reach = Reach { levels: 1, is_input: false };

/// A field of a root type: its arguments, its answer, a query to start from.
pub(super) fn field(source: &Source, link: &OperationLink, field: &Field) -> Option<OperationDetail> {
    let purse = Purse::default();
    let show = Show { source, purse: &purse };
    let mut parts = Vec::new();
    if !field.arguments.is_empty() {
        let rows = purse.fitted(|rows| show.fields(rows, 0, &field.arguments, INPUT, &mut Vec::new()));
        parts.push(part("Arguments", None, rows));
    }
    let rows = purse.fitted(|rows| show.inside(rows, 0, &field.named, ANSWER, &mut Vec::new()));
    let mut answer = part("Answer", Some(&field.type_name), rows);
    answer.example = Some(query::example(source, &link.verb.to_ascii_lowercase(), field));
    parts.push(answer);
    Some(OperationDetail { link: link.clone(), description: description(field), parts, call: None })
}

/// With the reason of a deprecation first.
fn description(field: &Field) -> Option<String> {
    let reason = field.deprecated.as_deref().filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!("Deprecated: {reason}"));
    let said: Vec<String> = reason.into_iter().chain(field.description.clone()).collect();
    Some(said.join("\n\n")).filter(|said| !said.is_empty())
}

pub(super) fn of_type(source: &Source, link: &OperationLink, name: &str) -> Option<OperationDetail> {
    let found = source.types.get(name)?;
    let purse = Purse::default();
    let show = Show { source, purse: &purse };
    let mut parts = Vec::new();
    if !found.fields.is_empty() {
        let reach = if found.kind == Kind::Input { INPUT } else { TYPE };
        let rows = purse.fitted(|rows| show.fields(rows, 0, &found.fields, reach, &mut vec![name.to_owned()]));
        parts.push(part("Fields", None, rows));
    }
    if !found.values.is_empty() {
        let rows = purse.fitted(|rows| show.fields(rows, 0, &found.values, TYPE, &mut Vec::new()));
        parts.push(part("Values", None, rows));
    }
    let title = if found.kind == Kind::Union { "Members" } else { "Implements" };
    parts.extend(show.types(title, found.others.iter().map(String::as_str)));
    if found.kind == Kind::Interface {
        let implements = |of: &&(&String, &Type)| of.1.others.iter().any(|other| other == name);
        let mut names: Vec<&str> =
            source.types.iter().filter(|of| implements(&of)).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        parts.extend(show.types("Implemented by", names.into_iter()));
    }
    if !found.facts.is_empty() {
        let row = SchemaRow { facts: found.facts.clone(), ..row(0, name) };
        parts.push(part("Limits", None, vec![row]));
    }
    Some(OperationDetail { link: link.clone(), description: found.description.clone(), parts, call: None })
}

fn part(title: &str, label: Option<&str>, rows: Vec<SchemaRow>) -> DefinitionPart {
    let label = label.map(str::to_owned);
    DefinitionPart { title: title.to_owned(), label, description: None, rows, example: None }
}

struct Show<'a> {
    source: &'a Source,
    purse: &'a Purse,
}

impl<'a> Show<'a> {
    /// Rows of fields, and of what is inside their types as far as it reaches.
    fn fields(&self, rows: &mut Rows, depth: u8, fields: &'a [Field], reach: Reach, open: &mut Vec<String>) {
        for (index, field) in fields.iter().enumerate() {
            if rows.is_full() {
                return rows.skip(fields.len() - index);
            }
            let mut facts: Vec<String> = field.default.iter().map(|value| format!("default {value}")).collect();
            let reason = field.deprecated.as_deref().filter(|reason| !reason.is_empty());
            facts.extend(reason.map(|reason| format!("deprecated: {}", short(reason, 200))));
            facts.extend(self.values(&field.named));
            rows.push(SchemaRow {
                type_name: short(&field.type_name, 120),
                required: reach.is_input && field.is_required(),
                deprecated: field.deprecated.is_some(),
                description: field.description.as_deref().map(about),
                facts,
                link: self.source.links.get(&field.named).cloned(),
                ..row(depth, &field.name)
            });
            self.arguments(rows, depth + 1, &field.arguments);
            if reach.levels > 1 {
                let reach = Reach { levels: reach.levels - 1, ..reach };
                self.inside(rows, depth + 1, &field.named, reach, open);
            }
        }
    }

    fn arguments(&self, rows: &mut Rows, depth: u8, arguments: &'a [Field]) {
        if !rows.reaches(depth) {
            return;
        }
        for argument in arguments {
            if rows.is_full() {
                return rows.skip(1);
            }
            let default = argument.default.iter().map(|value| format!("default {value}"));
            rows.push(SchemaRow {
                type_name: short(&argument.type_name, 120),
                required: argument.is_required(),
                deprecated: argument.deprecated.is_some(),
                description: argument.description.as_deref().map(about),
                facts: std::iter::once("argument".to_owned()).chain(default).collect(),
                link: self.source.links.get(&argument.named).cloned(),
                ..row(depth, &argument.name)
            });
        }
    }

    /// Rows of the fields of a type, unless they are being shown already.
    fn inside(&self, rows: &mut Rows, depth: u8, name: &str, reach: Reach, open: &mut Vec<String>) {
        let Some(found) = self.source.types.get(name) else { return };
        if !rows.reaches(depth) || open.iter().any(|known| known == name) {
            return;
        }
        open.push(name.to_owned());
        self.fields(rows, depth, &found.fields, reach, open);
        if found.kind == Kind::Union {
            self.members(rows, depth, found.others.iter().map(String::as_str));
        }
        open.pop();
    }

    /// `one of …`, for an enumeration.
    fn values(&self, name: &str) -> Option<String> {
        let found = self.source.types.get(name).filter(|found| found.kind == Kind::Enum)?;
        let values = found.values.iter().map(|value| short(&value.name, 80));
        Some(format!("one of {}", crate::definition::words::list(values, 24)))
    }

    fn types(&self, title: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<DefinitionPart> {
        let rows = self.purse.fitted(|rows| self.members(rows, 0, names.clone()));
        (!rows.is_empty()).then(|| part(title, None, rows))
    }

    fn members(&self, rows: &mut Rows, depth: u8, names: impl Iterator<Item = &'a str>) {
        for name in names {
            if rows.is_full() {
                rows.skip(1);
                continue;
            }
            let description = self.source.types.get(name).and_then(|found| found.description.as_deref()).map(about);
            let link = self.source.links.get(name).cloned();
            rows.push(SchemaRow { description, link, ..row(depth, name) });
        }
    }
}
