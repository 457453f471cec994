//! The Markdown of a definition as HTML that is safe to show.

use portal_core::definition::wire::{Definition, DefinitionPart, DefinitionSection, OperationDetail, SchemaRow};

use crate::documentation::markdown;

/// Renders every description of an answer in place.
pub fn render(definition: &mut Definition) {
    let Definition { description, security, sections, operation, .. } = definition;
    html(description);
    rows(security);
    for DefinitionSection { description, .. } in sections {
        html(description);
    }
    if let Some(OperationDetail { description, parts, .. }) = operation {
        html(description);
        for DefinitionPart { description, rows: of_part, .. } in parts {
            html(description);
            rows(of_part);
        }
    }
}

fn rows(rows: &mut [SchemaRow]) {
    for SchemaRow { description, .. } in rows {
        html(description);
    }
}

fn html(text: &mut Option<String>) {
    if let Some(written) = text {
        *written = markdown::render_passage(written, &Nowhere);
    }
}

/// A description has no pages or images beside it.
struct Nowhere;

impl markdown::Surroundings for Nowhere {
    fn path(&self) -> &str {
        ""
    }

    fn is_page(&self, _path: &str) -> bool {
        false
    }

    fn page(&self, _path: &str) -> String {
        String::new()
    }

    fn file(&self, _path: &str) -> Option<String> {
        None
    }
}
