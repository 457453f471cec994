//! Tests of the definitions, one file a language, `hostile` and
//! `mutation` for all.

mod asyncapi;
mod graphql;
mod hostile;
mod mutation;
mod openapi;
mod proto;
mod schemas;

use std::fmt::Write;

use super::wire::{Definition, DefinitionPart, OperationDetail, SchemaRow};
use super::{Outline, read};

#[track_caller]
fn outline(kind: &str, text: &str) -> Outline {
    read(kind, text).unwrap_or_else(|| panic!("{kind} is read"))
}

/// An outline without a fault.
#[track_caller]
fn good(kind: &str, text: &str) -> Outline {
    let outline = outline(kind, text);
    assert_eq!(outline.definition().faults, []);
    outline
}

/// Faults as `line: message`.
fn faults(definition: &Definition) -> Vec<String> {
    definition.faults.iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect()
}

/// Sections and operations: `Section` or `VERB name #id`.
fn listed(definition: &Definition) -> Vec<String> {
    let mut lines = Vec::new();
    for section in &definition.sections {
        lines.push(section.title.clone());
        for link in &section.operations {
            let mark = if link.deprecated { " deprecated" } else { "" };
            lines.push(format!("  {} {} #{}{mark}", link.verb, link.name, link.id));
        }
    }
    lines
}

/// `name: type, required (facts) → link`, indented by depth.
fn shown_row(row: &SchemaRow) -> String {
    let mut line = format!("{}{}", "  ".repeat(usize::from(row.depth)), row.name);
    if !row.type_name.is_empty() {
        let _ = write!(line, ": {}", row.type_name);
    }
    for (mark, is_set) in [(", required", row.required), (", deprecated", row.deprecated)] {
        line.push_str(if is_set { mark } else { "" });
    }
    if !row.facts.is_empty() {
        let _ = write!(line, " ({})", row.facts.join("; "));
    }
    if let Some(link) = &row.link {
        let _ = write!(line, " → {link}");
    }
    if let Some(description) = &row.description {
        let _ = write!(line, " — {description}");
    }
    line
}

/// A part: its title and label, and its rows.
fn shown_part(part: &DefinitionPart) -> Vec<String> {
    let label = part.label.as_ref().map(|label| format!(" [{label}]")).unwrap_or_default();
    let description = part.description.as_ref().map(|text| format!(" — {text}")).unwrap_or_default();
    let mut lines = vec![format!("# {}{label}{description}", part.title)];
    lines.extend(part.rows.iter().map(shown_row));
    lines
}

fn shown(detail: &OperationDetail) -> Vec<String> {
    detail.parts.iter().flat_map(shown_part).collect()
}

#[track_caller]
fn operation(outline: &Outline, id: &str) -> OperationDetail {
    outline.operation(id).unwrap_or_else(|| panic!("no {id} among {:?}", listed(&outline.definition())))
}

/// All lines of an operation's parts.
#[track_caller]
fn check(outline: &Outline, id: &str, expected: &[&str]) {
    let found = shown(&operation(outline, id));
    assert_eq!(found, expected, "{id}:\n{}", found.join("\n"));
}
